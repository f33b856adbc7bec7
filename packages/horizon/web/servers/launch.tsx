import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import ContentLayout from '@cloudscape-design/components/content-layout';
import Form from '@cloudscape-design/components/form';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import Multiselect from '@cloudscape-design/components/multiselect';
import Select, { type SelectProps } from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Textarea from '@cloudscape-design/components/textarea';
import Toggle from '@cloudscape-design/components/toggle';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../api/client.ts';
import { cliOf } from '../api/commands.ts';
import { ApiError } from '../api/errors.ts';
import { imagesQuery } from '../images/queries.ts';
import { keyPairsQuery } from '../key-pairs/queries.ts';
import { networksQuery } from '../networks/queries.ts';
import { CommandText } from '../parts/command-text.tsx';
import { securityGroupsQuery } from '../security-groups/queries.ts';
import { type LaunchForm, launchBody, missingOf } from './launch-request.ts';
import { flavorsQuery } from './flavors.ts';

const BEGINNING: LaunchForm = {
  name: '',
  count: 1,
  imageId: '',
  flavorId: '',
  networkIds: [],
  securityGroups: [],
  keyName: '',
  userData: '',
  volumeGb: undefined,
};

/** The way to a server: what has to be said comes first and has a default where there is one; the command that does the same stands below. */
export function LaunchPage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const images = useQuery(imagesQuery);
  const flavors = useQuery(flavorsQuery);
  const networks = useQuery(networksQuery);
  const groups = useQuery(securityGroupsQuery);
  const keys = useQuery(keyPairsQuery);
  const [typed, setTyped] = useState<LaunchForm>(BEGINNING);
  const [sending, setSending] = useState(false);
  const [tried, setTried] = useState(false);
  const [refused, setRefused] = useState<Error>();

  const usableImages = (images.data ?? []).filter(({ status }) => status === 'active');
  const ownNetworks = (networks.data ?? []).filter((network) => !network['router:external']);
  // where there is no choice, none has to be made
  const form: LaunchForm = {
    ...typed,
    imageId: typed.imageId || (usableImages.length === 1 ? (usableImages[0]?.id ?? '') : ''),
    flavorId: typed.flavorId || (flavors.data?.[0]?.id ?? ''),
    networkIds: typed.networkIds.length === 0 && ownNetworks.length === 1 ? ownNetworks.map(({ id }) => id) : typed.networkIds,
  };
  const set = (change: Partial<LaunchForm>): void => setTyped((before) => ({ ...before, ...change }));
  const missing = missingOf(form);
  const body = launchBody(form);
  const errorOf = (field: (typeof missing)[number]): string | undefined => (tried && missing.includes(field) ? t(`launch.missing.${field}`) : undefined);

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setTried(true);
    if (missing.length > 0) return;
    setSending(true);
    setRefused(undefined);
    try {
      const { server } = await api<{ server: { id: string } }>('compute', '/v2.1/servers', { method: 'POST', body });
      void queries.invalidateQueries({ queryKey: ['servers'] });
      if (form.count > 1) await navigate({ to: '/servers' });
      else await navigate({ to: '/servers/$serverId', params: { serverId: server.id }, search: { tab: 'flow' } });
    } catch (error) {
      setRefused(error as Error);
    } finally {
      setSending(false);
    }
  };

  const flavorOptions = (flavors.data ?? []).map(({ id, name, vcpus, ram, disk }) => ({
    value: id,
    label: name,
    description: t('flavor', { name, vcpus, ram, disk }),
  }));
  const options = (rows: readonly { readonly id: string; readonly name: string }[]): SelectProps.Option[] =>
    rows.map(({ id, name }) => ({ value: id, label: name === '' ? id : name, description: id }));
  const pick = (all: readonly SelectProps.Option[], value: string): SelectProps.Option | null => all.find((option) => option.value === value) ?? null;
  const imageOptions = options(usableImages);
  const networkOptions = options(ownNetworks);
  const groupOptions = (groups.data ?? []).map(({ id, name }) => ({ value: id, label: name }));
  const keyOptions = [{ value: '', label: t('launch.noKey') }, ...(keys.data ?? []).map(({ name }) => ({ value: name, label: name }))];

  return (
    <ContentLayout header={<Header variant="h1">{t('launch.title')}</Header>}>
      <form onSubmit={(event) => void submit(event)}>
        <Form
          actions={
            <SpaceBetween size="xs" direction="horizontal">
              <Button variant="link" formAction="none" onClick={() => void navigate({ to: '/servers' })}>
                {t('cancel')}
              </Button>
              <Button variant="primary" loading={sending} loadingText={t('working')}>
                {t('servers.launch')}
              </Button>
            </SpaceBetween>
          }
        >
          <SpaceBetween size="l">
            {refused !== undefined && (
              <Alert type="error" header={t('launch.refused')}>
                {refused.message} {refused instanceof ApiError && refused.requestId !== undefined && t('requestId', { id: refused.requestId })}
              </Alert>
            )}
            <Container header={<Header variant="h2">{t('launch.what')}</Header>}>
              <SpaceBetween size="m">
                <FormField label={t('fields.name')} errorText={errorOf('name')}>
                  <Input value={form.name} onChange={({ detail }) => set({ name: detail.value })} autoFocus name="name" />
                </FormField>
                <FormField label={t('fields.image')} errorText={errorOf('image')}>
                  <Select
                    selectedOption={pick(imageOptions, form.imageId)}
                    options={imageOptions}
                    onChange={({ detail }) => set({ imageId: detail.selectedOption.value ?? '' })}
                    filteringType="auto"
                    placeholder={t('launch.choose')}
                    statusType={images.isPending ? 'loading' : 'finished'}
                    empty={t('launch.noImages')}
                  />
                </FormField>
                <FormField label={t('fields.flavor')} errorText={errorOf('flavor')}>
                  <Select
                    selectedOption={pick(flavorOptions, form.flavorId)}
                    options={flavorOptions}
                    onChange={({ detail }) => set({ flavorId: detail.selectedOption.value ?? '' })}
                    filteringType="auto"
                    placeholder={t('launch.choose')}
                    statusType={flavors.isPending ? 'loading' : 'finished'}
                  />
                </FormField>
                <Toggle checked={form.volumeGb !== undefined} onChange={({ detail }) => set({ volumeGb: detail.checked ? 10 : undefined })}>
                  {t('launch.volume')}
                </Toggle>
                {form.volumeGb !== undefined && (
                  <FormField label={t('launch.volumeSize')} errorText={errorOf('volume')}>
                    <Input type="number" inputMode="numeric" value={String(form.volumeGb)} onChange={({ detail }) => set({ volumeGb: Number(detail.value) })} />
                  </FormField>
                )}
                <FormField label={t('launch.count')} errorText={errorOf('count')}>
                  <Input type="number" inputMode="numeric" value={String(form.count)} onChange={({ detail }) => set({ count: Number(detail.value) })} />
                </FormField>
              </SpaceBetween>
            </Container>
            <Container header={<Header variant="h2">{t('launch.reach')}</Header>}>
              <SpaceBetween size="m">
                <FormField label={t('pages.networks')} description={t('launch.networksHelp')}>
                  <Multiselect
                    selectedOptions={networkOptions.filter(({ value }) => form.networkIds.includes(value ?? ''))}
                    options={networkOptions}
                    onChange={({ detail }) => set({ networkIds: detail.selectedOptions.flatMap(({ value }) => (value === undefined ? [] : [value])) })}
                    placeholder={t('launch.automatic')}
                    statusType={networks.isPending ? 'loading' : 'finished'}
                    empty={t('launch.noNetworks')}
                  />
                </FormField>
                <FormField label={t('pages.security-groups')} description={t('launch.groupsHelp')}>
                  <Multiselect
                    selectedOptions={groupOptions.filter(({ value }) => form.securityGroups.includes(value))}
                    options={groupOptions}
                    onChange={({ detail }) => set({ securityGroups: detail.selectedOptions.flatMap(({ value }) => (value === undefined ? [] : [value])) })}
                    placeholder={t('launch.defaultGroup')}
                    statusType={groups.isPending ? 'loading' : 'finished'}
                  />
                </FormField>
                <FormField label={t('fields.key')} description={t('launch.keyHelp')}>
                  <Select
                    selectedOption={pick(keyOptions, form.keyName)}
                    options={keyOptions}
                    onChange={({ detail }) => set({ keyName: detail.selectedOption.value ?? '' })}
                    statusType={keys.isPending ? 'loading' : 'finished'}
                  />
                </FormField>
                <FormField label={t('launch.userData')} description={t('launch.userDataHelp')} errorText={errorOf('userData')} stretch>
                  <Textarea
                    value={form.userData}
                    onChange={({ detail }) => set({ userData: detail.value })}
                    rows={6}
                    spellcheck={false}
                    placeholder="#cloud-config"
                  />
                </FormField>
              </SpaceBetween>
            </Container>
            <Container
              header={
                <Header variant="h2" description={t('launch.commandHelp')}>
                  {t('launch.command')}
                </Header>
              }
            >
              <CommandText text={cliOf({ service: 'compute', method: 'POST', path: '/v2.1/servers', body }) ?? ''} />
            </Container>
          </SpaceBetween>
        </Form>
      </form>
    </ContentLayout>
  );
}
