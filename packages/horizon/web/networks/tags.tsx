import Badge from '@cloudscape-design/components/badge';
import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { CreateDialog } from '../parts/create-dialog.tsx';
import { LinesField } from '../parts/fields.tsx';
import { wordsIn } from './lines.ts';
import { tell } from './write.ts';

interface Props {
  /** The kind's path below `/v2.0/`. */
  readonly path: string;
  readonly id: string;
  /** None where a rule keeps them from who asks. */
  readonly tags: readonly string[] | undefined;
  readonly touches: readonly (readonly unknown[])[];
  readonly fixed?: boolean;
}

/** The tags of an object, and the way to change them. */
export function Tags({ path, id, tags = [], touches, fixed = false }: Props) {
  const { t } = useTranslation();
  const [editing, setEditing] = useState(false);
  return (
    <>
      <SpaceBetween size="xs" direction="horizontal">
        {tags.map((tag) => (
          <Badge key={tag}>{tag}</Badge>
        ))}
        {tags.length === 0 && fixed && '-'}
        {!fixed && <Button variant="inline-icon" iconName="edit" ariaLabel={t('networks.editTags')} onClick={() => setEditing(true)} />}
      </SpaceBetween>
      {editing && <EditTags path={path} id={id} tags={tags} touches={touches} close={() => setEditing(false)} />}
    </>
  );
}

/** The same as a column of a table. */
export const tagsColumn = <T extends { readonly id: string; readonly tags?: readonly string[] }>(
  header: string,
  path: string,
  touches: Props['touches'],
  kept: (row: T) => string | undefined,
) => ({
  id: 'tags',
  header,
  cell: (row: T) => <Tags path={path} id={row.id} tags={row.tags} touches={touches} fixed={kept(row) !== undefined} />,
});

function EditTags({ path, id, tags, touches, close }: Props & { readonly tags: readonly string[]; readonly close: () => void }) {
  const { t } = useTranslation();
  const [text, setText] = useState(tags.join('\n'));
  return (
    <CreateDialog
      title={t('networks.editTags')}
      confirm={t('save')}
      ready
      send={() => tell(path, id, 'tags', { tags: [...new Set(wordsIn(text))] })}
      touches={touches}
      close={close}
    >
      <LinesField label={t('networks.tags')} help={t('networks.tagsHelp')} value={text} set={setText} rows={4} />
    </CreateDialog>
  );
}
