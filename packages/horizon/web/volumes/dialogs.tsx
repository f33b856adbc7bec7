import Alert from '@cloudscape-design/components/alert';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../api/client.ts';
import { backupsQuery, createBackup } from '../backups/queries.ts';
import { FormDialog } from '../parts/form-dialog.tsx';
import { QuotaHint } from '../parts/quota-hint.tsx';
import { ShownOnce } from '../parts/shown-once.tsx';
import { useServers } from '../servers/queries.ts';
import { createSnapshot, snapshotsQuery } from '../snapshots/queries.ts';
import { actOnVolume, attachVolume, detachVolume, offerVolume, updateVolume, useVolumeTypes, type Volume, volumeKeys } from './queries.ts';

export type VolumeDialog = 'attach' | 'detach' | 'snapshot' | 'backup' | 'upload' | 'revert' | 'edit' | 'extend' | 'retype' | 'transfer';

interface Props {
  readonly volume: Volume;
  readonly close: () => void;
}

/** The form that an action of a volume needs. */
export function VolumeDialogs({ dialog, ...props }: Props & { readonly dialog: VolumeDialog }) {
  switch (dialog) {
    case 'attach':
      return <Attach {...props} />;
    case 'detach':
      return <Detach {...props} />;
    case 'snapshot':
      return <TakeSnapshot {...props} />;
    case 'backup':
      return <BackUp {...props} />;
    case 'upload':
      return <UploadToImage {...props} />;
    case 'revert':
      return <Revert {...props} />;
    case 'edit':
      return <Edit {...props} />;
    case 'extend':
      return <Extend {...props} />;
    case 'retype':
      return <Retype {...props} />;
    case 'transfer':
      return <Transfer {...props} />;
  }
}

const nameOf = ({ name, id }: Pick<Volume, 'name' | 'id'>): string => name || id;
const useFrame = (dialog: VolumeDialog, { volume, close }: Props) => {
  const { t } = useTranslation();
  return { title: t(`volumes.title.${dialog}`, { name: nameOf(volume) }), confirm: t(`volumes.do.${dialog}`), touches: volumeKeys(volume.id), close };
};

function Attach(props: Props) {
  const { t } = useTranslation();
  const { data: servers = [] } = useServers();
  const attached = new Set(props.volume.attachments.map(({ server_id }) => server_id));
  return (
    <FormDialog
      {...useFrame('attach', props)}
      fields={{
        server: {
          kind: 'choice',
          label: t('fields.server'),
          required: true,
          options: servers.filter(({ id }) => !attached.has(id)).map(({ id, name, status }) => ({ value: id, label: name, description: `${status} ${id}` })),
        },
        device: { kind: 'text', label: t('volumes.device'), help: t('volumes.deviceHelp') },
      }}
      send={({ server, device }) => attachVolume(props.volume.id, server, device)}
    />
  );
}

function Detach(props: Props) {
  const { t } = useTranslation();
  const { data: servers = [] } = useServers();
  const { attachments } = props.volume;
  return (
    <FormDialog
      {...useFrame('detach', props)}
      text={<Alert type="warning">{t('volumes.detachText')}</Alert>}
      fields={{
        server: {
          kind: 'choice',
          label: t('fields.server'),
          required: true,
          initial: attachments[0]?.server_id ?? '',
          options: attachments.flatMap(({ server_id, device }) =>
            server_id === null ? [] : [{ value: server_id, label: servers.find(({ id }) => id === server_id)?.name ?? server_id, description: device ?? '' }],
          ),
        },
      }}
      send={({ server }) => detachVolume(props.volume.id, server)}
    />
  );
}

function TakeSnapshot(props: Props) {
  const { t } = useTranslation();
  const { volume } = props;
  return (
    <FormDialog
      {...useFrame('snapshot', props)}
      fields={{
        name: { kind: 'text', label: t('fields.name'), required: true },
        description: { kind: 'text', label: t('fields.description') },
      }}
      send={({ name, description }) => createSnapshot({ volume_id: volume.id, name, ...(description !== '' && { description }) })}
    >
      {() => <QuotaHint service="volume" adding={{ snapshots: [1, t('pages.snapshots')], gigabytes: [volume.size, 'GiB'] }} />}
    </FormDialog>
  );
}

function BackUp(props: Props) {
  const { t } = useTranslation();
  const { volume } = props;
  const { data: backups = [] } = useQuery(backupsQuery);
  const full = backups.some(({ volume_id, status }) => volume_id === volume.id && status === 'available');
  return (
    <FormDialog
      {...useFrame('backup', props)}
      fields={{
        name: { kind: 'text', label: t('fields.name'), required: true },
        description: { kind: 'text', label: t('fields.description') },
        incremental: {
          kind: 'check',
          label: t('backups.incremental'),
          help: t('backups.incrementalHelp'),
          ...(!full && { fixed: t('backups.noFull') }),
        },
      }}
      send={({ name, description, incremental }) =>
        createBackup({
          volume_id: volume.id,
          name,
          ...(description !== '' && { description }),
          incremental,
          // cinder wants it said that a disk which is written to meanwhile is backed up all the same
          ...(volume.status === 'in-use' && { force: true }),
        })
      }
    >
      {() => <QuotaHint service="volume" adding={{ backups: [1, t('pages.backups')], backup_gigabytes: [volume.size, 'GiB'] }} />}
    </FormDialog>
  );
}

function UploadToImage(props: Props) {
  const { t } = useTranslation();
  const { volume } = props;
  return (
    <FormDialog
      {...useFrame('upload', props)}
      fields={{
        image_name: { kind: 'text', label: t('volumes.imageName'), required: true },
        disk_format: {
          kind: 'choice',
          label: t('fields.format'),
          initial: 'raw',
          options: ['raw', 'qcow2', 'vmdk', 'vdi'].map((value) => ({ value, label: value })),
        },
      }}
      send={(values) => actOnVolume(volume.id, { 'os-volume_upload_image': { ...values, container_format: 'bare', force: volume.status === 'in-use' } })}
    />
  );
}

function Revert(props: Props) {
  const { t } = useTranslation();
  const { volume } = props;
  const { data: snapshots = [] } = useQuery(snapshotsQuery);
  const [newest] = snapshots.filter(({ volume_id }) => volume_id === volume.id).sort((a, b) => b.created_at.localeCompare(a.created_at));
  return (
    <FormDialog
      {...useFrame('revert', props)}
      text={<Alert type="warning">{t('volumes.revertText')}</Alert>}
      fields={{
        snapshot: {
          kind: 'choice',
          label: t('volumes.sources.snapshot'),
          help: t('volumes.revertHelp'),
          required: true,
          options: newest === undefined ? [] : [{ value: newest.id, label: newest.name || newest.id, description: newest.created_at }],
        },
      }}
      send={({ snapshot }) => actOnVolume(volume.id, { revert: { snapshot_id: snapshot } })}
    />
  );
}

function Edit(props: Props) {
  const { t } = useTranslation();
  const { volume } = props;
  return (
    <FormDialog
      {...useFrame('edit', props)}
      confirm={t('form.save')}
      edits
      fields={{
        name: { kind: 'text', label: t('fields.name'), initial: volume.name },
        description: { kind: 'text', label: t('fields.description'), initial: volume.description },
        metadata: { kind: 'pairs', label: t('fields.metadata'), initial: volume.metadata },
      }}
      send={async (_values, { metadata, ...words }) => {
        if (Object.keys(words).length > 0) await updateVolume(volume.id, words);
        if (metadata !== undefined) await api('volume', `/v3/volumes/${encodeURIComponent(volume.id)}/metadata`, { method: 'PUT', body: { metadata } });
      }}
    />
  );
}

function Extend(props: Props) {
  const { t } = useTranslation();
  const { volume } = props;
  return (
    <FormDialog
      {...useFrame('extend', props)}
      fields={{
        size: { kind: 'number', label: t('fields.sizeGb'), help: t('volumes.extendHelp'), initial: volume.size + 1, least: volume.size + 1, required: true },
      }}
      send={({ size }) => actOnVolume(volume.id, { 'os-extend': { new_size: size } })}
    >
      {({ size }) => <QuotaHint service="volume" adding={{ gigabytes: [(size ?? Number.NaN) - volume.size, 'GiB'] }} />}
    </FormDialog>
  );
}

function Retype(props: Props) {
  const { t } = useTranslation();
  const { volume } = props;
  const types = useVolumeTypes();
  return (
    <FormDialog
      {...useFrame('retype', props)}
      fields={{
        type: {
          kind: 'choice',
          label: t('fields.type'),
          required: true,
          options: types
            .filter(({ name }) => name !== volume.volume_type)
            .map(({ name, description }) => ({ value: name, label: name, ...(description ? { description } : {}) })),
        },
        migrate: { kind: 'check', label: t('volumes.mayMove'), help: t('volumes.mayMoveHelp') },
      }}
      send={({ type, migrate }) => actOnVolume(volume.id, { 'os-retype': { new_type: type, migration_policy: migrate ? 'on-demand' : 'never' } })}
    />
  );
}

/** Offers it to another project. Its key is told once: it stays on screen until its reader closes it. */
function Transfer(props: Props) {
  const { t } = useTranslation();
  const { volume, close } = props;
  const queries = useQueryClient();
  const frame = useFrame('transfer', props);
  const [offered, setOffered] = useState<{ readonly id: string; readonly key: string }>();
  const end = (): void => {
    for (const queryKey of [...frame.touches, ['transfers']]) void queries.invalidateQueries({ queryKey });
    close();
  };
  if (offered !== undefined)
    return (
      <ShownOnce
        title={frame.title}
        words={t('volumes.offered')}
        text={`openstack volume transfer request accept --auth-key ${offered.key} ${offered.id}`}
        close={end}
      />
    );
  return (
    <FormDialog
      {...frame}
      // the form gives way to the key, and only closing that ends it
      done={() => undefined}
      fields={{ name: { kind: 'text', label: t('fields.name'), initial: nameOf(volume), help: t('volumes.transferHelp') } }}
      send={async ({ name }) => {
        const { id, auth_key } = await offerVolume(volume.id, name);
        setOffered({ id, key: auth_key ?? '' });
      }}
    />
  );
}
