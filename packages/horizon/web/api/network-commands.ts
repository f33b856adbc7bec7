import { type Body, flag, inside, plain, type Rule } from './command-rules.ts';

type Words = readonly (string | undefined)[];
const many = (name: string, values: unknown): readonly string[] => (Array.isArray(values) ? values.flatMap((value) => [name, String(value)]) : []);
/** `--on` or `--off`; nothing where it is not said. */
const either = (value: unknown, on: string, off: string): readonly string[] => (value === true ? [on] : value === false ? [off] : []);
const rows = (value: unknown): readonly Body[] => (Array.isArray(value) ? (value as readonly Body[]) : []);
const words = (...parts: readonly (readonly string[])[]): readonly string[] => parts.flat();

const common = (body: Body): readonly string[] =>
  words(flag('--description', body['description']), either(body['admin_state_up'], '--enable', '--disable'), either(body['shared'], '--share', '--no-share'));
const security = (value: unknown): readonly string[] => either(value, '--enable-port-security', '--disable-port-security');

const networkWords = (body: Body): readonly string[] =>
  words(
    common(body),
    flag('--mtu', body['mtu']),
    security(body['port_security_enabled']),
    flag('--qos-policy', body['qos_policy_id']),
    either(body['router:external'], '--external', '--internal'),
    flag('--provider-network-type', body['provider:network_type']),
    flag('--provider-physical-network', body['provider:physical_network']),
    flag('--provider-segment', body['provider:segmentation_id']),
  );
const subnetWords = (body: Body): readonly string[] =>
  words(
    flag('--description', body['description']),
    body['gateway_ip'] === null ? ['--gateway', 'none'] : flag('--gateway', body['gateway_ip']),
    either(body['enable_dhcp'], '--dhcp', '--no-dhcp'),
    flag('--ipv6-ra-mode', body['ipv6_ra_mode']),
    flag('--ipv6-address-mode', body['ipv6_address_mode']),
    many('--dns-nameserver', body['dns_nameservers']),
    rows(body['allocation_pools']).flatMap(({ start, end }) => ['--allocation-pool', `start=${String(start)},end=${String(end)}`]),
    rows(body['host_routes']).flatMap(({ destination, nexthop }) => ['--host-route', `destination=${String(destination)},gateway=${String(nexthop)}`]),
  );
const portWords = (body: Body): readonly string[] =>
  words(
    common(body),
    rows(body['fixed_ips']).flatMap(({ subnet_id, ip_address }) => [
      '--fixed-ip',
      [...(subnet_id === undefined ? [] : [`subnet=${String(subnet_id)}`]), ...(ip_address === undefined ? [] : [`ip-address=${String(ip_address)}`])].join(
        ',',
      ),
    ]),
    flag('--mac-address', body['mac_address']),
    security(body['port_security_enabled']),
    Array.isArray(body['security_groups']) && body['security_groups'].length === 0
      ? ['--no-security-group']
      : many('--security-group', body['security_groups']),
    rows(body['allowed_address_pairs']).flatMap(({ ip_address, mac_address }) => [
      '--allowed-address',
      `ip-address=${String(ip_address)}${mac_address === undefined ? '' : `,mac-address=${String(mac_address)}`}`,
    ]),
    flag('--vnic-type', body['binding:vnic_type']),
    flag('--qos-policy', body['qos_policy_id']),
  );
const addressWords = (gateway: Body): readonly string[] =>
  rows(gateway['external_fixed_ips']).flatMap(({ ip_address }) => ['--fixed-ip', `ip-address=${String(ip_address)}`]);
const gatewayWords = (value: unknown): readonly string[] => {
  const gateway = (value ?? {}) as Body;
  return words(flag('--external-gateway', gateway['network_id']), either(gateway['enable_snat'], '--enable-snat', '--disable-snat'), addressWords(gateway));
};
const forwardingWords = (body: Body): readonly string[] =>
  words(
    flag('--internal-ip-address', body['internal_ip_address']),
    flag('--port', body['internal_port_id']),
    flag('--internal-protocol-port', body['internal_port'] ?? body['internal_port_range']),
    flag('--external-protocol-port', body['external_port'] ?? body['external_port_range']),
    flag('--protocol', body['protocol']),
    flag('--description', body['description']),
  );
const ruleWords = (body: Body): readonly string[] => {
  const [from, to] = [body['port_range_min'], body['port_range_max']];
  const isIcmp = /icmp/.test(String(body['protocol'] ?? ''));
  return words(
    [`--${String(body['direction'])}`],
    flag('--ethertype', body['ethertype']),
    flag('--protocol', body['protocol']),
    isIcmp
      ? words(flag('--icmp-type', from), flag('--icmp-code', to))
      : flag('--dst-port', from === undefined || from === null ? undefined : from === to ? from : `${String(from)}:${String(to)}`),
    flag('--remote-ip', body['remote_ip_prefix']),
    flag('--remote-group', body['remote_group_id']),
    flag('--remote-address-group', body['remote_address_group_id']),
    flag('--description', body['description']),
  );
};

const qosRuleWords = ({ direction, ...numbers }: Body): readonly string[] => [
  ...Object.entries(numbers).flatMap(([name, value]) => [name === 'max_burst_kbps' ? '--max-burst-kbits' : `--${name.replaceAll('_', '-')}`, String(value)]),
  ...(direction === undefined ? [] : [`--${String(direction)}`]),
];

const post = (path: string, key: string, command: (body: Body, match: RegExpExecArray) => Words): Rule => ({
  service: 'network',
  method: 'POST',
  path: new RegExp(`^/v2\\.0/${path}$`),
  command: (match, body) => command(inside(body, key), match),
});
const put = (path: string, key: string | undefined, command: (body: Body, match: RegExpExecArray) => Words): Rule => ({
  service: 'network',
  method: 'PUT',
  path: new RegExp(`^/v2\\.0/${path}$`),
  command: (match, body) => command(key === undefined ? body : inside(body, key), match),
});
const named = (body: Body): readonly string[] => flag('--name', body['name']);
const ID = '([^/?]+)';
const routesOf = (body: Body): readonly string[] =>
  rows(body['routes']).flatMap(({ destination, nexthop }) => ['--route', `destination=${String(destination)},gateway=${String(nexthop)}`]);
const FORWARDINGS = `floatingips/${ID}/port_forwardings`;
/** What has tags, by the paths of the API. */
const TAGGED: Readonly<Record<string, readonly string[]>> = {
  networks: ['network'],
  subnets: ['subnet'],
  ports: ['port'],
  routers: ['router'],
  floatingips: ['floating', 'ip'],
  'security-groups': ['security', 'group'],
  trunks: ['network', 'trunk'],
  subnetpools: ['subnet', 'pool'],
};

/** The network service's calls as commands of the `openstack` client. */
export const NETWORK_COMMANDS: readonly Rule[] = [
  ...plain('network', String.raw`/v2\.0/networks`, ['network']),
  ...plain('network', String.raw`/v2\.0/subnets`, ['subnet']),
  ...plain('network', String.raw`/v2\.0/ports`, ['port']),
  ...plain('network', String.raw`/v2\.0/routers`, ['router']),
  ...plain('network', String.raw`/v2\.0/floatingips`, ['floating', 'ip']),
  ...plain('network', String.raw`/v2\.0/security-groups`, ['security', 'group']),
  ...plain('network', String.raw`/v2\.0/security-group-rules`, ['security', 'group', 'rule']),
  ...plain('network', String.raw`/v2\.0/address-groups`, ['address', 'group']),
  ...plain('network', String.raw`/v2\.0/subnetpools`, ['subnet', 'pool']),
  ...plain('network', String.raw`/v2\.0/address-scopes`, ['address', 'scope']),
  ...plain('network', String.raw`/v2\.0/qos/policies`, ['network', 'qos', 'policy']),
  ...plain('network', String.raw`/v2\.0/trunks`, ['network', 'trunk']),
  ...plain('network', String.raw`/v2\.0/rbac-policies`, ['network', 'rbac']),
  { service: 'network', method: 'GET', path: /^\/v2\.0\/quotas\/([^/?]+)\/details$/, command: ([, id]) => ['quota', 'show', '--usage', id] },
  {
    service: 'network',
    method: 'GET',
    path: new RegExp(`^/v2\\.0/${FORWARDINGS}(\\?.*)?$`),
    command: ([, id]) => ['floating', 'ip', 'port', 'forwarding', 'list', id],
  },
  {
    service: 'network',
    method: 'DELETE',
    path: new RegExp(`^/v2\\.0/${FORWARDINGS}/${ID}$`),
    command: ([, id, forwarding]) => ['floating', 'ip', 'port', 'forwarding', 'delete', id, forwarding],
  },
  post(FORWARDINGS, 'port_forwarding', (body, [, id]) => ['floating', 'ip', 'port', 'forwarding', 'create', ...forwardingWords(body), id]),
  put(`${FORWARDINGS}/${ID}`, 'port_forwarding', (body, [, id, forwarding]) => [
    ...['floating', 'ip', 'port', 'forwarding', 'set'],
    ...forwardingWords(body),
    id,
    forwarding,
  ]),
  ...Object.entries(TAGGED).map(([path, kind]) =>
    put(`${path}/${ID}/tags`, undefined, (body, [, id]) => [...kind, 'set', '--no-tag', ...many('--tag', body['tags']), id]),
  ),
  post('networks', 'network', (body) => ['network', 'create', ...networkWords(body), String(body['name'])]),
  put(`networks/${ID}`, 'network', (body, [, id]) => ['network', 'set', ...named(body), ...networkWords(body), id]),
  post('subnets', 'subnet', (body) => [
    ...['subnet', 'create', '--network', String(body['network_id'])],
    ...flag('--ip-version', body['ip_version'] === 6 ? 6 : undefined),
    ...flag('--subnet-range', body['cidr']),
    ...flag('--subnet-pool', body['subnetpool_id']),
    ...flag('--prefix-length', body['prefixlen']),
    ...subnetWords(body),
    String(body['name']),
  ]),
  put(`subnets/${ID}`, 'subnet', (body, [, id]) => ['subnet', 'set', ...named(body), ...subnetWords(body), id]),
  post('ports', 'port', (body) => ['port', 'create', '--network', String(body['network_id']), ...portWords(body), String(body['name'] ?? '')]),
  put(`ports/${ID}`, 'port', (body, [, id]) => ['port', 'set', ...named(body), ...portWords(body), id]),
  post('routers', 'router', (body) => ['router', 'create', ...common(body), ...gatewayWords(body['external_gateway_info']), String(body['name'])]),
  put(`routers/${ID}`, 'router', (body, [, id]) =>
    body['external_gateway_info'] === null
      ? ['router', 'unset', '--external-gateway', id]
      : ['router', 'set', ...named(body), ...common(body), ...gatewayWords(body['external_gateway_info']), id],
  ),
  put(`address-groups/${ID}`, 'address_group', (body, [, id]) => [
    'address',
    'group',
    'set',
    ...named(body),
    ...flag('--description', body['description']),
    id,
  ]),
  put(`address-groups/${ID}/add_addresses`, 'address_group', (body, [, id]) => ['address', 'group', 'set', ...many('--address', body['addresses']), id]),
  put(`address-groups/${ID}/remove_addresses`, 'address_group', (body, [, id]) => ['address', 'group', 'unset', ...many('--address', body['addresses']), id]),
  put(`routers/${ID}/add_router_interface`, undefined, (body, [, id]) =>
    body['port_id'] === undefined ? ['router', 'add', 'subnet', id, String(body['subnet_id'])] : ['router', 'add', 'port', id, String(body['port_id'])],
  ),
  put(`routers/${ID}/remove_router_interface`, undefined, (body, [, id]) =>
    body['port_id'] === undefined ? ['router', 'remove', 'subnet', id, String(body['subnet_id'])] : ['router', 'remove', 'port', id, String(body['port_id'])],
  ),
  ...(['add', 'remove'] as const).map((verb) =>
    put(`routers/${ID}/${verb}_external_gateways`, 'router', (body, [, id]) => {
      // the command takes one gateway at a time
      const [gateway = {}] = rows(body['external_gateways']);
      return ['router', verb, 'gateway', ...addressWords(gateway), id, String(gateway['network_id'])];
    }),
  ),
  put(`routers/${ID}/add_extraroutes`, 'router', (body, [, id]) => ['router', 'add', 'route', ...routesOf(body), id]),
  put(`routers/${ID}/remove_extraroutes`, 'router', (body, [, id]) => ['router', 'remove', 'route', ...routesOf(body), id]),
  post('floatingips', 'floatingip', (body) => [
    ...['floating', 'ip', 'create'],
    ...flag('--subnet', body['subnet_id']),
    ...flag('--floating-ip-address', body['floating_ip_address']),
    ...flag('--port', body['port_id']),
    ...flag('--fixed-ip-address', body['fixed_ip_address']),
    ...flag('--description', body['description']),
    String(body['floating_network_id']),
  ]),
  put(`floatingips/${ID}`, 'floatingip', (body, [, id]) =>
    body['port_id'] === null
      ? ['floating', 'ip', 'unset', '--port', id]
      : [
          ...['floating', 'ip', 'set'],
          ...flag('--port', body['port_id']),
          ...flag('--fixed-ip-address', body['fixed_ip_address']),
          ...flag('--description', body['description']),
          id,
        ],
  ),
  post('security-groups', 'security_group', (body) => [
    ...['security', 'group', 'create'],
    ...flag('--description', body['description']),
    ...either(body['stateful'], '--stateful', '--stateless'),
    String(body['name']),
  ]),
  put(`security-groups/${ID}`, 'security_group', (body, [, id]) => [
    ...['security', 'group', 'set'],
    ...named(body),
    ...flag('--description', body['description']),
    ...either(body['stateful'], '--stateful', '--stateless'),
    id,
  ]),
  post('security-group-rules', 'security_group_rule', (body) => [
    ...['security', 'group', 'rule', 'create'],
    ...ruleWords(body),
    String(body['security_group_id']),
  ]),
  post('address-groups', 'address_group', (body) => [
    ...['address', 'group', 'create'],
    ...many('--address', body['addresses']),
    ...flag('--description', body['description']),
    String(body['name']),
  ]),
  post('trunks', 'trunk', (body) => ['network', 'trunk', 'create', '--parent-port', String(body['port_id']), String(body['name'])]),
  put(`trunks/${ID}`, 'trunk', (body, [, id]) => ['network', 'trunk', 'set', ...named(body), ...common(body), id]),
  put(`trunks/${ID}/add_subports`, undefined, (body, [, id]) => [
    ...['network', 'trunk', 'set'],
    ...rows(body['sub_ports']).flatMap((sub) => [
      '--subport',
      `port=${String(sub['port_id'])},segmentation-type=${String(sub['segmentation_type'])},segmentation-id=${String(sub['segmentation_id'])}`,
    ]),
    id,
  ]),
  put(`trunks/${ID}/remove_subports`, undefined, (body, [, id]) => [
    ...['network', 'trunk', 'unset'],
    ...rows(body['sub_ports']).flatMap((sub) => ['--subport', String(sub['port_id'])]),
    id,
  ]),
  post('qos/policies', 'policy', (body) => [
    ...['network', 'qos', 'policy', 'create'],
    ...common(body),
    ...either(body['is_default'], '--default', '--no-default'),
    String(body['name']),
  ]),
  {
    service: 'network',
    method: 'POST',
    path: new RegExp(`^/v2\\.0/qos/policies/${ID}/(\\w+)_rules$`),
    command: ([, id, type = ''], body) => {
      return ['network', 'qos', 'rule', 'create', '--type', type.replaceAll('_', '-'), ...qosRuleWords(inside(body, `${type}_rule`)), id];
    },
  },
  {
    service: 'network',
    method: 'PUT',
    path: new RegExp(`^/v2\\.0/qos/policies/${ID}/(\\w+)_rules/${ID}$`),
    command: ([, id, type = '', rule], body) => ['network', 'qos', 'rule', 'set', ...qosRuleWords(inside(body, `${type}_rule`)), id, rule],
  },
  put(`qos/policies/${ID}`, 'policy', (body, [, id]) => [
    ...['network', 'qos', 'policy', 'set', ...named(body)],
    ...common(body),
    ...either(body['is_default'], '--default', '--no-default'),
    id,
  ]),
  {
    service: 'network',
    method: 'DELETE',
    path: new RegExp(`^/v2\\.0/qos/policies/${ID}/\\w+_rules/${ID}$`),
    command: ([, id, rule]) => ['network', 'qos', 'rule', 'delete', id, rule],
  },
  post('subnetpools', 'subnetpool', (body) => [
    ...['subnet', 'pool', 'create'],
    ...many('--pool-prefix', body['prefixes']),
    ...flag('--default-prefix-length', body['default_prefixlen']),
    ...flag('--address-scope', body['address_scope_id']),
    ...either(body['is_default'], '--default', '--no-default'),
    ...either(body['shared'], '--share', '--no-share'),
    String(body['name']),
  ]),
  put(`subnetpools/${ID}`, 'subnetpool', (body, [, id]) => [
    ...['subnet', 'pool', 'set', ...named(body)],
    ...flag('--description', body['description']),
    ...many('--pool-prefix', body['prefixes']),
    ...flag('--default-prefix-length', body['default_prefixlen']),
    ...flag('--min-prefix-length', body['min_prefixlen']),
    ...flag('--max-prefix-length', body['max_prefixlen']),
    ...(body['address_scope_id'] === null ? ['--no-address-scope'] : flag('--address-scope', body['address_scope_id'])),
    ...either(body['is_default'], '--default', '--no-default'),
    id,
  ]),
  post('address-scopes', 'address_scope', (body) => [
    ...['address', 'scope', 'create'],
    ...flag('--ip-version', body['ip_version']),
    ...either(body['shared'], '--share', '--no-share'),
    String(body['name']),
  ]),
  post('rbac-policies', 'rbac_policy', (body) => [
    ...['network', 'rbac', 'create'],
    ...flag('--type', body['object_type']),
    ...flag('--action', body['action']),
    ...(body['target_tenant'] === '*' ? ['--target-all-projects'] : flag('--target-project', body['target_tenant'])),
    String(body['object_id']),
  ]),
];
