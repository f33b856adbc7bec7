import type { Context } from '@cairn/kit/context/context';
import { notFound } from '@cairn/kit/errors/errors';
import { defineSaga, type SagaDefinition, type StepContext } from '@cairn/kit/saga/saga';
import type { Tx } from '@cairn/kit/store/store';
import type { NovaDeps } from '../app/deps.ts';
import { POWER } from '../app/server-states.ts';
import { specOf } from '../hosts/guest-parts.ts';
import { blockDevicesOf, patchBlockDevice } from '../store/block-device.ts';
import { findServerBrief, patchServer } from '../store/server.ts';
import type { DiscardParams } from './disks-discard.ts';
import { clearOnHost } from './on-host.ts';
import { actionDone, actionFailed } from './outcome.ts';
import { localDisks, makeDisks } from './server-disks.ts';

export interface RebuildParams {
  readonly serverId: string;
  readonly ctx: Context;
  /** Old and new disk of each mapping that gets a new one, by the mapping's id. */
  readonly disks: Readonly<Record<string, { readonly oldId: string; readonly newId: string }>>;
  /** The image before, for the way back. */
  readonly before: { readonly imageId: string; readonly imageJson: string; readonly rootImageId: string | null };
  /** The root volume gets this image's content (from 2.93); null: it stays as it is, or the root disk is no volume. */
  readonly reimage: { readonly deviceId: string; readonly volumeId: string; readonly imageId: string } | null;
  /** The guest ran before. */
  readonly ran: boolean;
  /** It is started when it is rebuilt; a stopped server stays stopped. */
  readonly starts: boolean;
  readonly adminPass: string | null;
}

type Step = StepContext<RebuildParams, unknown>;

/**
 * Rebuilds a server on its host: new disks are made beside the old ones → the guest goes → the rows name the new disks (and cinder writes
 * the image over a root volume) → the guest is started. A failure brings back disks, image and guest as they were, with the server in error.
 */
export function serverRebuildSaga(deps: NovaDeps, discard: SagaDefinition<DiscardParams>): SagaDefinition<RebuildParams> {
  const { env, faces } = deps;

  const hostOf = async (step: Step): Promise<string> => {
    const server = await findServerBrief(step.db, step.params.serverId);
    if (server?.host == null) throw notFound(`Instance ${step.params.serverId} could not be found.`);
    return server.host;
  };
  const start = async (step: Step): Promise<void> => {
    const guest = await specOf(deps, step.db, step.params.serverId);
    if (guest?.row.host == null) throw notFound(`Instance ${step.params.serverId} could not be found.`);
    if (guest.portIds.length > 0) await faces.neutron.makeLive(guest.portIds);
    await deps.hosts.get(guest.row.host).guests.start(guest.spec);
  };
  const remove = async (step: Step): Promise<void> => {
    await deps.hosts.get(await hostOf(step)).guests.remove(step.params.serverId);
  };
  const name = async (tx: Tx, { disks }: RebuildParams, which: 'oldId' | 'newId'): Promise<void> => {
    for (const [deviceId, ids] of Object.entries(disks)) await patchBlockDevice(tx, deviceId, { disk_id: ids[which] });
  };

  return defineSaga<RebuildParams, unknown>({
    name: 'nova.server.rebuild',
    steps: [
      {
        name: 'disks',
        // an image may have to be fetched first
        deadlineMs: 1_800_000,
        async do(step) {
          const { serverId, disks, adminPass } = step.params;
          const only = Object.fromEntries(Object.entries(disks).map(([deviceId, { newId }]) => [deviceId, newId]));
          await makeDisks(deps, await hostOf(step), await localDisks(deps, step.db, serverId, adminPass, { only, signal: step.signal }), step.signal);
        },
        async commit(tx, step) {
          await patchServer(tx, step.params.serverId, { task_state: 'rebuild_block_device_mapping', updated_at_ms: env.clock.nowMs() });
        },
        async undo(step) {
          const made = Object.values(step.params.disks).map(({ newId }) => newId);
          const server = await findServerBrief(step.db, step.params.serverId);
          if (server?.host == null) return;
          await clearOnHost(
            deps,
            server.host,
            step,
            made.map((id) => ({ kind: 'disk' as const, id })),
            async (agent) => {
              for (const id of made) await agent.disks.remove(id);
            },
          );
        },
      },
      {
        name: 'stop',
        deadlineMs: 120_000,
        do: remove,
        // by now the rows name the old disks again
        async undo(step) {
          if (step.params.ran) await start(step);
        },
      },
      {
        name: 'switch',
        async commit(tx, step) {
          const { reimage, ctx } = step.params;
          await name(tx, step.params, 'newId');
          if (reimage !== null) await faces.cinder.reimage(tx, ctx, { volumeId: reimage.volumeId, imageId: reimage.imageId });
        },
        undoCommit: (tx, step) => name(tx, step.params, 'oldId'),
      },
      {
        name: 'volume',
        deadlineMs: 1_800_000,
        async do(step) {
          const { reimage, serverId } = step.params;
          if (reimage === null) return null;
          await faces.cinder.untilReimaged(reimage.volumeId, step.signal);
          const device = (await blockDevicesOf(step.db, serverId)).find((row) => row.id === reimage.deviceId);
          if (device?.attachment_id == null) throw notFound(`Volume ${reimage.volumeId} could not be found.`);
          const { diskId } = await faces.cinder.connect(device.attachment_id, await hostOf(step));
          return diskId;
        },
        async commit(tx, step, output) {
          if (step.params.reimage !== null) await patchBlockDevice(tx, step.params.reimage.deviceId, { disk_id: output as string });
          await patchServer(tx, step.params.serverId, { task_state: 'rebuild_spawning', updated_at_ms: env.clock.nowMs() });
        },
      },
      {
        name: 'spawn',
        deadlineMs: 300_000,
        async do(step) {
          if (step.params.starts) await start(step);
        },
        undo: remove,
      },
    ],
    async onDone(tx, step) {
      const { serverId, ctx, disks, starts } = step.params;
      const server = await findServerBrief(tx, serverId);
      const diskIds = Object.values(disks).map(({ oldId }) => oldId);
      if (server?.host != null && diskIds.length > 0) {
        await env.sagas.start<DiscardParams>(
          tx,
          discard,
          { host: server.host, diskIds, portIds: [] },
          { subject: `server:${serverId}`, requestId: ctx.requestId },
        );
      }
      await actionDone(deps, tx, {
        serverId,
        requestId: ctx.requestId,
        event: 'rebuild.end',
        patch: {
          vm_state: starts ? 'active' : 'stopped',
          power_state: starts ? POWER.running : POWER.shutdown,
          ...(starts ? { launched_at_ms: env.clock.nowMs() } : {}),
          fault_json: null,
        },
      });
    },
    async onFailed(tx, step, failure) {
      const { serverId, ctx, before, ran } = step.params;
      const root = (await blockDevicesOf(tx, serverId)).find((device) => device.boot_index === 0);
      if (root !== undefined && root.destination_type === 'local') await patchBlockDevice(tx, root.id, { image_id: before.rootImageId });
      await patchServer(tx, serverId, { image_id: before.imageId, image_json: before.imageJson, updated_at_ms: env.clock.nowMs() });
      await actionFailed(deps, tx, {
        serverId,
        requestId: ctx.requestId,
        failure,
        event: 'rebuild.error',
        patch: () => ({ vm_state: 'error', power_state: ran ? POWER.running : POWER.shutdown }),
      });
    },
  });
}
