import type { Db } from '@cairn/kit/store/store';
import { fromJson } from '@cairn/kit/store/values';
import { isSet, NOT_SPECIFIED, type NotSpecified } from '../attributes/attribute.ts';
import type { Values } from '../attributes/resource.ts';
import { addressScopeAffinity, addressScopeConflict, addressScopeNotFound, illegalPoolBounds, invalidInput, poolError } from '../errors.ts';
import { compactCidrs, type Cidr, mustCidr, networkText, overlaps } from '../net/cidr.ts';
import { selectOne } from '../store/select.ts';
import { addressScopeLists, cidrsOfPool, findDefaultPool, poolsOfScope } from '../store/subnetpools.ts';
import { fullSubnetsOfNetworks } from '../store/subnets.ts';
import type { AddressScopeRow, SubnetPoolRow } from '../store/tables.ts';
import type { Scope } from '../store/select.ts';

/** The greatest prefix that pools give out where they say nothing (ipam/subnet_alloc.py). */
const DEFAULT_MIN_LENGTH = { 4: 8, 6: 64 } as const;
const MAX_LENGTH = { 4: 32, 6: 128 } as const;

/** What of a pool hangs together. */
export interface PoolShape {
  readonly prefixes: readonly Cidr[];
  readonly version: 4 | 6;
  readonly min: number;
  readonly max: number;
  readonly byDefault: number;
}

/** Reads the prefixes and their bounds, with defaults for what is not given; throws what upstream's SubnetPoolReader does. */
export function shapeOf(prefixTexts: readonly string[], values: Values): PoolShape {
  const given = prefixTexts.map(mustCidr);
  const [first] = given;
  if (!first) throw poolError('EmptySubnetPoolPrefixList', 'Empty subnet pool prefix list.');
  if (given.some((prefix) => prefix.version !== first.version)) throw poolError('PrefixVersionMismatch', 'Cannot mix IPv4 and IPv6 prefixes in a subnet pool.');
  const min = lengthOf(values.min_prefixlen, DEFAULT_MIN_LENGTH[first.version]);
  const max = lengthOf(values.max_prefixlen, MAX_LENGTH[first.version]);
  const byDefault = lengthOf(values.default_prefixlen, min);
  if (min > max) throw illegalPoolBounds('min_prefixlen', min, 'max_prefixlen', max);
  if (max > MAX_LENGTH[first.version]) throw illegalPoolBounds('max_prefixlen', max, 'ip_version_max', MAX_LENGTH[first.version]);
  if (byDefault < min) throw illegalPoolBounds('default_prefixlen', byDefault, 'min_prefixlen', min);
  if (byDefault > max) throw illegalPoolBounds('default_prefixlen', byDefault, 'max_prefixlen', max);
  return { prefixes: compactCidrs(given), version: first.version, min, max, byDefault };
}

// upstream reads 0 as "not given"
const lengthOf = (value: unknown, otherwise: number): number => (isSet(value) && value !== 0 ? Number(value) : otherwise);

export const quotaOf = (value: unknown): number | null => (value === NOT_SPECIFIED || value === null || value === undefined ? null : Number(value));

export async function requireNoDefault(db: Db, version: number): Promise<void> {
  if (await findDefaultPool(db, version)) {
    throw invalidInput('A default subnetpool for this IP family has already been set. Only one default may exist per IP family');
  }
}

/** A pool may join a scope of its IP version that it may use, when nobody there has its prefixes and no network would be torn apart. */
export async function checkScope(
  db: Db,
  scope: Scope,
  scopeId: string | null | NotSpecified,
  poolId: string,
  shape: Pick<PoolShape, 'prefixes' | 'version'>,
): Promise<void> {
  if (!isSet(scopeId)) return;
  const row = await selectOne<AddressScopeRow>(db, addressScopeLists, scopeId, scope);
  if (!row) throw addressScopeNotFound(scopeId);
  if (row.ip_version !== shape.version) {
    throw poolError(
      'IllegalSubnetPoolIpVersionAssociationToAddressScope',
      `Illegal subnetpool association: subnetpool ${poolId} cannot associate with address scope ${scopeId} because subnetpool ip_version is not ${row.ip_version}.`,
    );
  }
  const used = await cidrsOfPool(db, poolId);
  const ids = new Set(used.map((subnet) => subnet.id));
  const beside = await fullSubnetsOfNetworks(db, [...new Set(used.map((subnet) => subnet.network_id))]);
  if (beside.some((subnet) => subnet.ip_version === shape.version && !ids.has(subnet.id))) throw addressScopeAffinity();
  for (const other of await poolsOfScope(db, scopeId)) {
    if (other.id !== poolId && prefixesOf(other).some((prefix) => shape.prefixes.some((own) => overlaps(prefix, own)))) throw addressScopeConflict();
  }
}

export const prefixesOf = (row: Pick<SubnetPoolRow, 'prefixes_json'>): Cidr[] => fromJson<string[]>(row.prefixes_json).map(mustCidr);
export const prefixesJson = (prefixes: readonly Cidr[]): string => JSON.stringify(prefixes.map(networkText));
