import type { VolumeFacts } from '@cairn/cinder/face';
import { type CairnError, conflict, invalidInput, isCairnError, notFound } from '@cairn/kit/errors/errors';
import type { Db, Tx } from '@cairn/kit/store/store';
import type { NovaSagas } from '../sagas/index.ts';
import { blockDevicesOf, blockDevicesOfVolume } from '../store/block-device.ts';
import type { Caller } from './caller.ts';
import type { NovaDeps } from './deps.ts';
import { ACTION_RULES } from './server-states.ts';
import { beginAction, storedContext } from './servers.ts';

const invalidVolume = (reason: string): CairnError => invalidInput(`Invalid volume: ${reason}`);

/**
 * Gives a running server another volume in the place of one that it has, with the same content (nova.compute.api, swap_volume). Upstream leaves this to cinder's
 * migrations, whose records it would spoil otherwise; here the records of both services change in one transaction, so an admin may ask for it, too.
 */
export async function swapVolume(
  deps: NovaDeps,
  sagas: NovaSagas,
  caller: Caller,
  { serverId, oldId, newId }: { readonly serverId: string; readonly oldId: string; readonly newId: string },
): Promise<void> {
  const { env, faces } = deps;
  /** One that is not there is refused as its place in the request asks: by 404 in the path, by 400 in the body. */
  const volumeOf = (db: Db, id: string, missing: (message: string) => CairnError): Promise<VolumeFacts> =>
    faces.cinder.volume(db, caller.ctx, id).catch((error: unknown) => {
      if (isCairnError(error, 'NotFound')) throw missing(`Volume ${id} could not be found.`);
      throw error;
    });
  // upstream finds the volumes first, and looks at the server's state then
  await volumeOf(env.store.read, oldId, notFound);
  await volumeOf(env.store.read, newId, invalidInput);
  await beginAction(deps, caller, {
    serverId,
    policy: 'os_compute_api:os-volumes-attachments:swap',
    rule: ACTION_RULES.swapVolume,
    action: 'swap_volume',
    saga: sagas.volumeSwap,
    params: async (row, tx) => {
      const [before, after] = [await volumeOf(tx, oldId, notFound), await volumeOf(tx, newId, invalidInput)];
      checkVolumes(row.id, before, after);
      const device = (await blockDevicesOf(tx, row.id)).find(({ volume_id }) => volume_id === oldId);
      if (device?.attachment_id == null) throw notFound(`Instance ${row.id} is not attached to volume ${oldId}`);
      const attachmentId = env.ids.uuid();
      await asInvalidVolume(async () => {
        await faces.cinder.beginDetaching(tx, caller.ctx, oldId, row.id);
        await checkFree(tx, newId);
        await faces.cinder.reserve(tx, caller.ctx, { id: attachmentId, volumeId: newId, serverId: row.id });
      });
      return {
        serverId: row.id,
        deviceId: device.id,
        old: { volumeId: oldId, attachmentId: device.attachment_id },
        new: { volumeId: newId, attachmentId },
        ctx: storedContext(caller),
      };
    },
  });
}

function checkVolumes(serverId: string, before: VolumeFacts, after: VolumeFacts): void {
  if (isMoving(before) || isMoving(after))
    throw conflict(`Volume ${isMoving(before) ? before.id : after.id} is being migrated: swap it when its migration has ended.`);
  if (!before.attachments.some((one) => one.serverId === serverId)) throw invalidVolume('Old volume is attached to a different instance.');
  if (after.attachments.some((one) => one.status === 'attached')) throw invalidVolume('New volume must be detached in order to swap.');
  if (after.status !== 'available') throw invalidVolume(`volume '${after.id}' status must be 'available'. Currently in '${after.status}'`);
  if (after.sizeGb < before.sizeGb) throw invalidVolume('New volume must be the same size or larger.');
  // QEMU copies a disk that is in use to one of its size alone; a volume in use can grow before
  if (after.sizeGb > before.sizeGb)
    throw invalidVolume(`New volume must be the same size: it has ${after.sizeGb} GiB, and the old one ${before.sizeGb} GiB. Extend the old one before.`);
  if (before.attachments.filter((one) => one.mode === 'rw').length > 1)
    throw invalidInput('Swapping multi-attach volumes with more than one read/write attachment is not supported.');
  if (before.multiattach || after.multiattach) throw invalidVolume('Volumes that several servers may have at once (multiattach) cannot be swapped.');
}

const isMoving = ({ migrationStatus }: VolumeFacts): boolean => migrationStatus === 'starting' || migrationStatus === 'migrating';

/** Somebody may have set an attached volume's status to `available` by hand. */
async function checkFree(tx: Tx, volumeId: string): Promise<void> {
  const others = await blockDevicesOfVolume(tx, volumeId);
  if (others.length === 0) return;
  throw invalidInput(`volume ${volumeId} is already attached to instances: ${others.map((device) => device.server_id).join(' ')}`);
}

async function asInvalidVolume(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isCairnError(error, 'Conflict') && !isCairnError(error, 'InvalidInput')) throw error;
    throw invalidInput(`Invalid volume: ${error.message}`, { cause: error });
  }
}
