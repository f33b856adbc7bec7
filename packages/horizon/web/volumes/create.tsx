import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { imagesQuery } from '../images/queries.ts';
import { FormDialog } from '../parts/form-dialog.tsx';
import { QuotaHint } from '../parts/quota-hint.tsx';
import { snapshotsQuery } from '../snapshots/queries.ts';
import { createVolume, useVolumeTypes, volumesQuery } from './queries.ts';

const SOURCES = ['empty', 'image', 'snapshot', 'volume'] as const;
const GIB = 2 ** 30;

interface Props {
  readonly close: () => void;
  /** Made from this snapshot. */
  readonly snapshot?: { readonly id: string; readonly name: string | null; readonly size: number };
}

/** Makes a volume: empty, or with what an image, a snapshot or another volume holds. */
export function CreateVolume({ close, snapshot }: Props) {
  const { t } = useTranslation();
  const { data: images = [] } = useQuery(imagesQuery);
  const { data: snapshots = [] } = useQuery(snapshotsQuery);
  const { data: volumes = [] } = useQuery(volumesQuery);
  const types = useVolumeTypes();
  const named = ({ id, name }: { readonly id: string; readonly name: string | null }) => name || id;
  return (
    <FormDialog
      title={t('volumes.create')}
      confirm={t('create')}
      close={close}
      touches={[volumesQuery.queryKey, ['quota', 'volume']]}
      fields={{
        name: { kind: 'text', label: t('fields.name'), required: true },
        source: {
          kind: 'choice',
          label: t('volumes.source'),
          initial: snapshot ? 'snapshot' : 'empty',
          options: SOURCES.map((value) => ({ value, label: t(`volumes.sources.${value}`) })),
        },
        image: {
          kind: 'choice',
          label: t('fields.image'),
          options: images
            .filter(({ status }) => status === 'active')
            .map((image) => ({
              value: image.id,
              label: named(image),
              description: t('volumes.needsGb', { gb: Math.max(image.min_disk, Math.ceil((image.size ?? 0) / GIB)) }),
            })),
          when: ({ source }) => source === 'image',
        },
        snapshot: {
          kind: 'choice',
          label: t('volumes.sources.snapshot'),
          ...(snapshot && { initial: snapshot.id }),
          options: snapshots
            .filter(({ status }) => status === 'available')
            .map((one) => ({ value: one.id, label: named(one), description: t('volumes.needsGb', { gb: one.size }) })),
          when: ({ source }) => source === 'snapshot',
        },
        volume: {
          kind: 'choice',
          label: t('volumes.sources.volume'),
          options: volumes
            .filter(({ status }) => status === 'available' || status === 'in-use')
            .map((one) => ({ value: one.id, label: named(one), description: t('volumes.needsGb', { gb: one.size }) })),
          when: ({ source }) => source === 'volume',
        },
        size: { kind: 'number', label: t('fields.sizeGb'), initial: snapshot?.size ?? 1, required: true, least: 1 },
        type: {
          kind: 'choice',
          label: t('fields.type'),
          required: false,
          placeholder: t('volumes.defaultType'),
          options: types.map((type) => ({ value: type.name, label: type.name, ...(type.description ? { description: type.description } : {}) })),
        },
        description: { kind: 'text', label: t('fields.description') },
      }}
      send={({ name, size, type, description, source, image, snapshot: from, volume }) =>
        createVolume({
          name,
          size,
          ...(type !== '' && { volume_type: type }),
          ...(description !== '' && { description }),
          ...(source === 'image' && { imageRef: image }),
          ...(source === 'snapshot' && { snapshot_id: from }),
          ...(source === 'volume' && { source_volid: volume }),
        })
      }
    >
      {({ size }) => <QuotaHint service="volume" adding={{ volumes: [1, t('pages.volumes')], gigabytes: [size ?? Number.NaN, 'GiB'] }} />}
    </FormDialog>
  );
}
