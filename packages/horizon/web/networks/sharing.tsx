import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { CreateDialog } from '../parts/create-dialog.tsx';
import { ChoiceField, TextField } from '../parts/fields.tsx';
import { PartTable } from '../parts/part-table.tsx';
import { useSession } from '../session/session.ts';
import { useIsAdmin } from './owner.ts';
import { type RbacPolicy, sharingQuery } from './queries.ts';
import { QuotaUse } from './quota.tsx';
import { create, remove } from './write.ts';

interface Props {
  /** As RBAC policies name the kind. */
  readonly type: 'network' | 'security_group' | 'address_group' | 'subnetpool' | 'qos_policy';
  readonly id: string;
  readonly kept: string | undefined;
}

/** Stands for a project that is named by its id. */
const OTHER = 'other';

/** The projects that an object is shared with. */
export function Sharing({ type, id, kept }: Props) {
  const { t } = useTranslation();
  const { session } = useSession();
  const rows = useQuery(sharingQuery(type, id));
  const nameOf = (target: string): string =>
    target === '*' ? t('sharing.everybody') : (session.projects.find((project) => project.id === target)?.name ?? target);
  return (
    <PartTable<RbacPolicy>
      title={t('sharing.title')}
      items={rows.data ?? (rows.isError ? [] : undefined)}
      keyOf={(row) => row.id}
      labelOf={({ target_tenant }) => nameOf(target_tenant)}
      empty={t('sharing.empty')}
      columns={[
        { id: 'project', header: t('session.project'), cell: ({ target_tenant }) => nameOf(target_tenant) },
        { id: 'action', header: t('sharing.what'), cell: ({ action }) => t(`sharing.actions.${action}`) },
      ]}
      create={{ label: t('sharing.create'), form: (close) => <Share type={type} id={id} close={close} />, not: kept }}
      remove={{ label: t('remove'), run: (row) => remove('rbac-policies', row.id), touches: [sharingQuery(type, id).queryKey], kept: () => kept }}
    />
  );
}

function Share({ type, id, close }: Omit<Props, 'kept'> & { readonly close: () => void }) {
  const { t } = useTranslation();
  const { session } = useSession();
  const isAdmin = useIsAdmin();
  const [form, setForm] = useState({ project: '', other: '', action: 'access_as_shared' });
  const set = (change: Partial<typeof form>): void => setForm((before) => ({ ...before, ...change }));
  const target = form.project === OTHER ? form.other.trim() : form.project;
  const actions = type === 'network' && isAdmin ? (['access_as_shared', 'access_as_external'] as const) : (['access_as_shared'] as const);
  return (
    <CreateDialog
      title={t('sharing.create')}
      confirm={t('sharing.create')}
      ready={target !== ''}
      send={() => create('rbac-policies', 'rbac_policy', { object_type: type, object_id: id, action: form.action, target_tenant: target })}
      touches={[sharingQuery(type, id).queryKey]}
      close={close}
    >
      <QuotaUse of="rbac_policy" />
      <ChoiceField
        label={t('session.project')}
        value={form.project}
        set={(project) => set({ project })}
        choices={[
          ...session.projects.filter((project) => project.id !== session.project?.id).map((project) => ({ value: project.id, label: project.name })),
          ...(isAdmin ? [{ value: '*', label: t('sharing.everybody') }] : []),
          { value: OTHER, label: t('sharing.other') },
        ]}
        placeholder={t('launch.choose')}
      />
      {form.project === OTHER && <TextField label={t('sharing.projectId')} value={form.other} set={(other) => set({ other })} />}
      {actions.length > 1 && (
        <ChoiceField
          label={t('sharing.what')}
          value={form.action}
          set={(action) => set({ action })}
          choices={actions.map((value) => ({ value, label: t(`sharing.actions.${value}`) }))}
        />
      )}
    </CreateDialog>
  );
}
