import FileUpload from '@cloudscape-design/components/file-upload';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import ProgressBar from '@cloudscape-design/components/progress-bar';
import Select from '@cloudscape-design/components/select';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../api/client.ts';
import { upload } from '../api/upload.ts';
import { CreateDialog } from '../parts/create-dialog.tsx';
import { ListPage } from '../parts/list-page.tsx';
import type { Column } from '../parts/resource-table.tsx';
import { bytesText } from '../parts/units.ts';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { useSession } from '../session/session.ts';
import { type Image, imagesQuery } from './queries.ts';

/** The images that the project can start servers from. */
export function ImagesPage() {
  const { t } = useTranslation();
  const { session } = useSession();
  const columns = useMemo<readonly Column<Image>[]>(
    () => [
      { id: 'name', header: t('fields.name'), value: ({ name, id }) => name || id },
      { id: 'status', header: t('fields.status'), value: ({ status }) => status, cell: ({ status }) => <Status status={status} /> },
      { id: 'visibility', header: t('fields.visibility'), value: ({ visibility }) => visibility },
      { id: 'format', header: t('fields.format'), value: ({ disk_format }) => disk_format ?? '' },
      { id: 'size', header: t('fields.size'), value: ({ size }) => size ?? 0, cell: ({ size }) => (size === null ? '-' : bytesText(size)) },
      { id: 'created', header: t('fields.created'), value: ({ created_at }) => created_at, cell: ({ created_at }) => <Time at={created_at} /> },
      { id: 'id', header: t('fields.id'), value: ({ id }) => id, shown: false },
    ],
    [t],
  );
  return (
    <ListPage
      name="images"
      title={t('pages.images')}
      query={imagesQuery}
      columns={columns}
      keyOf={({ id }) => id}
      labelOf={({ name, id }) => name || id}
      kept={(image) =>
        image.protected ? t('images.protected') : image.owner === session.project?.id || session.roles.includes('admin') ? undefined : t('images.notYours')
      }
      remove={(id) => api('image', `/v2/images/${id}`, { method: 'DELETE' })}
      empty={{ title: t('images.empty'), text: t('images.emptyText') }}
      create={{ label: t('images.create'), form: (close) => <CreateImage close={close} /> }}
    />
  );
}

const FORMATS = ['qcow2', 'raw', 'vmdk', 'vdi', 'vhd', 'iso'];

function CreateImage({ close }: { readonly close: () => void }) {
  const { t } = useTranslation();
  const [name, setName] = useState('');
  const [format, setFormat] = useState('qcow2');
  const [files, setFiles] = useState<readonly File[]>([]);
  const [sent, setSent] = useState<number>();
  const [file] = files;
  const send = async (): Promise<void> => {
    if (file === undefined) return;
    const body = { name, disk_format: format, container_format: 'bare' };
    const image = await api<Image>('image', '/v2/images', { method: 'POST', body });
    try {
      await upload('image', `/v2/images/${image.id}/file`, file, setSent);
    } catch (error) {
      await api('image', `/v2/images/${image.id}`, { method: 'DELETE' }).catch(() => undefined);
      setSent(undefined);
      throw error;
    }
  };
  return (
    <CreateDialog
      title={t('images.create')}
      confirm={t('create')}
      ready={name.trim() !== '' && file !== undefined}
      send={send}
      touches={[imagesQuery.queryKey]}
      close={close}
    >
      <FormField label={t('fields.name')}>
        <Input value={name} onChange={({ detail }) => setName(detail.value)} autoFocus />
      </FormField>
      <FormField label={t('fields.format')} description={t('images.formatHelp')}>
        <Select
          selectedOption={{ value: format, label: format }}
          options={FORMATS.map((value) => ({ value, label: value }))}
          onChange={({ detail }) => setFormat(detail.selectedOption.value ?? 'qcow2')}
        />
      </FormField>
      <FormField label={t('images.file')}>
        <FileUpload
          value={[...files]}
          onChange={({ detail }) => setFiles(detail.value)}
          showFileSize
          i18nStrings={{
            uploadButtonText: () => t('images.chooseFile'),
            dropzoneText: () => t('images.dropFile'),
            removeFileAriaLabel: () => t('images.removeFile'),
            limitShowFewer: t('close'),
            limitShowMore: t('open'),
            errorIconAriaLabel: t('error'),
            warningIconAriaLabel: t('warning'),
          }}
        />
      </FormField>
      {sent !== undefined && file !== undefined && <ProgressBar value={file.size === 0 ? 100 : (100 * sent) / file.size} label={t('images.uploading')} />}
    </CreateDialog>
  );
}
