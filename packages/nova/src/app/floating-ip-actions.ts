import { conflict, forbidden, invalidInput, notFound } from '@cairn/kit/errors/errors';
import { type Caller, targetOf } from './caller.ts';
import type { NovaDeps } from './deps.ts';
import { handOn } from './inside.ts';
import { visibleServer } from './servers.ts';

interface FloatingIp {
  readonly id: string;
  readonly port_id: string | null;
}

/** The actions of before 2.44 that give a server a floating IP or take it: changes of neutron's floating IPs. */
export class FloatingIpActions {
  readonly #deps: NovaDeps;

  constructor(deps: NovaDeps) {
    this.#deps = deps;
  }

  async add(caller: Caller, serverId: string, address: string, fixedAddress: string | undefined): Promise<void> {
    const { env, faces } = this.#deps;
    const server = await visibleServer(env.store.read, caller, serverId);
    caller.authorize('os_compute_api:os-floating-ips:add', targetOf(server));
    const ports = await faces.neutron.portsOfDevice(env.store.read, server.id);
    if (ports.length === 0) throw invalidInput('Instance network is not ready yet');
    const fixed = ports.flatMap((port) => port.fixedIps.map((ip) => ({ portId: port.id, ip: ip.ip, version: ip.ipVersion })));
    if (fixed.length === 0) throw invalidInput('No fixed IPs associated to instance');
    const chosen = fixedAddress === undefined ? fixed.find((one) => one.version === 4) : fixed.find((one) => one.ip === fixedAddress);
    if (chosen === undefined) {
      throw invalidInput(
        fixedAddress === undefined
          ? `Unable to associate floating IP ${address} to any fixed IPs for instance ${server.id}. Instance has no fixed IPv4 addresses to associate.`
          : 'Specified fixed address not assigned to instance',
      );
    }
    const found = await this.#find(caller, address);
    const body = { floatingip: { port_id: chosen.portId, fixed_ip_address: chosen.ip } };
    await handOn(this.#deps, caller.ctx, 'neutron')('PUT', `/v2.0/floatingips/${found.id}`, body, (status, message) =>
      status === 403 ? forbidden(message) : invalidInput(`Error. Unable to associate floating IP. ${message}`),
    );
  }

  async remove(caller: Caller, serverId: string, address: string): Promise<void> {
    const { env, faces } = this.#deps;
    const found = await this.#find(caller, address);
    const port = found.port_id === null ? undefined : await faces.neutron.port(env.store.read, found.port_id);
    const server = port === undefined || port.deviceId === '' ? undefined : await visibleServer(env.store.read, caller, port.deviceId).catch(() => undefined);
    caller.authorize('os_compute_api:os-floating-ips:remove', server === undefined ? { project_id: caller.ctx.projectId } : targetOf(server));
    if (server?.id !== serverId) throw conflict(`Floating IP ${address} is not associated with instance ${serverId}.`);
    await handOn(this.#deps, caller.ctx, 'neutron')('PUT', `/v2.0/floatingips/${found.id}`, { floatingip: { port_id: null } });
  }

  async #find(caller: Caller, address: string): Promise<FloatingIp> {
    const neutron = handOn(this.#deps, caller.ctx, 'neutron');
    const { floatingips } = await neutron('GET', `/v2.0/floatingips?floating_ip_address=${encodeURIComponent(address)}`);
    const [found] = (floatingips ?? []) as readonly FloatingIp[];
    if (found === undefined) throw notFound('floating IP not found');
    return found;
  }
}
