import { invalidInput, notFound } from '@cairn/kit/errors/errors';
import type { Caller } from './caller.ts';
import type { NovaDeps } from './deps.ts';
import { handOn } from './inside.ts';
import { visibleServer } from './servers.ts';

interface NeutronPort {
  readonly id: string;
  readonly fixed_ips: readonly { readonly subnet_id: string; readonly ip_address: string }[];
}

/** The old actions that give a server another address, or take one away: changes of its ports in neutron (nova/network/neutron.py). */
export class FixedIps {
  readonly #deps: NovaDeps;

  constructor(deps: NovaDeps) {
    this.#deps = deps;
  }

  /** Another address on the server's first port of the network, from the first of its subnets that has one to give. */
  async add(caller: Caller, serverId: string, networkId: string): Promise<void> {
    const server = await visibleServer(this.#deps.env.store.read, caller, serverId);
    const neutron = handOn(this.#deps, caller.ctx, 'neutron');
    const id = encodeURIComponent(networkId.toWellFormed());
    const [{ subnets }, { ports }] = await Promise.all([
      neutron('GET', `/v2.0/subnets?network_id=${id}`),
      neutron('GET', `/v2.0/ports?device_id=${server.id}&network_id=${id}`),
    ]);
    const port = (ports as readonly NeutronPort[])[0];
    for (const subnet of port ? (subnets as readonly { id: string }[]) : []) {
      try {
        await neutron('PUT', `/v2.0/ports/${port?.id}`, { port: { fixed_ips: [...(port?.fixed_ips ?? []), { subnet_id: subnet.id }] } });
        return;
      } catch (error) {
        this.#deps.env.log.info({ serverId, subnetId: subnet.id, err: String(error) }, 'no address from this subnet');
      }
    }
    throw notFound(`Network could not be found for instance ${serverId}.`, { type: 'NetworkNotFoundForInstance' });
  }

  async remove(caller: Caller, serverId: string, address: string): Promise<void> {
    const server = await visibleServer(this.#deps.env.store.read, caller, serverId);
    const neutron = handOn(this.#deps, caller.ctx, 'neutron');
    const { ports } = await neutron('GET', `/v2.0/ports?device_id=${server.id}&fixed_ips=${encodeURIComponent(`ip_address=${address}`)}`);
    const port = (ports as readonly NeutronPort[])[0];
    if (!port)
      throw invalidInput(`Fixed IP ${address} is not an address of instance ${serverId}.`, { type: 'FixedIpNotFoundForSpecificInstance', field: 'address' });
    await neutron('PUT', `/v2.0/ports/${port.id}`, { port: { fixed_ips: port.fixed_ips.filter((ip) => ip.ip_address !== address) } });
  }
}
