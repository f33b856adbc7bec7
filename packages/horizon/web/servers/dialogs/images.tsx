import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { imagesQuery } from '../../images/queries.ts';
import { keyPairsQuery } from '../../key-pairs/queries.ts';
import { CreateDialog } from '../../parts/create-dialog.tsx';
import { act } from '../queries.ts';
import { Choice, type DialogProps, TextField, touchesOf } from './parts.tsx';

const useImageOptions = () => {
  const images = useQuery(imagesQuery);
  const options = (images.data ?? []).filter(({ status }) => status === 'active').map(({ id, name }) => ({ value: id, label: name || id, description: id }));
  return { options, loading: images.isPending };
};

export function Rescue({ server, close }: DialogProps) {
  const { t } = useTranslation();
  const { options, loading } = useImageOptions();
  const [imageId, setImageId] = useState('');
  return (
    <CreateDialog
      title={t('actions.rescue')}
      confirm={t('actions.rescue')}
      ready
      send={() => act(server.id, { rescue: imageId === '' ? null : { rescue_image_ref: imageId } })}
      touches={touchesOf(server)}
      close={close}
    >
      <Choice
        label={t('fields.image')}
        help={t('dialogs.rescueHelp')}
        value={imageId}
        onChange={setImageId}
        options={[{ value: '', label: t('dialogs.ownImage') }, ...options]}
        loading={loading}
      />
    </CreateDialog>
  );
}

export function Rebuild({ server, close }: DialogProps) {
  const { t } = useTranslation();
  const { options, loading } = useImageOptions();
  const keys = useQuery(keyPairsQuery);
  const [imageId, setImageId] = useState(server.image ? server.image.id : '');
  const [key, setKey] = useState(server.key_name ?? '');
  return (
    <CreateDialog
      title={t('actions.rebuild')}
      confirm={t('actions.rebuild')}
      ready={imageId !== ''}
      send={() => act(server.id, { rebuild: { imageRef: imageId, ...(key !== (server.key_name ?? '') && { key_name: key === '' ? null : key }) } })}
      touches={touchesOf(server)}
      close={close}
    >
      <Choice label={t('fields.image')} help={t('dialogs.rebuildHelp')} value={imageId} onChange={setImageId} options={options} loading={loading} />
      <Choice
        label={t('fields.key')}
        value={key}
        onChange={setKey}
        options={[{ value: '', label: t('launch.noKey') }, ...(keys.data ?? []).map(({ name }) => ({ value: name, label: name }))]}
        loading={keys.isPending}
      />
    </CreateDialog>
  );
}

export function CreateImage({ server, close }: DialogProps) {
  const { t } = useTranslation();
  const [name, setName] = useState(server.name);
  return (
    <CreateDialog
      title={t('actions.createImage')}
      confirm={t('create')}
      ready={name.trim() !== ''}
      send={() => act(server.id, { createImage: { name: name.trim() } })}
      touches={[...touchesOf(server), imagesQuery.queryKey]}
      close={close}
    >
      <TextField label={t('fields.name')} help={t('dialogs.imageHelp')} value={name} onChange={setName} first />
    </CreateDialog>
  );
}

export function CreateBackup({ server, close }: DialogProps) {
  const { t } = useTranslation();
  const [name, setName] = useState(server.name);
  const [type, setType] = useState('daily');
  const [kept, setKept] = useState('7');
  const rotation = Number(kept);
  return (
    <CreateDialog
      title={t('actions.createBackup')}
      confirm={t('create')}
      ready={name.trim() !== '' && type.trim() !== '' && Number.isInteger(rotation) && rotation >= 0}
      send={() => act(server.id, { createBackup: { name: name.trim(), backup_type: type.trim(), rotation } })}
      touches={[...touchesOf(server), imagesQuery.queryKey]}
      close={close}
    >
      <TextField label={t('fields.name')} value={name} onChange={setName} first />
      <TextField label={t('fields.type')} help={t('dialogs.backupTypeHelp')} value={type} onChange={setType} />
      <TextField label={t('dialogs.kept')} help={t('dialogs.keptHelp')} value={kept} onChange={setKept} type="number" />
    </CreateDialog>
  );
}
