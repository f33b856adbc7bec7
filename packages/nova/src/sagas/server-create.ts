import { isCairnError, notFound } from '@cairn/kit/errors/errors';
import { defineSaga, type SagaDefinition, type StepContext } from '@cairn/kit/saga/saga';
import type { Db, Tx } from '@cairn/kit/store/store';
import type { NovaDeps } from '../app/deps.ts';
import type { CreateServerParams } from '../app/server-create.ts';
import { POWER } from '../app/server-states.ts';
import { specOf } from '../hosts/guest-parts.ts';
import { noValidHost } from '../scheduler/explain.ts';
import type { HostState } from '../scheduler/filters.ts';
import { type HostRequest, idsOfHint, resourcesOf, traitsOf } from '../scheduler/request.ts';
import { Pending, selectHosts } from '../scheduler/schedule.ts';
import { type BlockDeviceRow, blockDevicesOf, patchBlockDevice } from '../store/block-device.ts';
import { findServer, findServerBrief, flavorOf, imageOf, patchServer, type ServerRow } from '../store/server.ts';
import { findServerGroup, groupIdsOfServers, groupMemberHosts, touchGroup } from '../store/server-group.ts';
import { removeServerPortsOf } from '../store/server-port.ts';
import { clearOnHost, clearPorts } from './on-host.ts';
import { actionDone, actionFailed } from './outcome.ts';
import { diskLeftovers, type LocalDisk, localDisks, makeDisks, removeDisks } from './server-disks.ts';
import { createVolumes, discardVolumes, readyVolumes } from './server-volumes.ts';

type Step = StepContext<CreateServerParams, unknown>;

/** What the first step found out, for its commit. */
interface Found {
  readonly request: HostRequest;
  readonly row: ServerRow;
  hosts: readonly HostState[];
}

/**
 * Builds a server: schedule (choose hosts, claim the first that still has room) → ports (and new volumes, as rows) → disks_and_network
 * (disks, volumes and taps on the host, side by side) → spawn.
 */
export function serverCreateSaga(deps: NovaDeps): SagaDefinition<CreateServerParams> {
  const { faces, env } = deps;
  const pending = new Pending();
  const found = new WeakMap<Step, Found>();

  const needHost = async (db: Db, serverId: string): Promise<string> => {
    const server = await findServerBrief(db, serverId);
    if (server?.host == null) throw notFound(`Instance ${serverId} could not be found.`);
    return server.host;
  };

  return defineSaga<CreateServerParams, unknown>({
    name: 'nova.server.create',
    steps: [
      {
        name: 'schedule',
        deadlineMs: 60_000,
        async do(step) {
          const row = await findServer(step.db, step.params.serverId);
          if (row === undefined) throw notFound(`Instance ${step.params.serverId} could not be found.`);
          const request = await hostRequest(deps, step.db, row, step.params);
          const hosts = await selectHosts(deps, step.db, request, pending);
          found.set(step, { request, row, hosts });
          pending.add(row.id, (hosts[0] as HostState).candidate.providerId, request.resources);
        },
        async commit(tx, step) {
          try {
            await claim(deps, tx, step, found.get(step) as Found, pending);
          } finally {
            tx.afterCommit(() => pending.drop(step.params.serverId));
          }
        },
        async undo(step) {
          pending.drop(step.params.serverId);
        },
        async undoCommit(tx, step) {
          await faces.placement.release(tx, step.params.serverId);
          await patchServer(tx, step.params.serverId, { host: null, node: null, availability_zone: step.params.zone, updated_at_ms: env.clock.nowMs() });
        },
      },
      {
        name: 'ports',
        async commit(tx, step) {
          const { serverId, ctx, ports } = step.params;
          const server = await findServer(tx, serverId);
          if (server === undefined) throw notFound(`Instance ${serverId} could not be found.`);
          const deviceOwner = `compute:${server.availability_zone ?? deps.options.defaultAvailabilityZone}`;
          const made = ports.filter((port) => !port.existing);
          if (made.length > 0) {
            await faces.neutron.createPorts(
              tx,
              ctx,
              made.map((plan) => ({
                plan,
                deviceId: serverId,
                deviceOwner,
                securityGroupIds: step.params.securityGroupIds ?? undefined,
                hostname: server.hostname,
              })),
            );
          }
          if (ports.length > 0) {
            await faces.neutron.bindPorts(
              tx,
              ports.map((port) => port.portId),
              { host: server.host as string, deviceId: serverId, deviceOwner },
            );
          }
          if (step.params.hasVolumes) await createVolumes(deps, tx, ctx, serverId, server.host as string);
          await patchServer(tx, serverId, { task_state: 'block_device_mapping', updated_at_ms: env.clock.nowMs() });
        },
        async undo(step) {
          const { serverId, ctx, ports } = step.params;
          const ids = (existing: boolean): string[] => ports.filter((port) => port.existing === existing).map((port) => port.portId);
          await env.store.write(async (tx) => {
            if (ids(false).length > 0) await faces.neutron.releasePorts(tx, ids(false), { delete: true });
            if (ids(true).length > 0) await faces.neutron.releasePorts(tx, ids(true), { delete: false });
            if (step.params.hasVolumes) await discardVolumes(deps, tx, ctx, serverId);
          });
          await clearPorts(
            deps,
            step,
            ports.map((port) => port.portId),
          );
        },
      },
      {
        name: 'disks_and_network',
        // an image may have to be fetched first
        deadlineMs: 1_800_000,
        async do(step) {
          const { serverId, ctx, ports, adminPass } = step.params;
          const host = await needHost(step.db, serverId);
          const [disks, volumes] = await Promise.all([
            localDisks(deps, step.db, serverId, adminPass).then(async (wanted) => {
              await makeDisks(deps, host, wanted, step.signal);
              return wanted;
            }),
            step.params.hasVolumes ? readyVolumes(deps, step.db, ctx, serverId, host, step.signal) : [],
            ports.length === 0
              ? undefined
              : faces.neutron.makeLive(
                  ports.map((port) => port.portId),
                  step.signal,
                ),
          ]);
          return { disks: disks.map((disk: LocalDisk) => disk.diskId), volumes };
        },
        async commit(tx, step, output) {
          const { volumes } = output as { readonly volumes: readonly { readonly id: string; readonly diskId: string; readonly sizeGb: number }[] };
          for (const volume of volumes) await patchBlockDevice(tx, volume.id, { disk_id: volume.diskId, volume_size_gb: volume.sizeGb });
          await patchServer(tx, step.params.serverId, { task_state: 'spawning', updated_at_ms: env.clock.nowMs() });
        },
        async undo(step) {
          const server = await findServerBrief(step.db, step.params.serverId);
          if (server?.host == null) return;
          const devices = await blockDevicesOf(step.db, step.params.serverId);
          await clearOnHost(deps, server.host, step, diskLeftovers(devices), (agent) => removeDisks(agent, devices));
        },
        async undoCommit(tx, step) {
          if (!step.params.hasVolumes) return;
          for (const device of await blockDevicesOf(tx, step.params.serverId)) {
            if (device.destination_type === 'volume') await patchBlockDevice(tx, device.id, { disk_id: null });
          }
        },
      },
      {
        name: 'spawn',
        deadlineMs: 300_000,
        async do(step) {
          const guest = await specOf(deps, step.db, step.params.serverId);
          if (guest?.row.host == null) throw notFound(`Instance ${step.params.serverId} could not be found.`);
          await deps.hosts.get(guest.row.host).guests.start(guest.spec);
        },
        async commit(tx, step) {
          const { serverId } = step.params;
          for (const device of step.params.hasVolumes ? await blockDevicesOf(tx, serverId) : []) {
            if (device.attachment_id !== null) await faces.cinder.complete(tx, device.attachment_id, device.device_name ?? '');
          }
          const nowMs = env.clock.nowMs();
          await actionDone(deps, tx, {
            serverId,
            requestId: step.params.ctx.requestId,
            event: 'create.end',
            patch: { vm_state: 'active', power_state: POWER.running, launched_at_ms: nowMs },
          });
        },
        async undo(step) {
          const server = await findServerBrief(step.db, step.params.serverId);
          if (server?.host == null) return;
          await clearOnHost(deps, server.host, step, [{ kind: 'guest', id: server.id }], (agent) => agent.guests.remove(server.id));
        },
      },
    ],
    async onFailed(tx, step, failure) {
      const { serverId, ctx } = step.params;
      // volumes that the request brought along are its owner's again
      for (const device of await blockDevicesOf(tx, serverId)) {
        if (device.attachment_id !== null && device.create_volume === 0) await faces.cinder.detach(tx, device.attachment_id);
      }
      await removeServerPortsOf(tx, serverId);
      if (failure.type === 'NoValidHost') step.log.warn({ serverId, reason: failure.message }, 'a server could not be placed');
      await actionFailed(deps, tx, {
        serverId,
        requestId: ctx.requestId,
        failure,
        event: 'create.error',
        patch: () => ({ vm_state: 'error', power_state: POWER.nostate, host: null, node: null, launched_on: null }),
      });
    },
  });
}

async function hostRequest(deps: NovaDeps, db: Db, row: ServerRow, params: CreateServerParams): Promise<HostRequest> {
  const flavor = flavorOf(row);
  const image = imageOf(row);
  const traits = traitsOf(flavor, image);
  const hints = JSON.parse(row.hints_json) as Readonly<Record<string, unknown>>;
  const [devices, groupId] = await Promise.all([
    blockDevicesOf(db, row.id),
    hints['group'] === undefined ? undefined : groupIdsOfServers(db, [row.id]).then((groups) => groups.get(row.id)),
  ]);
  const group = groupId === undefined ? undefined : await findServerGroup(db, groupId);
  return {
    serverId: row.id,
    projectId: row.project_id,
    resources: resourcesOf(flavor, devices),
    requiredTraits: traits.required,
    forbiddenTraits: traits.forbidden,
    zone: params.zone ?? undefined,
    host: params.forcedHost ?? undefined,
    node: params.forcedNode ?? undefined,
    sameHost: idsOfHint(hints['same_host']),
    differentHost: idsOfHint(hints['different_host']),
    group: group === undefined ? undefined : { id: group.id, policy: group.policy, maxPerHost: maxPerHost(group.rules_json) },
    image,
    volumeHosts: params.hasVolumes ? await volumeHosts(deps, db, params, devices) : [],
  };
}

/** Where the volumes and snapshots are that the server is to have: disks are not attached across hosts. */
async function volumeHosts(deps: NovaDeps, db: Db, params: CreateServerParams, devices: readonly BlockDeviceRow[]): Promise<readonly string[]> {
  const hosts = new Set<string>();
  for (const device of devices) {
    const volumeId = device.snapshot_id !== null ? (await deps.faces.cinder.snapshot(db, params.ctx, device.snapshot_id)).volumeId : device.volume_id;
    const host = volumeId === null ? null : (await deps.faces.cinder.volume(db, params.ctx, volumeId)).host;
    if (host !== null) hosts.add(host);
  }
  return [...hosts];
}

const maxPerHost = (rules: string): number => (JSON.parse(rules) as { readonly max_server_per_host?: number }).max_server_per_host ?? 1;

/** How often the commit looks for fresh candidates when others took all that the step had found. */
const ROUNDS = 3;

/** Claims the best host that still has room and still keeps the group's policy, and puts the server there. */
async function claim(deps: NovaDeps, tx: Tx, step: Step, found: Found, pending: Pending): Promise<void> {
  const { request, row } = found;
  if (request.group !== undefined) await touchGroup(tx, request.group.id);
  for (let round = 1; ; round += 1) {
    for (const host of found.hosts) {
      if (!(await groupAllows(tx, request, host))) continue;
      try {
        await deps.faces.placement.claim(tx, {
          consumerId: row.id,
          projectId: row.project_id,
          userId: row.user_id,
          consumerType: 'INSTANCE',
          allocations: { [host.candidate.providerId]: request.resources },
        });
      } catch (error) {
        if (isCairnError(error, 'NoCapacity')) continue;
        throw error;
      }
      await patchServer(tx, row.id, {
        host: host.host,
        node: host.node,
        launched_on: host.host,
        availability_zone: host.zone,
        task_state: 'networking',
        updated_at_ms: deps.env.clock.nowMs(),
      });
      return;
    }
    if (round === ROUNDS)
      throw noValidHost(undefined, [{ name: 'claims', before: found.hosts.length, after: 0, words: 'the rest were taken by other servers meanwhile' }]);
    found.hosts = await selectHosts(deps, tx, request, pending);
    step.log.debug({ serverId: row.id, round }, 'every candidate was taken; scheduling again');
  }
}

/** The group's policy once more, now that no other member can be placed before this transaction ends. */
async function groupAllows(tx: Tx, request: HostRequest, host: HostState): Promise<boolean> {
  const { group } = request;
  if (group === undefined || !['affinity', 'anti-affinity'].includes(group.policy)) return true;
  const members = (await groupMemberHosts(tx, group.id)).filter((member) => member.serverId !== request.serverId && member.host !== null);
  const here = members.filter((member) => member.host === host.host).length;
  return group.policy === 'affinity' ? members.length === 0 || here > 0 : here < group.maxPerHost;
}
