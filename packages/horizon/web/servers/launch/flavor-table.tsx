import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api } from '../../api/client.ts';
import { quotaQuery } from '../../parts/quota.ts';
import { useSession } from '../../session/session.ts';
import { type Flavor, flavorsQuery } from '../flavors.ts';
import { resourcesOf, type Shortage, shortagesOf } from './fit.ts';

interface Props {
  readonly flavorId: string;
  readonly onChange: (flavorId: string) => void;
  readonly count: number;
  readonly image: { readonly min_ram: number; readonly min_disk: number } | undefined;
  readonly fromVolume: boolean;
}

/** The flavors, each with whether it fits; an administrator is told of the chosen one for how many hosts have room. */
export function FlavorTable({ flavorId, onChange, count, image, fromVolume }: Props) {
  const { t } = useTranslation();
  const { session } = useSession();
  const projectId = session.project?.id ?? '';
  const flavors = useQuery(flavorsQuery);
  const quota = useQuery({ ...quotaQuery('compute', projectId), enabled: projectId !== '' });
  const words = (shortage: Shortage): string =>
    'free' in shortage ? t(`fit.${shortage.of}`, { needs: shortage.needs, free: shortage.free }) : t(`fit.${shortage.of}`, { needs: shortage.needs });
  const fit = (flavor: Flavor) => {
    const shortages = shortagesOf(flavor, { count, image, fromVolume }, quota.data ?? {});
    return shortages.length === 0 ? (
      <StatusIndicator>{t('fit.fits')}</StatusIndicator>
    ) : (
      <StatusIndicator type="warning">{shortages.map(words).join(t('listSeparator'))}</StatusIndicator>
    );
  };
  const all = flavors.data ?? [];
  const chosen = all.find(({ id }) => id === flavorId);
  return (
    <>
      <Table
        variant="embedded"
        items={[...all]}
        trackBy="id"
        loading={flavors.isPending}
        loadingText={t('loading')}
        selectionType="single"
        selectedItems={chosen === undefined ? [] : [chosen]}
        onSelectionChange={({ detail }) => onChange(detail.selectedItems[0]?.id ?? '')}
        onRowClick={({ detail }) => onChange(detail.item.id)}
        ariaLabels={{
          tableLabel: t('fields.flavor'),
          selectionGroupLabel: t('fields.flavor'),
          itemSelectionLabel: (_state, { name }) => t('table.select', { name }),
        }}
        columnDefinitions={[
          { id: 'name', header: t('fields.name'), cell: ({ name }) => name, isRowHeader: true },
          { id: 'vcpus', header: t('fit.vcpus'), cell: ({ vcpus }) => vcpus },
          { id: 'ram', header: t('fit.memory'), cell: ({ ram }) => ram },
          { id: 'disk', header: t('fit.disk'), cell: ({ disk }) => disk },
          { id: 'fit', header: t('fit.title'), cell: fit },
        ]}
      />
      {chosen !== undefined && session.roles.includes('admin') && <Candidates flavor={chosen} fromVolume={fromVolume} />}
    </>
  );
}

/** More hosts than this are not counted. */
const MOST = 100;

function Candidates({ flavor, fromVolume }: { readonly flavor: Flavor; readonly fromVolume: boolean }) {
  const { t } = useTranslation();
  const resources = resourcesOf(flavor, fromVolume);
  const { data } = useQuery({
    queryKey: ['allocation-candidates', resources],
    queryFn: async ({ signal }) =>
      (
        await api<'placement.allocation_candidate.list'>('placement', `/allocation_candidates?resources=${encodeURIComponent(resources)}&limit=${MOST}`, {
          signal,
        })
      ).allocation_requests.length,
    retry: false,
    staleTime: 0,
  });
  if (data === undefined) return null;
  return <StatusIndicator type={data === 0 ? 'error' : 'success'}>{t('fit.hosts', { count: data })}</StatusIndicator>;
}
