import ExpandableSection from '@cloudscape-design/components/expandable-section';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { ChoiceField, FlagField, LinesField, TextField } from '../parts/fields.tsx';
import { called, subnetPoolsQuery } from './queries.ts';
import { faultsOf, type SubnetForm } from './subnet-request.ts';

interface Props {
  readonly form: SubnetForm;
  readonly set: (change: Partial<SubnetForm>) => void;
}

/** The addresses of a subnet: its own range, or a part of a pool. */
export function SubnetRange({ form, set }: Props) {
  const { t } = useTranslation();
  const pools = useQuery(subnetPoolsQuery);
  const faults = faultsOf(form);
  const fitting = pools.data?.filter(({ ip_version }) => ip_version === form.version);
  return (
    <>
      <ChoiceField
        label={t('subnets.source')}
        value={form.source}
        set={(source) => set({ source: source as SubnetForm['source'] })}
        choices={(['range', 'pool'] as const).map((value) => ({ value, label: t(`subnets.sources.${value}`) }))}
      />
      {form.source === 'range' ? (
        <TextField
          label={t('networks.range')}
          help={t('subnets.rangeHelp')}
          error={faults.has('cidr') && form.cidr !== '' ? t('subnets.badRange') : undefined}
          value={form.cidr}
          set={(cidr) => set({ cidr })}
          placeholder="10.0.0.0/24"
        />
      ) : (
        <>
          <ChoiceField
            label={t('fields.ethertype')}
            value={String(form.version)}
            set={(version) => set({ version: version === '6' ? 6 : 4, poolId: '' })}
            choices={[
              { value: '4', label: 'IPv4' },
              { value: '6', label: 'IPv6' },
            ]}
          />
          <ChoiceField
            label={t('subnets.pool')}
            error={fitting?.length === 0 ? t('subnets.noPool') : undefined}
            value={form.poolId}
            set={(poolId) => set({ poolId })}
            choices={fitting?.map((pool) => ({ value: pool.id, label: `${called(pool)}: ${pool.prefixes.join(', ')}` }))}
            placeholder={t('launch.choose')}
          />
          <TextField
            label={t('subnets.prefixLength')}
            help={t('subnets.prefixLengthHelp')}
            value={form.prefixLength}
            set={(prefixLength) => set({ prefixLength })}
            type="number"
            placeholder={String(fitting?.find(({ id }) => id === form.poolId)?.default_prefixlen ?? '')}
          />
        </>
      )}
    </>
  );
}

/** Everything else about a subnet, which has good defaults. */
export function SubnetMore({ form, set, open = false, fresh = true }: Props & { readonly open?: boolean; readonly fresh?: boolean }) {
  const { t } = useTranslation();
  const faults = faultsOf(form);
  const isV6 = form.source === 'range' ? form.cidr.includes(':') : form.version === 6;
  const gateways = (['auto', 'address', 'none'] as const).filter((value) => fresh || value !== 'auto');
  return (
    <ExpandableSection headerText={t('subnets.more')} defaultExpanded={open}>
      <SpaceBetween size="m">
        <ChoiceField
          label={t('subnets.gateway')}
          value={form.gateway}
          set={(gateway) => set({ gateway: gateway as SubnetForm['gateway'] })}
          choices={gateways.map((value) => ({ value, label: t(`subnets.gateways.${value}`) }))}
        />
        {form.gateway === 'address' && (
          <TextField
            label={t('subnets.gatewayIp')}
            value={form.gatewayIp}
            set={(gatewayIp) => set({ gatewayIp })}
            placeholder={isV6 ? 'fd00::1' : '10.0.0.1'}
          />
        )}
        <FlagField label={t('subnets.dhcp')} help={t('subnets.dhcpHelp')} value={form.dhcp} set={(dhcp) => set({ dhcp })} />
        {isV6 && fresh && (
          <ChoiceField
            label={t('subnets.ipv6Mode')}
            value={form.ipv6Mode}
            set={(mode) => set({ ipv6Mode: mode as SubnetForm['ipv6Mode'] })}
            choices={[
              { value: '', label: t('subnets.ipv6Modes.own') },
              ...(['slaac', 'dhcpv6-stateless', 'dhcpv6-stateful'] as const).map((value) => ({ value, label: t(`subnets.ipv6Modes.${value}`) })),
            ]}
          />
        )}
        <LinesField label={t('subnets.dns')} help={t('subnets.dnsHelp')} value={form.dns} set={(dns) => set({ dns })} placeholder="9.9.9.9" />
        <LinesField
          label={t('subnets.pools')}
          help={t('subnets.poolsHelp')}
          error={faults.has('pools') ? t('subnets.badPools') : undefined}
          value={form.pools}
          set={(pools) => set({ pools })}
          placeholder="10.0.0.100-10.0.0.200"
        />
        <LinesField
          label={t('subnets.routes')}
          help={t('net.routesHelp')}
          error={faults.has('routes') ? t('net.badRoutes') : undefined}
          value={form.routes}
          set={(routes) => set({ routes })}
          placeholder="192.168.0.0/16, 10.0.0.254"
        />
      </SpaceBetween>
    </ExpandableSection>
  );
}
