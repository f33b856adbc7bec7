import type { DiskLocation } from '@cairn/host/interface/disks';
import { isCairnError, unavailable } from '@cairn/kit/errors/errors';
import { attachmentById } from '../store/attachments.ts';
import type { AttachmentRow, VolumeRow } from '../store/tables.ts';
import { shareDisk } from '../sagas/common.ts';
import { boundHost, disksAt } from './backend.ts';
import type { CinderDeps } from './deps.ts';

/**
 * Volumes that a host keeps and a guest of another uses: the host that keeps one serves it (Disks.serve), each attachment and each host that it is
 * used on by a way of its own.
 */
const exportIdOf = (attachmentId: string, host: string): string => `${attachmentId}.${host}`;
/** The attachment that a way to a disk was made for. */
export const attachmentOfExport = (exportId: string): string => exportId.slice(0, exportId.indexOf('.'));

/** The way from a host to a volume's disk; undefined where the host has or reaches it by itself. `waits`: it is another's until `handOver`. */
export async function locationFrom(
  deps: CinderDeps,
  volume: VolumeRow,
  attachment: AttachmentRow,
  { host, waits }: { readonly host: string; readonly waits: boolean },
): Promise<DiskLocation | undefined> {
  const bound = boundHost(deps, volume.host);
  if (bound === null || bound === host) return undefined;
  const shared = volume.multiattach === 1;
  try {
    return await deps.hosts.get(bound).disks.serve(volume.disk_id, {
      exportId: exportIdOf(attachment.id, host),
      ...(shared ? { shared } : { waits }),
    });
  } catch (error) {
    throw away(deps, volume, error);
  }
}

/** The host that keeps a volume does not answer. */
function away(deps: CinderDeps, volume: VolumeRow, error: unknown): unknown {
  if (!isCairnError(error, 'Unavailable')) return error;
  return unavailable(
    `Volume ${volume.id} is kept on host ${boundHost(deps, volume.host) ?? volume.host}, which does not serve it at the moment: ${error.message}`,
    {
      type: 'VolumeHostAway',
      cause: error,
    },
  );
}

/** Several servers may have the volume, whatever it was when its disk was made. */
export async function letSeveralHave(deps: CinderDeps, volume: VolumeRow): Promise<void> {
  if (volume.multiattach === 0) return;
  try {
    await shareDisk(await disksAt(deps, deps.env.store.read, volume.host, volume.id), volume, volume.disk_id);
  } catch (error) {
    throw away(deps, volume, error);
  }
}

/** Makes a volume's disk the one host's, of a guest that goes from host to host: nothing reads or writes it on the other from then on. */
export async function handOver(deps: CinderDeps, volume: VolumeRow, attachment: AttachmentRow, host: string): Promise<void> {
  const bound = boundHost(deps, volume.host);
  if (bound === null || volume.multiattach === 1) return;
  const { disks } = deps.hosts.get(bound);
  if (bound !== host) {
    await disks.serve(volume.disk_id, { exportId: exportIdOf(attachment.id, host) });
    return;
  }
  const [exportId] = (await disks.served()).find(({ diskId }) => diskId === volume.disk_id)?.exportIds ?? [];
  if (exportId !== undefined) await disks.serve(volume.disk_id, { exportId, waits: true });
}

/** A host has no way to a volume's disk any more. Where the host that keeps it is away, it is brought in line when it is back. */
export async function closeWay(deps: CinderDeps, volume: VolumeRow, attachment: AttachmentRow, host: string): Promise<void> {
  const bound = boundHost(deps, volume.host);
  if (bound === null || bound === host || !deps.hosts.names().includes(bound)) return;
  await deps.hosts.get(bound).disks.unserve(volume.disk_id, exportIdOf(attachment.id, host));
}

/** A host is there (again): ways to its disks whose attachments have ended meanwhile are closed. */
export async function closeStaleWays(deps: CinderDeps, host: string): Promise<void> {
  const { disks } = deps.hosts.get(host);
  for (const { diskId, exportIds } of await disks.served())
    for (const exportId of exportIds) if (!(await attachmentById(deps.env.store.read, attachmentOfExport(exportId)))) await disks.unserve(diskId, exportId);
}
