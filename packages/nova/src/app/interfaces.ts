import { CairnError, conflict, invalidInput, isCairnError, notFound } from '@cairn/kit/errors/errors';
import type { PortFacts } from '@cairn/neutron/face';
import type { NovaSagas } from '../sagas/index.ts';
import { insertServerPorts, portsOf } from '../store/server-port.ts';
import { type Caller, targetOf } from './caller.ts';
import type { NovaDeps } from './deps.ts';
import { ACTION_RULES, checkAction } from './server-states.ts';
import { beginAction, storedContext, visibleServer } from './servers.ts';
import { isAdmin } from '@cairn/kit/context/context';

/** What a request to attach an interface says. */
export interface AttachInterface {
  readonly net_id?: string;
  readonly port_id?: string;
  readonly fixed_ips?: readonly { readonly ip_address: string }[];
  readonly tag?: string;
}

/** A port of a server with the tag that nova keeps. */
export interface ServerInterface {
  readonly port: PortFacts;
  readonly tag: string | null;
}

export interface InterfacesApp {
  list(caller: Caller, serverId: string): Promise<readonly ServerInterface[]>;
  get(caller: Caller, serverId: string, portId: string): Promise<ServerInterface>;
  /** Resolves when the guest has it, as upstream's does. */
  attach(caller: Caller, serverId: string, asked: AttachInterface): Promise<ServerInterface>;
  detach(caller: Caller, serverId: string, portId: string): Promise<void>;
}

const POLICY = 'os_compute_api:os-attach-interfaces';

export function createInterfacesApp(deps: NovaDeps, sagas: NovaSagas): InterfacesApp {
  const { env, faces } = deps;

  const read = async (serverId: string, portId: string): Promise<ServerInterface> => {
    const [port, mine] = await Promise.all([faces.neutron.port(env.store.read, portId), portsOf(env.store.read, serverId)]);
    if (port === undefined) throw notFound(`Port id ${portId} could not be found.`);
    if (port.deviceId !== serverId) throw notFound(`Instance ${serverId} does not have a port with id ${portId}`);
    return { port, tag: mine.find((row) => row.port_id === portId)?.tag ?? null };
  };

  return {
    async list(caller, serverId) {
      const server = await visibleServer(env.store.read, caller, serverId);
      caller.authorize(`${POLICY}:list`, targetOf(server));
      const [ports, mine] = await Promise.all([faces.neutron.portsOfDevice(env.store.read, server.id), portsOf(env.store.read, server.id)]);
      const tags = new Map(mine.map((row) => [row.port_id, row.tag]));
      return ports.map((port) => ({ port, tag: tags.get(port.id) ?? null }));
    },

    async get(caller, serverId, portId) {
      const server = await visibleServer(env.store.read, caller, serverId);
      caller.authorize(`${POLICY}:show`, targetOf(server));
      return await read(server.id, portId);
    },

    async attach(caller, serverId, asked) {
      const server = await visibleServer(env.store.read, caller, serverId);
      caller.authorize(`${POLICY}:create`, targetOf(server));
      const fixedIp = asked.fixed_ips?.[0]?.ip_address;
      if (asked.net_id !== undefined && asked.port_id !== undefined) throw invalidInput('Must not input both network_id and port_id');
      if (fixedIp !== undefined && asked.net_id === undefined) throw invalidInput('Must input network_id when request IP address');
      checkAction(server, ACTION_RULES.attachInterface, isAdmin(caller.ctx));
      const tag = asked.tag === undefined ? {} : { tag: asked.tag };
      const requested =
        asked.port_id !== undefined
          ? [{ portId: asked.port_id, ...tag }]
          : asked.net_id !== undefined
            ? [{ networkId: asked.net_id, ...(fixedIp === undefined ? {} : { fixedIp }), ...tag }]
            : undefined;
      const [port] = await plan(caller, requested);
      if (port === undefined) throw invalidInput(`No specific network was requested and none are available for project '${caller.ctx.projectId ?? ''}'.`);
      if (!port.existing && (await faces.neutron.portsLeft(env.store.read, server.project_id)) === 0)
        throw new CairnError('Forbidden', 'Maximum number of ports exceeded');
      const { sagaId } = await beginAction(deps, caller, {
        serverId,
        policy: `${POLICY}:create`,
        rule: ACTION_RULES.attachInterface,
        action: 'attach_interface',
        saga: sagas.interfaceAttach,
        params: async (row, tx) => {
          const mine = await portsOf(tx, row.id);
          const position = 1 + Math.max(-1, ...mine.map((other) => other.position));
          await insertServerPorts(tx, [
            { port_id: port.portId, server_id: row.id, network_id: port.networkId, position, owned: port.existing ? 0 : 1, tag: asked.tag ?? null },
          ]);
          return { serverId: row.id, ctx: storedContext(caller), port };
        },
      });
      if ((await env.sagas.settled(sagaId)) === 'failed') throw attachFailure(server.id, sagas.failureOf(sagaId));
      return await read(server.id, port.portId);
    },

    async detach(caller, serverId, portId) {
      const server = await visibleServer(env.store.read, caller, serverId);
      caller.authorize(`${POLICY}:delete`, targetOf(server));
      const port = await faces.neutron.port(env.store.read, portId);
      if (port === undefined || port.deviceId !== server.id) throw notFound(`Port id ${portId} could not be found.`);
      await beginAction(deps, caller, {
        serverId,
        policy: `${POLICY}:delete`,
        rule: ACTION_RULES.detachInterface,
        action: 'detach_interface',
        saga: sagas.interfaceDetach,
        params: (row) => ({ serverId: row.id, ctx: storedContext(caller), portId }),
      });
    },
  };

  /** What is not there is 404 here, as upstream has it; which network is meant is the request's to say (400). */
  async function plan(caller: Caller, requested: Parameters<typeof faces.neutron.planPorts>[2]) {
    try {
      return await faces.neutron.planPorts(env.store.read, caller.ctx, requested, () => env.ids.uuid());
    } catch (error) {
      if (isCairnError(error, 'Conflict') && error.type === 'NetworkAmbiguous') throw new CairnError('InvalidInput', error.message, { cause: error });
      throw error;
    }
  }
}

/** Why an attachment failed, in the status that upstream gives it. */
function attachFailure(serverId: string, failure: { readonly kind: string; readonly type?: string; readonly message: string } | undefined): CairnError {
  const message = failure?.message ?? `Failed to attach network adapter device to ${serverId}`;
  switch (failure?.kind) {
    case 'Conflict':
    case 'AlreadyExists':
      return failure.type === 'IpAddressGenerationFailure' ? invalidInput(message) : conflict(message);
    case 'InvalidInput':
    case 'NoCapacity':
      return invalidInput(message);
    case 'NotFound':
      return notFound(message);
    case 'QuotaExceeded':
    case 'Forbidden':
      return new CairnError('Forbidden', message);
    default:
      // upstream's own words for it, as a 500 that says what failed
      return new CairnError('Unavailable', `Failed to attach network adapter device to ${serverId}`, { status: 500, detail: failure });
  }
}
