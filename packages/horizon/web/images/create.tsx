import FileUpload from '@cloudscape-design/components/file-upload';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import ProgressBar from '@cloudscape-design/components/progress-bar';
import Select from '@cloudscape-design/components/select';
import { useNavigate } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { upload } from '../api/upload.ts';
import { CreateDialog } from '../parts/create-dialog.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { bytesText } from '../parts/units.ts';
import { createImage, deleteImage, imagesQuery, importImage } from './queries.ts';

const FORMATS = ['qcow2', 'raw', 'vmdk', 'vdi', 'vhd', 'iso'];

interface Props {
  readonly close: () => void;
}

/** Makes an image from a file of the reader's; closing the dialog while it is sent stops that, and leaves no image behind. */
export function UploadImage({ close }: Props) {
  const { t } = useTranslation();
  const [name, setName] = useState('');
  const [format, setFormat] = useState('qcow2');
  const [files, setFiles] = useState<readonly File[]>([]);
  const [sent, setSent] = useState<number>();
  const stop = useRef(new AbortController());
  const [file] = files;
  const send = async (): Promise<void> => {
    if (file === undefined) return;
    const image = await createImage({ name, disk_format: format, container_format: 'bare' });
    try {
      await upload('image', `/v2/images/${image.id}/file`, file, setSent, stop.current.signal);
    } catch (error) {
      await deleteImage(image.id).catch(() => undefined);
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
      close={() => {
        stop.current.abort();
        close();
      }}
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
      {sent !== undefined && file !== undefined && (
        <ProgressBar
          value={file.size === 0 ? 100 : (100 * sent) / file.size}
          label={t('images.uploading')}
          additionalInfo={t('images.sentOf', { sent: bytesText(sent), all: bytesText(file.size) })}
        />
      )}
    </CreateDialog>
  );
}

/** Makes an image that the cloud itself fetches from an address; leads on to its page, which shows how far that is. */
export function ImportImage({ close }: Props) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  return (
    <FormDialog
      title={t('images.importTitle')}
      confirm={t('images.import')}
      close={close}
      touches={[imagesQuery.queryKey]}
      fields={{
        name: { kind: 'text', label: t('fields.name'), required: true },
        uri: { kind: 'text', label: t('images.address'), help: t('images.addressHelp'), required: true, placeholder: 'https://' },
        format: {
          kind: 'choice',
          label: t('fields.format'),
          help: t('images.formatHelp'),
          initial: 'qcow2',
          options: FORMATS.map((value) => ({ value, label: value })),
        },
      }}
      wrong={({ uri }) => ({ uri: uri === '' || /^https?:\/\/[^/\s]/.test(uri) ? undefined : t('images.badAddress') })}
      send={async ({ name, uri, format }) => {
        const image = await createImage({ name, disk_format: format, container_format: 'bare' });
        try {
          await importImage(image.id, uri.trim());
        } catch (error) {
          await deleteImage(image.id).catch(() => undefined);
          throw error;
        }
        void navigate({ to: '/images/$imageId', params: { imageId: image.id }, search: { tab: 'tasks' } as never });
      }}
    />
  );
}
