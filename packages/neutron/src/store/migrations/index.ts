import type { MigrationSet } from '@cairn/kit/store/store';
import { first } from './0001-first.ts';
import { tunnels } from './0002-tunnels.ts';
import { addressGroups } from './0003-address-groups.ts';
import { comingHosts } from './0004-coming-hosts.ts';
import { defaultRules } from './0005-default-rules.ts';
import { qos } from './0006-qos.ts';
import { portForwardings } from './0007-port-forwardings.ts';
import { trunks } from './0008-trunks.ts';
import { schedulers } from './0009-schedulers.ts';
import { flavors } from './0014-flavors.ts';
import { routerWays } from './0016-router-ways.ts';
import { defaultStatefulness } from './0015-default-statefulness.ts';
import { helpersAndMeters } from './0020-helpers-and-meters.ts';
import { logs } from './0021-logs.ts';
import { ndpProxies } from './0022-ndp-proxies.ts';
import { localIps } from './0023-local-ips.ts';
import { segments } from './0024-segments.ts';
import { dhcpHost } from './0025-dhcp-host.ts';
import { serviceHosts } from './0026-service-hosts.ts';
import { proxiedAddresses } from './0028-proxied-addresses.ts';
import { delegatedPrefixes } from './0031-delegated-prefixes.ts';
import { trustedPorts } from './0032-trusted-ports.ts';
import { replacedPrefixes } from './0033-replaced-prefixes.ts';
import { sparseIndexes } from './0034-sparse-indexes.ts';

export const neutronMigrations: MigrationSet = {
  service: 'neutron',
  migrations: {
    '0001_first': first,
    '0002_tunnels': tunnels,
    '0003_address_groups': addressGroups,
    '0004_coming_hosts': comingHosts,
    '0005_default_rules': defaultRules,
    '0006_qos': qos,
    '0007_port_forwardings': portForwardings,
    '0008_trunks': trunks,
    '0009_schedulers': schedulers,
    '0014_flavors': flavors,
    '0015_default_statefulness': defaultStatefulness,
    '0016_router_ways': routerWays,
    '0020_helpers_and_meters': helpersAndMeters,
    '0021_logs': logs,
    '0022_ndp_proxies': ndpProxies,
    '0023_local_ips': localIps,
    '0024_segments': segments,
    '0025_dhcp_host': dhcpHost,
    '0026_service_hosts': serviceHosts,
    '0028_proxied_addresses': proxiedAddresses,
    '0031_delegated_prefixes': delegatedPrefixes,
    '0032_trusted_ports': trustedPorts,
    '0033_replaced_prefixes': replacedPrefixes,
    '0034_sparse_indexes': sparseIndexes,
  },
};
