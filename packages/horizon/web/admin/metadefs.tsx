import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { ListPage } from '../parts/list-page.tsx';
import type { Column } from '../parts/resource-table.tsx';
import { type MetadefNamespace, metadefsQuery } from './queries.ts';

/** What properties of images, flavors and volumes mean: the catalogue of definitions. */
export function MetadefsPage() {
  const { t } = useTranslation();
  const columns = useMemo<readonly Column<MetadefNamespace>[]>(
    () => [
      { id: 'name', header: t('fields.name'), value: ({ display_name, namespace }) => display_name || namespace },
      { id: 'namespace', header: t('admin.namespace'), value: ({ namespace }) => namespace },
      { id: 'description', header: t('fields.description'), value: ({ description }) => description ?? '' },
      {
        id: 'for',
        header: t('admin.appliesTo'),
        value: ({ resource_type_associations = [] }) => resource_type_associations.map(({ name }) => name).join(', '),
      },
      { id: 'visibility', header: t('fields.visibility'), value: ({ visibility }) => visibility },
    ],
    [t],
  );
  return (
    <ListPage
      name="metadefs"
      title={t('pages.metadefs')}
      query={metadefsQuery}
      columns={columns}
      keyOf={({ namespace }) => namespace}
      labelOf={({ namespace }) => namespace}
      empty={{ title: t('admin.noMetadefs'), text: t('admin.metadefsHelp') }}
    />
  );
}
