import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { imagesQuery } from '../../images/queries.ts';
import { keyPairsQuery } from '../../key-pairs/queries.ts';
import { CreateDialog } from '../../parts/create-dialog.tsx';
import { ChoiceField, TextField } from '../../parts/fields.tsx';
import { ShownOnce } from '../../parts/shown-once.tsx';
import { act } from '../queries.ts';
import { type DialogProps, touchesOf } from './parts.tsx';

const useImageOptions = () => {
  const images = useQuery(imagesQuery);
  const options = (images.data ?? []).filter(({ status }) => status === 'active').map(({ id, name }) => ({ value: id, label: name || id, description: id }));
  return { options, loading: images.isPending };
};

/** The form gives way to the password, where the cloud tells one (`api.enable_instance_password`). */
function tell(password: string | undefined, show: (password: string) => void, close: () => void): void {
  if (password === undefined) close();
  else show(password);
}

function Password({ action, password, close }: { readonly action: 'rescue' | 'rebuild'; readonly password: string; readonly close: () => void }) {
  const { t } = useTranslation();
  return <ShownOnce title={t(`actions.${action}`)} words={t('dialogs.adminPassword')} text={password} close={close} />;
}

export function Rescue({ server, close }: DialogProps) {
  const { t } = useTranslation();
  const { options, loading } = useImageOptions();
  const [imageId, setImageId] = useState('');
  const [password, setPassword] = useState<string>();
  if (password !== undefined) return <Password action="rescue" password={password} close={close} />;
  return (
    <CreateDialog
      title={t('actions.rescue')}
      confirm={t('actions.rescue')}
      ready
      send={async () => {
        const told = await act<'nova.server.rescue'>(server.id, { rescue: imageId === '' ? null : { rescue_image_ref: imageId } });
        tell(told?.adminPass, setPassword, close);
      }}
      touches={touchesOf(server)}
      done={() => undefined}
      close={close}
    >
      <ChoiceField
        label={t('fields.image')}
        help={t('dialogs.rescueHelp')}
        value={imageId}
        set={setImageId}
        choices={loading ? undefined : [{ value: '', label: t('dialogs.ownImage') }, ...options]}
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
  const [password, setPassword] = useState<string>();
  if (password !== undefined) return <Password action="rebuild" password={password} close={close} />;
  return (
    <CreateDialog
      title={t('actions.rebuild')}
      confirm={t('actions.rebuild')}
      ready={imageId !== ''}
      send={async () => {
        const told = await act<'nova.server.rebuild'>(server.id, {
          rebuild: { imageRef: imageId, ...(key !== (server.key_name ?? '') && { key_name: key === '' ? null : key }) },
        });
        tell(told?.server?.adminPass, setPassword, close);
      }}
      touches={touchesOf(server)}
      done={() => undefined}
      close={close}
    >
      <ChoiceField label={t('fields.image')} help={t('dialogs.rebuildHelp')} value={imageId} set={setImageId} choices={loading ? undefined : options} />
      <ChoiceField
        label={t('fields.key')}
        value={key}
        set={setKey}
        choices={keys.isPending ? undefined : [{ value: '', label: t('launch.noKey') }, ...(keys.data ?? []).map(({ name }) => ({ value: name, label: name }))]}
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
      <TextField label={t('fields.name')} help={t('dialogs.imageHelp')} value={name} set={setName} autoFocus />
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
      <TextField label={t('fields.name')} value={name} set={setName} autoFocus />
      <TextField label={t('fields.type')} help={t('dialogs.backupTypeHelp')} value={type} set={setType} />
      <TextField label={t('dialogs.kept')} help={t('dialogs.keptHelp')} value={kept} set={setKept} type="number" />
    </CreateDialog>
  );
}
