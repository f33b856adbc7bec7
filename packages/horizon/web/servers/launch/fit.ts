import type { Room } from '../../parts/quota-room.ts';
import type { Flavor } from '../flavors.ts';

type Size = Pick<Flavor, 'vcpus' | 'ram' | 'disk'>;

/** Why a flavor does not fit: the quota is too small, or the image needs more. */
export type Shortage =
  | { readonly of: 'instances' | 'cores' | 'ram'; readonly needs: number; readonly free: number }
  | { readonly of: 'minRam' | 'minDisk'; readonly needs: number };

interface Asked {
  readonly count: number;
  /** What the image needs at least, in MiB and GiB. */
  readonly image?: { readonly min_ram: number; readonly min_disk: number } | undefined;
  /** Its disk is a volume, so that the flavor's does not matter. */
  readonly fromVolume: boolean;
}

/** What keeps servers of a flavor from being made, by the project's quota and the image's needs. Empty when they fit. */
export function shortagesOf(flavor: Size, asked: Asked, quota: Readonly<Record<string, Room>>): readonly Shortage[] {
  const count = Number.isInteger(asked.count) && asked.count > 0 ? asked.count : 1;
  const over = (of: 'instances' | 'cores' | 'ram', each: number): readonly Shortage[] => {
    const room = quota[of];
    const needs = each * count;
    return room?.limit === undefined || room.used + needs <= room.limit ? [] : [{ of, needs, free: Math.max(0, room.limit - room.used) }];
  };
  const { min_ram = 0, min_disk = 0 } = asked.image ?? {};
  return [
    ...over('instances', 1),
    ...over('cores', flavor.vcpus),
    ...over('ram', flavor.ram),
    ...(min_ram > flavor.ram ? [{ of: 'minRam' as const, needs: min_ram }] : []),
    ...(!asked.fromVolume && flavor.disk > 0 && min_disk > flavor.disk ? [{ of: 'minDisk' as const, needs: min_disk }] : []),
  ];
}

/** What placement is asked for: the resources of one server. */
export const resourcesOf = (flavor: Size, fromVolume: boolean): string =>
  [`VCPU:${flavor.vcpus}`, `MEMORY_MB:${flavor.ram}`, ...(fromVolume || flavor.disk === 0 ? [] : [`DISK_GB:${flavor.disk}`])].join(',');
