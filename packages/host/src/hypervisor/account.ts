import type { Stats } from 'node:fs';
import { chmod, chown, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { unavailable } from '@cairn/kit/errors/errors';
import type { ProcessUser } from '../process/command.ts';

/**
 * Whom guests run as. Every guest has a user id of its own, so a guest that broke out of QEMU can touch neither another guest's
 * disks nor its sockets; all share one group, which may read base images and open taps. The ids belong to no account of the
 * machine: systemd's table of ids has 1879048192 (0x70000000) and up as unused.
 */
export interface GuestAccount {
  readonly gid: number;
  /** The first of `uids` user ids; guests get the others. With `uids: 1` all share one. */
  readonly firstUid: number;
  readonly uids: number;
  /** Supplementary groups: kvm's, where /dev/kvm asks for it. */
  readonly groups: readonly number[];
}

export const GUEST_GID = 0x7000_0000;
const FIRST_UID = GUEST_GID + 1;
const UIDS = 65_000;
/** The traditional id of `nobody`, for places (user namespaces of containers) where only the first 65536 ids exist. */
const NOBODY = 65_534;

/**
 * How Fabric makes the taps of guests: `ip tuntap add T mode tap vnet_hdr group GID` (no `user`: the kernel asks for every one that is
 * set). Undefined where Cairn itself has no right to change users; the tap then belongs to whoever runs Cairn.
 */
export const tapGroup = (account: GuestAccount | undefined): number | undefined => account?.gid;

/** The account guests get here; undefined when Cairn is not root, so that guests run as Cairn's own user. */
export async function detectAccount(): Promise<GuestAccount | undefined> {
  if (process.geteuid?.() !== 0) return undefined;
  const [uids, gids] = await Promise.all(['uid_map', 'gid_map'].map((file) => readFile(`/proc/self/${file}`, 'utf8').catch(() => '')));
  const groups = await kvmGroups();
  if (mapped(uids ?? '', FIRST_UID, UIDS) && mapped(gids ?? '', GUEST_GID, 1)) return { gid: GUEST_GID, firstUid: FIRST_UID, uids: UIDS, groups };
  if (mapped(uids ?? '', NOBODY, 1) && mapped(gids ?? '', NOBODY, 1)) return { gid: NOBODY, firstUid: NOBODY, uids: 1, groups };
  return undefined;
}

/** The part of an account that is one host's, of several on a machine: no two guests share a user id. */
export function shareOf(account: GuestAccount, { index, count }: { readonly index: number; readonly count: number }): GuestAccount {
  const uids = Math.floor(account.uids / count);
  return uids < 2 ? account : { ...account, firstUid: account.firstUid + (index - 1) * uids, uids };
}

/** True when the ids from `first` on exist inside of the user namespace whose map this is. */
export function mapped(map: string, first: number, count: number): boolean {
  return map.split('\n').some((line) => {
    const [inside, , length] = line.trim().split(/\s+/).map(Number);
    return inside !== undefined && length !== undefined && inside <= first && first + count <= inside + length;
  });
}

/** /dev/kvm's group, where its members may open it and it is not root's. */
async function kvmGroups(): Promise<readonly number[]> {
  const kvm = await stat('/dev/kvm').catch(() => undefined);
  return kvm && (kvm.mode & 0o060) === 0o060 && kvm.gid !== 0 ? [kvm.gid] : [];
}

export const processUser = (account: GuestAccount, uid: number): ProcessUser => ({ uid, gid: account.gid, groups: account.groups });

/** Makes `path` the guest's own: only it may read and write. Without an account nothing is to be done. */
export async function giveToGuest(account: GuestAccount | undefined, uid: number | undefined, path: string): Promise<void> {
  if (!account || uid === undefined) return;
  await chown(path, uid, account.gid);
  await chmod(path, 0o600);
}

/** Lets every guest read `path` and write none of it: base images, kernels, lower layers. `write` is for disks that several guests share. */
export async function shareWithGuests(account: GuestAccount | undefined, path: string, options: { readonly write?: boolean } = {}): Promise<void> {
  if (!account) return;
  const now = await stat(path);
  const group = now.gid === account.gid ? now.mode & 0o060 : 0;
  const right = options.write ? group === 0o060 : group === 0o040 || (group === 0 && (now.mode & 0o006) === 0o004);
  if (now.uid === 0 && right) return;
  await chown(path, 0, account.gid);
  await chmod(path, options.write ? 0o660 : 0o640);
}

/**
 * Takes back what `giveToGuest` gave to this guest, or what guests shared for writing: it is root's alone then. A file that is anything
 * else (a base image that others read) is left as it is, and one that is gone is fine.
 */
export async function takeBack(account: GuestAccount | undefined, uid: number | undefined, path: string): Promise<void> {
  if (!account) return;
  try {
    const now = await stat(path);
    if (now.uid !== uid && !(now.gid === account.gid && now.mode & 0o020)) return;
    await chown(path, 0, 0);
    await chmod(path, 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

const reachable = new Set<string>();

/** Says clearly when guests' users cannot get to `path` because a directory above it is closed; QEMU itself would say only "Permission denied". */
export async function checkReachable(account: GuestAccount | undefined, path: string): Promise<void> {
  if (!account) return;
  const passed: string[] = [];
  for (let dir = dirname(path); !reachable.has(dir); dir = dirname(dir)) {
    const about = await statIfThere(dir);
    if (about && !(about.mode & 0o001) && !(about.gid === account.gid && about.mode & 0o010)) {
      throw unavailable(
        `Guests cannot reach ${path}: the directory ${dir} is closed to other users. Allow passing through it (chmod o+x ${dir}) or choose another directory.`,
      );
    }
    // what is not there yet is made by Cairn, and open
    if (about) passed.push(dir);
    if (dir === '/') break;
  }
  // only now: a directory is reachable when all above it are
  for (const dir of passed) reachable.add(dir);
}

async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
