import type { Context } from '@cairn/kit/context/context';
import { forbidden, invalidInput, notFound } from '@cairn/kit/errors/errors';
import { isUuidLike } from '@cairn/kit/ids/ids';
import type { NovaDeps } from './deps.ts';
import { type HandOn, handOn } from './inside.ts';

interface NeutronFloatingIp {
  readonly id: string;
  readonly floating_ip_address: string;
  readonly fixed_ip_address: string | null;
  readonly floating_network_id: string;
  readonly port_id: string | null;
}
interface NeutronNetwork {
  readonly id: string;
  readonly name: string;
}

/** A floating IP as nova-network had it. */
export interface OldStyleFloatingIp {
  readonly id: string;
  readonly ip: string;
  readonly fixedIp: string | null;
  readonly serverId: string | null;
  readonly pool: string;
}

const EXTERNAL = 'router%3Aexternal=True';
const EXHAUSTED = new Set(['IpAddressGenerationFailure', 'ExternalIpAddressExhausted', 'IpAddressGenerationFailureAllSubnets']);
const anyOf = (name: string, values: Iterable<string>): string => [...new Set(values)].map((value) => `${name}=${encodeURIComponent(value)}`).join('&');

/** Neutron's floating IPs and networks in the dress of nova-network (nova/network/neutron.py). */
export class FloatingIps {
  readonly #deps: NovaDeps;

  constructor(deps: NovaDeps) {
    this.#deps = deps;
  }

  async list(ctx: Context): Promise<readonly OldStyleFloatingIp[]> {
    const neutron = handOn(this.#deps, ctx, 'neutron');
    const { floatingips } = await neutron('GET', `/v2.0/floatingips?tenant_id=${encodeURIComponent(ctx.projectId ?? '')}`);
    return this.#told(neutron, floatingips as readonly NeutronFloatingIp[]);
  }

  async get(ctx: Context, id: string): Promise<OldStyleFloatingIp> {
    const neutron = handOn(this.#deps, ctx, 'neutron');
    const { floatingip } = await neutron('GET', `/v2.0/floatingips/${encodeURIComponent(id)}`, undefined, missing(id));
    return (await this.#told(neutron, [floatingip as NeutronFloatingIp]))[0] as OldStyleFloatingIp;
  }

  /** Takes an address of a pool, which is an external network's name or id. Without one the only external network is meant. */
  async create(ctx: Context, pool: string | undefined): Promise<OldStyleFloatingIp> {
    const neutron = handOn(this.#deps, ctx, 'neutron');
    const by = pool === undefined ? '' : `&${isUuidLike(pool) ? 'id' : 'name'}=${encodeURIComponent(pool)}`;
    const networks = (await neutron('GET', `/v2.0/networks?${EXTERNAL}${by}`)).networks as readonly NeutronNetwork[];
    if (networks.length > 1) throw invalidInput(`Multiple floating IP pools matches found for name '${pool ?? ''}'`, { field: 'pool' });
    const [network] = networks;
    if (!network) throw notFound('Floating IP pool not found.', { type: 'FloatingIpPoolNotFound' });
    const body = { floatingip: { floating_network_id: network.id, tenant_id: ctx.projectId } };
    const made = await neutron('POST', '/v2.0/floatingips', body, (status, _message, type) => {
      if (EXHAUSTED.has(type)) return notFound(pool === undefined ? 'No more floating IPs available.' : `No more floating IPs in pool ${pool}.`);
      if (type === 'OverQuota') return forbidden(pool === undefined ? 'IP allocation over quota.' : `IP allocation over quota in pool ${pool}.`);
      return status === 400 ? invalidInput('The floating IP request failed with a BadRequest') : undefined;
    });
    return (await this.#told(neutron, [made.floatingip as NeutronFloatingIp]))[0] as OldStyleFloatingIp;
  }

  async delete(ctx: Context, id: string): Promise<void> {
    await handOn(this.#deps, ctx, 'neutron')('DELETE', `/v2.0/floatingips/${encodeURIComponent(id)}`, undefined, missing(id));
  }

  /** External networks: names, or ids where there is no name. */
  async pools(ctx: Context): Promise<readonly string[]> {
    const { networks } = await handOn(this.#deps, ctx, 'neutron')('GET', `/v2.0/networks?${EXTERNAL}`);
    return (networks as readonly NeutronNetwork[]).map(({ id, name }) => name || id);
  }

  /** The networks that the caller sees. */
  async networks(ctx: Context): Promise<readonly NeutronNetwork[]> {
    return (await handOn(this.#deps, ctx, 'neutron')('GET', '/v2.0/networks')).networks as readonly NeutronNetwork[];
  }

  async network(ctx: Context, id: string): Promise<NeutronNetwork> {
    const { network } = await handOn(this.#deps, ctx, 'neutron')('GET', `/v2.0/networks/${encodeURIComponent(id)}`, undefined, () =>
      notFound('Network not found'),
    );
    return network as NeutronNetwork;
  }

  /** With the pools' names and the servers behind the ports: two more calls for any number of addresses. */
  async #told(neutron: HandOn, ips: readonly NeutronFloatingIp[]): Promise<readonly OldStyleFloatingIp[]> {
    if (ips.length === 0) return [];
    const ports = ips.flatMap(({ port_id: id }) => id ?? []);
    const [networks, devices] = await Promise.all([
      neutron(
        'GET',
        `/v2.0/networks?${anyOf(
          'id',
          ips.map((ip) => ip.floating_network_id),
        )}`,
      ),
      ports.length === 0 ? { ports: [] } : neutron('GET', `/v2.0/ports?${anyOf('id', ports)}&fields=id&fields=device_id`),
    ]);
    const names = new Map((networks.networks as readonly NeutronNetwork[]).map(({ id, name }) => [id, name]));
    const servers = new Map((devices.ports as readonly { id: string; device_id: string }[]).map(({ id, device_id: device }) => [id, device]));
    return ips.map((ip) => ({
      id: ip.id,
      ip: ip.floating_ip_address,
      fixedIp: ip.fixed_ip_address,
      serverId: (ip.port_id !== null && servers.get(ip.port_id)) || null,
      pool: names.get(ip.floating_network_id) || ip.floating_network_id,
    }));
  }
}

const missing =
  (id: string) =>
  (status: number): Error | undefined =>
    status === 404 || status === 400 ? notFound(`Floating IP not found for ID ${id}`) : undefined;
