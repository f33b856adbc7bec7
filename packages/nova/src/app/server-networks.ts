import { CairnError, invalidInput, isCairnError } from '@cairn/kit/errors/errors';
import type { Db } from '@cairn/kit/store/store';
import type { PlannedPort, RequestedNetwork } from '@cairn/neutron/face';
import type { Caller } from './caller.ts';
import type { NovaDeps } from './deps.ts';
import { isUuidLike } from '@cairn/kit/ids/ids';

/** One entry of a request's `networks`. */
export interface NetworkEntry {
  readonly uuid?: string;
  readonly port?: string | null;
  readonly fixed_ip?: string;
  readonly tag?: string;
}

/** Checks a request's `networks` against itself (nova/api/openstack/compute/servers.py, _get_requested_networks). */
export function readNetworks(
  networks: readonly NetworkEntry[] | 'auto' | 'none' | undefined,
  maxCount: number,
): readonly RequestedNetwork[] | 'auto' | 'none' | undefined {
  if (networks === undefined || networks === 'auto' || networks === 'none') return networks;
  if (networks.length === 0) return undefined;
  const ports = new Set<string>();
  const requested = networks.map((entry): RequestedNetwork => {
    const tag = entry.tag === undefined ? {} : { tag: entry.tag };
    if (entry.port) {
      if (ports.has(entry.port)) throw invalidInput(`Port ID '${entry.port}' was specified twice: you cannot attach a port multiple times.`);
      ports.add(entry.port);
      if (entry.fixed_ip !== undefined) {
        throw invalidInput(`Specified Fixed IP '${entry.fixed_ip}' cannot be used with port '${entry.port}': the two cannot be specified together.`);
      }
      return { portId: entry.port, ...tag };
    }
    if (entry.uuid === undefined) throw invalidInput("Bad network format: missing 'uuid'");
    if (!isUuidLike(entry.uuid)) throw invalidInput(`Bad networks format: network uuid is not in proper format (${entry.uuid})`);
    return { networkId: entry.uuid, ...(entry.fixed_ip === undefined ? {} : { fixedIp: entry.fixed_ip }), ...tag };
  });
  if (maxCount > 1) {
    if (requested.some((entry) => entry.fixedIp !== undefined)) {
      throw invalidInput('Failed to launch instances: max_count cannot be greater than 1 if an fixed_ip is specified.');
    }
    if (requested.some((entry) => entry.portId !== undefined)) {
      throw invalidInput(
        'Failed to launch instances: Unable to launch multiple instances with a single configured port ID. Please launch your instance one by one with different ports.',
      );
    }
  }
  return requested;
}

/** Plans the ports of one server. What is not there is the request's fault (400), not the URL's (404). */
export async function planServerPorts(deps: NovaDeps, db: Db, caller: Caller, requested: ReturnType<typeof readNetworks>): Promise<readonly PlannedPort[]> {
  try {
    return await deps.faces.neutron.planPorts(db, caller.ctx, requested, () => deps.env.ids.uuid());
  } catch (error) {
    if (isCairnError(error, 'NotFound')) throw new CairnError('InvalidInput', error.message, { cause: error });
    throw error;
  }
}

/** Ids of the groups that new ports get; undefined when only the project's `default` is meant, which neutron gives by itself. */
export async function securityGroupIds(deps: NovaDeps, db: Db, caller: Caller, names: readonly string[]): Promise<readonly string[] | undefined> {
  const unique = [...new Set(names)];
  if (unique.length === 0 || (unique.length === 1 && unique[0] === 'default')) return undefined;
  try {
    return (await deps.faces.neutron.resolveSecurityGroups(db, caller.ctx, unique)).map((group) => group.id);
  } catch (error) {
    if (isCairnError(error, 'NotFound')) throw new CairnError('InvalidInput', error.message, { cause: error });
    throw error;
  }
}
