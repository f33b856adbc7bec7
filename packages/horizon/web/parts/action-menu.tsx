import ButtonDropdown, { type ButtonDropdownProps } from '@cloudscape-design/components/button-dropdown';
import { useTranslation } from 'react-i18next';

export interface Action {
  readonly id: string;
  readonly text: string;
  /** Why it cannot be done now; undefined when it can. */
  readonly reason?: string | undefined;
  readonly begin: () => void;
}

/** A menu of actions, in groups where there are many; those that cannot be done say why. */
export function ActionMenu({ actions }: { readonly actions: readonly (Action | { readonly text: string; readonly actions: readonly Action[] })[] }) {
  const { t } = useTranslation();
  const item = ({ id, text, reason }: Action): ButtonDropdownProps.Item => ({
    id,
    text,
    ...(reason !== undefined && { disabled: true, disabledReason: reason }),
  });
  const all = actions.flatMap((entry) => ('actions' in entry ? entry.actions : [entry]));
  return (
    <ButtonDropdown
      items={actions.map((entry) => ('actions' in entry ? { text: entry.text, items: entry.actions.map(item) } : item(entry)))}
      onItemClick={({ detail }) => all.find(({ id }) => id === detail.id)?.begin()}
      expandToViewport
    >
      {t('actions.title')}
    </ButtonDropdown>
  );
}
