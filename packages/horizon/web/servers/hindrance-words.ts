import { useTranslation } from 'react-i18next';
import type { Hindrance } from './actions.ts';

/** Says in the reader's language why an action cannot be done. */
export function useHindranceWords(): (hindrance: Hindrance) => string {
  const { t, i18n } = useTranslation();
  return (hindrance) => {
    switch (hindrance.why) {
      case 'busy':
        return t('actions.busy', { task: i18n.exists(`tasks.${hindrance.task}`) ? t(`tasks.${hindrance.task}` as 'tasks.spawning') : hindrance.task });
      case 'state':
        return t('actions.state', { states: hindrance.needs.map((state) => t(`vmStates.${state}` as 'vmStates.active')).join(t('listSeparator')) });
      case 'role':
        return t('actions.role', { roles: hindrance.needs.join(t('listSeparator')) });
      case 'locked':
        return hindrance.reason === '' ? t('actions.locked') : t('actions.lockedWhy', { reason: hindrance.reason });
      default:
        return t(`actions.${hindrance.why}`);
    }
  };
}
