import { useTranslation } from 'react-i18next';
import { useSession } from '../session/session.ts';

/** Why what belongs to a project cannot be changed by who is signed in; undefined when it can. */
export function useKeptFrom(): (row: { readonly project_id: string }) => string | undefined {
  const { t } = useTranslation();
  const { session } = useSession();
  return ({ project_id }) => (project_id === session.project?.id || session.roles.includes('admin') ? undefined : t('networks.notYours'));
}

export const useIsAdmin = (): boolean => useSession().session.roles.includes('admin');
