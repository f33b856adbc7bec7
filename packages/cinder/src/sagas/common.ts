import type { Disks } from '@cairn/host/interface/disks';
import { notFound } from '@cairn/kit/errors/errors';
import type { StepContext } from '@cairn/kit/saga/saga';
import type { Tx, Db } from '@cairn/kit/store/store';
import { complain, type Complaint } from '../app/messages.ts';
import type { CinderDeps } from '../app/deps.ts';
import type { Requester } from '../app/caller.ts';
import type { VolumeRow } from '../store/tables.ts';
import { isBeingCopied, volumeById } from '../store/volumes.ts';

/** Sagas of one subject run one after another. */
export const subjectOf = (volumeId: string): string => `volume:${volumeId}`;

export const GIB = 2 ** 30;

/** Work on a disk's data may take long; past this it is given up. */
export const DATA_DEADLINE_MS = 6 * 3600_000;
/** Work that changes how files are arranged, and copies nothing. */
export const DISK_DEADLINE_MS = 300_000;

/** The volume that a saga works on; it outlives its sagas, so its absence is a failure. */
export async function needVolume(db: Db, volumeId: string): Promise<VolumeRow> {
  const row = await volumeById(db, volumeId);
  if (!row) throw notFound(`Volume ${volumeId} could not be found.`);
  return row;
}

export const leaveMessage = (deps: CinderDeps, tx: Tx, who: Requester, complaint: Complaint): Promise<void> =>
  complain(deps.env, deps.options.messageTtlMs, tx, who, complaint);

/** Makes the disk of a volume that several servers may have fit for that; it is then a whole copy of what it was made of. */
export async function shareDisk(disks: Pick<Disks, 'share'>, { multiattach }: Pick<VolumeRow, 'multiattach'>, diskId: string): Promise<void> {
  if (multiattach === 1) await disks.share(diskId);
}

/** How often it is looked whether a copy is made. */
const COPIED_MS = 50;

/**
 * Waits while volumes are made from this one, or from this snapshot: what they were accepted to copy stays as it is until they have it. A copy
 * waits for nothing of its origin's, so this ends.
 */
export async function untilCopied(step: StepContext<unknown, unknown>, origin: { readonly volumeId: string } | { readonly snapshotId: string }): Promise<void> {
  while (await isBeingCopied(step.db, origin)) await step.clock.sleep(COPIED_MS, step.signal);
}
