import { type AddressPair, changesOf, pairsIn, pairsText, wordsIn } from '../networks/lines.ts';
import type { Port } from '../networks/queries.ts';

/** What the form of a port asks for, as it is typed. */
export interface PortFormValues {
  readonly name: string;
  readonly description: string;
  /** One address a line; empty for those that the cloud chooses. */
  readonly addresses: string;
  readonly mac: string;
  readonly up: boolean;
  readonly security: boolean;
  readonly groups: readonly string[];
  readonly pairs: string;
  readonly vnic: string;
  readonly qos: string;
}

export const NEW_PORT: PortFormValues = {
  name: '',
  description: '',
  addresses: '',
  mac: '',
  up: true,
  security: true,
  groups: [],
  pairs: '',
  vnic: 'normal',
  qos: '',
};

/** Pairs with the port's own MAC are written without it. */
const written = (port: Port): AddressPair[] =>
  port.allowed_address_pairs.map(({ ip_address, mac_address }) =>
    mac_address === undefined || mac_address === port.mac_address ? { ip_address } : { ip_address, mac_address },
  );

export const formOfPort = (port: Port): PortFormValues => ({
  name: port.name,
  description: port.description,
  addresses: port.fixed_ips.map(({ ip_address }) => ip_address).join('\n'),
  mac: port.mac_address,
  up: port.admin_state_up,
  security: port.port_security_enabled,
  groups: port.security_groups,
  pairs: pairsText(written(port)),
  vnic: port['binding:vnic_type'],
  qos: port.qos_policy_id ?? '',
});

export function faultsOfPort(form: PortFormValues): ReadonlySet<'addresses' | 'pairs'> {
  const faults = new Set<'addresses' | 'pairs'>();
  if (wordsIn(form.addresses).some((word) => !/^[\da-f.:]+$/i.test(word))) faults.add('addresses');
  if (pairsIn(form.pairs) === undefined) faults.add('pairs');
  return faults;
}

/** The values of POST /ports, of a form without faults. */
export function portBody(networkId: string, form: PortFormValues): Readonly<Record<string, unknown>> {
  const addresses = wordsIn(form.addresses);
  const pairs = pairsIn(form.pairs) ?? [];
  return {
    network_id: networkId,
    name: form.name,
    ...(form.description !== '' && { description: form.description }),
    ...(addresses.length > 0 && { fixed_ips: addresses.map((ip_address) => ({ ip_address })) }),
    ...(form.mac.trim() !== '' && { mac_address: form.mac.trim() }),
    ...(!form.up && { admin_state_up: false }),
    ...(form.security
      ? { ...(form.groups.length > 0 && { security_groups: form.groups }), ...(pairs.length > 0 && { allowed_address_pairs: pairs }) }
      : { port_security_enabled: false, security_groups: [] }),
    ...(form.vnic !== 'normal' && { 'binding:vnic_type': form.vnic }),
    ...(form.qos !== '' && { qos_policy_id: form.qos }),
  };
}

/** What the form makes of a port that is there: what is other alone. Without port security it has neither groups nor pairs. */
export function portChanges(port: Port, form: PortFormValues): Readonly<Record<string, unknown>> {
  const before = { ...port, allowed_address_pairs: written(port), fixed_ips: port.fixed_ips };
  const subnets = new Map(port.fixed_ips.map(({ ip_address, subnet_id }) => [ip_address, subnet_id]));
  const fixedIps = wordsIn(form.addresses).map((ip_address) => {
    const subnet_id = subnets.get(ip_address);
    return subnet_id === undefined ? { ip_address } : { subnet_id, ip_address };
  });
  const sameGroups = form.security && [...form.groups].sort().join() === [...port.security_groups].sort().join();
  return changesOf<Record<string, unknown>>(before, {
    name: form.name,
    description: form.description,
    fixed_ips: fixedIps,
    admin_state_up: form.up,
    port_security_enabled: form.security,
    security_groups: sameGroups ? undefined : form.security ? form.groups : [],
    allowed_address_pairs: form.security ? pairsIn(form.pairs) : [],
    qos_policy_id: form.qos === '' ? null : form.qos,
  });
}
