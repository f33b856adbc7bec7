import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Multiselect, { type MultiselectProps } from '@cloudscape-design/components/multiselect';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { keyPairsQuery } from '../../key-pairs/queries.ts';
import { networksQuery, portsQuery } from '../../networks/queries.ts';
import { securityGroupsQuery } from '../../security-groups/queries.ts';
import { NewKey } from './new-key.tsx';
import type { SectionProps } from './section.ts';

const valuesOf = (options: readonly MultiselectProps.Option[]): readonly string[] => options.flatMap(({ value }) => (value === undefined ? [] : [value]));

/** How the server is reached: networks and ports, groups, the key. */
export function ReachSection({ form, set }: SectionProps) {
  const { t } = useTranslation();
  const networks = useQuery(networksQuery);
  const ports = useQuery(portsQuery);
  const groups = useQuery(securityGroupsQuery);
  const keys = useQuery(keyPairsQuery);
  const [key, setKey] = useState<'make' | 'import'>();
  const names = new Map((networks.data ?? []).map(({ id, name }) => [id, name]));
  const networkOptions = (networks.data ?? [])
    .filter((network) => !network['router:external'])
    .map(({ id, name }) => ({ value: id, label: name || id, description: id }));
  const portOptions = (ports.data ?? [])
    .filter(({ device_id }) => device_id === '')
    .map(({ id, name, network_id, fixed_ips }) => ({
      value: id,
      label: name || id,
      description: [names.get(network_id) ?? network_id, ...fixed_ips.map(({ ip_address }) => ip_address)].join(' '),
    }));
  const groupOptions = (groups.data ?? []).map(({ id, name }) => ({ value: id, label: name }));
  const keyOptions = [{ value: '', label: t('launch.noKey') }, ...(keys.data ?? []).map(({ name }) => ({ value: name, label: name }))];
  return (
    <Container header={<Header variant="h2">{t('launch.reach')}</Header>}>
      <SpaceBetween size="m">
        <FormField label={t('pages.networks')} description={t('launch.networksHelp')}>
          <Multiselect
            selectedOptions={networkOptions.filter(({ value }) => form.networkIds.includes(value))}
            options={networkOptions}
            onChange={({ detail }) => set({ networkIds: valuesOf(detail.selectedOptions) })}
            placeholder={t('launch.automatic')}
            statusType={networks.isPending ? 'loading' : 'finished'}
            empty={t('launch.noNetworks')}
          />
        </FormField>
        {portOptions.length > 0 && (
          <FormField label={t('launch.ports')} description={t('launch.portsHelp')}>
            <Multiselect
              selectedOptions={portOptions.filter(({ value }) => form.portIds.includes(value))}
              options={portOptions}
              onChange={({ detail }) => set({ portIds: valuesOf(detail.selectedOptions) })}
              placeholder={t('none')}
            />
          </FormField>
        )}
        <FormField label={t('pages.security-groups')} description={t('launch.groupsHelp')}>
          <Multiselect
            selectedOptions={groupOptions.filter(({ value }) => form.securityGroups.includes(value))}
            options={groupOptions}
            onChange={({ detail }) => set({ securityGroups: valuesOf(detail.selectedOptions) })}
            placeholder={t('launch.defaultGroup')}
            statusType={groups.isPending ? 'loading' : 'finished'}
          />
        </FormField>
        <FormField
          label={t('fields.key')}
          description={t('launch.keyHelp')}
          secondaryControl={
            <SpaceBetween size="xs" direction="horizontal">
              <Button formAction="none" onClick={() => setKey('make')}>
                {t('launch.makeKey')}
              </Button>
              <Button formAction="none" onClick={() => setKey('import')}>
                {t('launch.importKey')}
              </Button>
            </SpaceBetween>
          }
        >
          <Select
            selectedOption={keyOptions.find(({ value }) => value === form.keyName) ?? null}
            options={keyOptions}
            onChange={({ detail }) => set({ keyName: detail.selectedOption.value ?? '' })}
            statusType={keys.isPending ? 'loading' : 'finished'}
          />
        </FormField>
      </SpaceBetween>
      {key !== undefined && <NewKey way={key} onMade={(keyName) => set({ keyName })} close={() => setKey(undefined)} />}
    </Container>
  );
}
