import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unavailable } from '@cairn/kit/errors/errors';
import { giveToGuest } from './account.ts';
import { cryptNodeName } from './blockdev.ts';
import type { Guest } from './guest.ts';
import { type Qmp, QmpError } from './qmp.ts';

/**
 * The secrets of encrypted disks on their way to QEMU, which needs each for as long as it opens the disk: in a file that only the guest's user may read while
 * QEMU starts, over its control socket afterwards. They are in no record, on no command line and in no log.
 */

export const secretId = (diskId: string): string => `key-${cryptNodeName(diskId)}`;

async function secretOf(guest: Guest, diskId: string, keyId: string): Promise<string> {
  const { diskKey } = guest.context.options;
  if (!diskKey) throw unavailable(`Disk ${diskId} is encrypted, and this host has nobody to ask for its key.`);
  return diskKey(keyId);
}

const fileOf = (guest: Guest, diskId: string): string => join(guest.files.secretsDir, cryptNodeName(diskId));

/** Writes the secrets of a guest that is to be started, and returns what names them on QEMU's command line. Its directory is root's and passable. */
export async function secretFiles(
  guest: Guest,
  uid: number | undefined,
  disks: readonly { readonly diskId: string; readonly keyId: string }[],
): Promise<readonly object[]> {
  if (disks.length === 0) return [];
  await mkdir(guest.files.secretsDir, { recursive: true, mode: 0o711 });
  return Promise.all(
    disks.map(async ({ diskId, keyId }) => {
      const file = fileOf(guest, diskId);
      await rm(file, { force: true });
      await writeFile(file, await secretOf(guest, diskId, keyId), { mode: 0o600, flag: 'wx' });
      await giveToGuest(guest.context.account, uid, file);
      return { 'qom-type': 'secret', id: secretId(diskId), file };
    }),
  );
}

export const dropSecretFiles = (guest: Guest): Promise<void> => rm(guest.files.secretsDir, { recursive: true, force: true });

/** Runs what opens a disk in a QEMU that has its secret meanwhile. */
export async function withSecret<T>(guest: Guest, qmp: Qmp, disk: { readonly diskId: string; readonly keyId: string }, work: () => Promise<T>): Promise<T> {
  const id = secretId(disk.diskId);
  const data = Buffer.from(await secretOf(guest, disk.diskId, disk.keyId)).toString('base64');
  // of an earlier try that was cut off
  await dropSecret(qmp, disk.diskId);
  await qmp.execute('object-add', { 'qom-type': 'secret', id, format: 'base64', data });
  try {
    return await work();
  } finally {
    await dropSecret(qmp, disk.diskId).catch(() => {});
  }
}

export async function dropSecret(qmp: Qmp, diskId: string): Promise<void> {
  await qmp.execute('object-del', { id: secretId(diskId) }).catch((error: unknown) => {
    if (!(error instanceof QmpError)) throw error;
  });
}
