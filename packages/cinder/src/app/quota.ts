import { checkQuota, type QuotaAsk, QuotaExceeded } from '@cairn/kit/quota/quota';
import type { Db, Tx } from '@cairn/kit/store/store';
import { overQuota } from '../errors.ts';
import { classLimits, projectLimits, type StoredLimit } from '../store/quotas.ts';
import type { UsageRow } from '../store/tables.ts';
import { changeUsage, type UsageChange, usageOf } from '../store/usage.ts';
import { backupUse } from '../store/backups.ts';
import { groupUse } from '../store/groups.ts';

/** Resources that are counted per type as well. */
export const PER_TYPE = ['volumes', 'gigabytes', 'snapshots'] as const;

/** The limits that hold for a project: its own, then those of the class `default`, then the configuration's. */
export class Limits {
  readonly #own: ReadonlyMap<string, number>;
  readonly #class: ReadonlyMap<string, number>;
  readonly #defaults: Readonly<Record<string, number>>;

  constructor(own: readonly StoredLimit[], ofClass: readonly StoredLimit[], defaults: Readonly<Record<string, number>>) {
    this.#own = new Map(own.map((limit) => [key(limit.resource, limit.typeId), limit.limit]));
    this.#class = new Map(ofClass.map((limit) => [key(limit.resource, limit.typeId), limit.limit]));
    this.#defaults = defaults;
  }

  /** The limit of a resource, of a type when one is given; -1 is unlimited. */
  of(resource: string, typeId = ''): number {
    const at = key(resource, typeId);
    return this.#own.get(at) ?? this.#class.get(at) ?? (typeId === '' ? (this.#defaults[resource] ?? -1) : -1);
  }
}

const key = (resource: string, typeId: string): string => `${resource} ${typeId}`;

export async function limitsOf(db: Db, projectId: string, defaults: Readonly<Record<string, number>>): Promise<Limits> {
  return new Limits(await projectLimits(db, projectId), await classLimits(db, 'default'), defaults);
}

/** What is used of a resource; of one type when one is given. */
export function used(rows: readonly UsageRow[], resource: string, typeId = ''): number {
  let sum = 0;
  for (const row of rows) {
    if (typeId !== '' && row.type_id !== typeId) continue;
    if (resource === 'volumes') sum += row.volumes;
    else if (resource === 'snapshots') sum += row.snapshots;
    else if (resource === 'gigabytes') sum += row.volume_gb + row.growing_gb + row.snapshot_gb;
  }
  return sum;
}

/** What is asked for, in a project and of a type. */
export interface QuotaClaim {
  readonly projectId: string;
  readonly type: { readonly id: string; readonly name: string };
  readonly change: UsageChange;
  /** The word for what did not fit. */
  readonly resource: 'volumes' | 'snapshots';
  /** The size of one volume, where that is limited, too. */
  readonly volumeGb?: number;
}

/** Takes from the project's quota, or throws upstream's 413. */
export async function claimQuota(tx: Tx, defaults: Readonly<Record<string, number>>, claim: QuotaClaim): Promise<void> {
  const { projectId, type, change, resource, volumeGb } = claim;
  const [limits, rows] = [await limitsOf(tx, projectId, defaults), await usageOf(tx, projectId)];
  if (volumeGb !== undefined) {
    const most = limits.of('per_volume_gigabytes');
    if (most >= 0 && volumeGb > most)
      throw overQuota('VolumeSizeExceedsLimit', `Requested volume size ${volumeGb}G is larger than maximum allowed limit ${most}G.`);
  }
  const asked = {
    gigabytes: (change.volume_gb ?? 0) + (change.growing_gb ?? 0) + (change.snapshot_gb ?? 0),
    snapshots: change.snapshots ?? 0,
    volumes: change.volumes ?? 0,
  };
  // in upstream's order: the first that does not fit is told
  const asks = (['gigabytes', 'snapshots', 'volumes'] as const).flatMap((name) =>
    ['', type.id].map((typeId) => ({
      resource: typeId === '' ? name : `${name}_${type.name}`,
      used: used(rows, name, typeId),
      asked: asked[name],
      limit: limits.of(name, typeId),
    })),
  );
  refuseExcess(asks, resource);
  await changeUsage(tx, projectId, type.id, change);
}

/** Refuses what a type's own limits have no room for; takes nothing. */
export async function checkTypeQuota(
  tx: Tx,
  defaults: Readonly<Record<string, number>>,
  projectId: string,
  type: { readonly id: string; readonly name: string },
  asked: Readonly<Record<(typeof PER_TYPE)[number], number>>,
): Promise<void> {
  const [limits, rows] = [await limitsOf(tx, projectId, defaults), await usageOf(tx, projectId)];
  refuseExcess(
    PER_TYPE.map((name) => ({ resource: `${name}_${type.name}`, used: used(rows, name, type.id), asked: asked[name], limit: limits.of(name, type.id) })),
    'volumes',
  );
}

function refuseExcess(asks: readonly QuotaAsk[], resource: 'volumes' | 'snapshots'): void {
  try {
    checkQuota(asks);
  } catch (error) {
    if (!(error instanceof QuotaExceeded)) throw error;
    if (error.resource.startsWith('gigabytes')) {
      throw overQuota(
        'VolumeSizeExceedsAvailableQuota',
        `Requested volume or snapshot exceeds allowed ${error.resource} quota. Requested ${error.asked}G, quota is ${error.limit}G and ${error.used}G has been consumed.`,
      );
    }
    if (resource === 'snapshots') throw overQuota('SnapshotLimitExceeded', `Maximum number of snapshots allowed (${error.limit}) exceeded`);
    throw overQuota('VolumeLimitExceeded', `Maximum number of volumes allowed (${error.limit}) exceeded for quota '${error.resource}'.`);
  }
}

/** Refuses a backup that the project's quota has no room for. The use is counted from the rows, so there is nothing to give back. */
export async function claimBackupQuota(tx: Tx, defaults: Readonly<Record<string, number>>, projectId: string, sizeGb: number): Promise<void> {
  const [limits, use] = [await limitsOf(tx, projectId, defaults), await backupUse(tx, projectId)];
  const [most, mostGb] = [limits.of('backups'), limits.of('backup_gigabytes')];
  if (mostGb >= 0 && use.gb + sizeGb > mostGb) {
    throw overQuota(
      'VolumeBackupSizeExceedsAvailableQuota',
      `Requested backup exceeds allowed Backup gigabytes quota. Requested ${sizeGb}G, quota is ${mostGb}G and ${use.gb}G has been consumed.`,
    );
  }
  if (most >= 0 && use.backups + 1 > most) throw overQuota('BackupLimitExceeded', `Maximum number of backups allowed (${most}) exceeded`);
}

/** The same for a group. */
export async function claimGroupQuota(tx: Tx, defaults: Readonly<Record<string, number>>, projectId: string): Promise<void> {
  const [limits, use] = [await limitsOf(tx, projectId, defaults), await groupUse(tx, projectId)];
  const most = limits.of('groups');
  if (most >= 0 && use + 1 > most) throw overQuota('GroupLimitExceeded', `Maximum number of groups allowed (${most}) exceeded`);
}

/** What a project has of the resources that no type has a part in. */
export async function otherUse(db: Db, projectId: string): Promise<Readonly<Record<string, number>>> {
  const { backups, gb } = await backupUse(db, projectId);
  return { backups, backup_gigabytes: gb, groups: await groupUse(db, projectId) };
}
