import { createHash, randomBytes } from 'node:crypto';
import { invalidInput, notFound } from '@cairn/kit/errors/errors';
import { checkId } from '../disks/layout.ts';
import { LUKS_HEADER_BYTES } from '../interface/disks.ts';
import type { LogicalVolume, LvmCommand } from './lvm-command.ts';

/** A disk as its volume group knows it. */
export interface LvmDisk {
  /** Of its volume. */
  readonly name: string;
  readonly volume: LogicalVolume;
  /** As stored: with the header of an encrypted disk. Its volume may be larger, by part of an extent. */
  readonly wholeBytes: number;
  /** As a guest sees it. */
  readonly sizeBytes: number;
  readonly keyId: string | undefined;
  /** Oldest first. */
  readonly snapshots: readonly LvmSnapshot[];
}

export interface LvmSnapshot {
  readonly snapshotId: string;
  /** Counted from 1 on for each disk: which is newer. */
  readonly number: number;
  readonly wholeBytes: number;
  readonly volume: LogicalVolume;
}

export interface TagFacts {
  readonly host: string;
  readonly wholeBytes: number;
  readonly keyId?: string | undefined;
  readonly snapshot?: { readonly of: string; readonly snapshotId: string; readonly number: number };
}

const tag = (key: string, value: string | number): string => `cairn.${key}=${value}`;
export const sizeTag = (wholeBytes: number): string => tag('bytes', wholeBytes);
const hostTag = (host: string): string => tag('host', host);

/** What a volume is, as the group's own tags: they are written together with the volume. */
export const tagsFor = ({ host, wholeBytes, keyId, snapshot }: TagFacts): readonly string[] => [
  hostTag(host),
  sizeTag(wholeBytes),
  ...(keyId === undefined ? [] : [tag('key', checkId('keyId', keyId))]),
  ...(snapshot ? [tag('disk', snapshot.of), tag('snapshot', snapshot.snapshotId), tag('number', snapshot.number)] : []),
];

const PREFIX = 'volume-';
/** With its group's name and doubled dashes it is the name of a device, which the kernel gives 127 characters. */
const LONGEST_ID = 48;

/** The volume of a disk, by upstream's name. */
export const diskVolume = {
  name(id: string): string {
    if (id.length > LONGEST_ID) throw invalidInput(`The name of a disk on a volume group has at most ${LONGEST_ID} characters.`, { field: 'diskId' });
    return `${PREFIX}${id}`;
  },
  id: (name: string): string => name.slice(PREFIX.length),
};

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The volume of a snapshot: upstream's name for snapshots that cinder knows. (LVM keeps names that begin with `snapshot` for itself.) */
export const snapshotVolume = (diskId: string, snapshotId: string): string =>
  `_snapshot-${UUID.test(snapshotId) ? snapshotId : createHash('sha256').update(`${diskId}/${snapshotId}`).digest('hex').slice(0, 32)}`;

/** Names of what is on the way; a start removes what is left of it. */
export const leftover = {
  work: (): string => `work-${randomBytes(8).toString('hex')}`,
  isWork: (name: string): boolean => name.startsWith('work-'),
  /** What a disk goes back to, before it takes the disk's name; and what had the name until then. */
  back: (disk: string): string => `back-${disk}`,
  gone: (disk: string): string => `gone-${disk}`,
  diskOf: (name: string): string | undefined => /^(?:back|gone)-(.+)$/.exec(name)?.[1],
};

export const isLeftover = ({ name }: LogicalVolume): boolean => leftover.isWork(name) || leftover.diskOf(name) !== undefined;

/** What one host has in a volume group. Volumes without its tag are not looked at. */
export class LvmInventory {
  readonly #lvm: LvmCommand;
  readonly #tag: string;

  constructor(lvm: LvmCommand, host: string) {
    this.#lvm = lvm;
    this.#tag = hostTag(checkId('host', host));
  }

  async own(): Promise<readonly LogicalVolume[]> {
    return (await this.#lvm.volumes()).filter((volume) => volume.tags.includes(this.#tag));
  }

  async disks(): Promise<readonly LvmDisk[]> {
    return disksOf(await this.own());
  }

  async disk(name: string): Promise<LvmDisk | undefined> {
    const found = await this.#lvm.volumes(`lv_name=${name} || lv_tags={${tag('disk', name)}}`);
    return disksOf(found.filter((volume) => volume.tags.includes(this.#tag)))[0];
  }

  /** A volume of any kind that is known to be there. */
  async volume(name: string): Promise<LogicalVolume> {
    const [found] = await this.#lvm.volumes(`lv_name=${name}`);
    if (!found) throw notFound('A volume has gone from its volume group.', { detail: name });
    return found;
  }
}

function disksOf(volumes: readonly LogicalVolume[]): readonly LvmDisk[] {
  const byDisk = new Map<string, LvmSnapshot[]>();
  for (const volume of volumes) {
    const [disk, snapshotId] = [valueOf(volume, 'disk'), valueOf(volume, 'snapshot')];
    if (disk === undefined || snapshotId === undefined) continue;
    const snapshot = { snapshotId, number: Number(valueOf(volume, 'number')), wholeBytes: Number(valueOf(volume, 'bytes')), volume };
    byDisk.set(disk, [...(byDisk.get(disk) ?? []), snapshot]);
  }
  return volumes
    .filter(({ name }) => name.startsWith(PREFIX))
    .map((volume) => {
      const keyId = valueOf(volume, 'key');
      const wholeBytes = Number(valueOf(volume, 'bytes'));
      const sizeBytes = wholeBytes - (keyId === undefined ? 0 : LUKS_HEADER_BYTES);
      const snapshots = (byDisk.get(volume.name) ?? []).toSorted((a, b) => a.number - b.number);
      return { name: volume.name, volume, wholeBytes, sizeBytes, keyId, snapshots };
    });
}

function valueOf({ tags }: LogicalVolume, key: string): string | undefined {
  const start = tag(key, '');
  return tags.find((one) => one.startsWith(start))?.slice(start.length);
}
