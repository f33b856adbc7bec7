import type { Context } from '@cairn/kit/context/context';
import type { Tx } from '@cairn/kit/store/store';
import { fromJson } from '@cairn/kit/store/values';
import { isSet, type NotSpecified } from '../attributes/attribute.ts';
import type { Values } from '../attributes/resource.ts';
import {
  addressScopeAffinity,
  badRequest,
  poolError,
  subnetAllocationFailed,
  subnetPoolAffinity,
  subnetPoolNotFound,
  subnetPoolQuotaExceeded,
} from '../errors.ts';
import { DELEGATION_POOL } from '../net/delegated.ts';
import { type Cidr, cidrOf, covers, mustCidr, rangeToCidrs, subtractRanges } from '../net/cidr.ts';
import { mustIp } from '../net/ip.ts';
import { selectOne } from '../store/select.ts';
import { cidrsOfPool, findDefaultPool, scopesOfPools, subnetPoolLists } from '../store/subnetpools.ts';
import type { SubnetPoolRow, SubnetRow } from '../store/tables.ts';
import { scopeOf } from './common.ts';

/** The pool that a subnet is allocated from. */
export interface PoolChoice {
  readonly pool: SubnetPoolRow;
}

/** Where a new subnet gets its addresses from; undefined: it has said which it wants. */
export async function chosenPool(
  tx: Tx,
  ctx: Context,
  values: Values,
  cidr: Cidr | undefined,
  delegatesByDefault: boolean,
): Promise<PoolChoice | typeof DELEGATION_POOL | undefined> {
  const poolId = isSet(values.subnetpool_id) ? String(values.subnetpool_id) : undefined;
  if (values.use_default_subnetpool === true && poolId !== undefined) {
    throw badRequest('subnets', 'subnetpool_id and use_default_subnetpool cannot both be specified');
  }
  if (poolId === undefined && values.use_default_subnetpool !== true) {
    if (!cidr) throw badRequest('subnets', 'a subnetpool must be specified in the absence of a cidr');
    return undefined;
  }
  const version = cidr?.version ?? (values.ip_version as number);
  if (poolId === DELEGATION_POOL || (poolId === undefined && version === 6 && delegatesByDefault)) {
    // a prefix of one's own choice is an ordinary subnet, as upstream has it
    if (cidr) return undefined;
    if (isSet(values.allocation_pools)) throw badRequest('subnets', 'allocation_pools allowed only for specific subnet requests.');
    requireDelegable(values);
    return DELEGATION_POOL;
  }
  const pool = poolId === undefined ? await findDefaultPool(tx, version) : await selectOne<SubnetPoolRow>(tx, subnetPoolLists, poolId, scopeOf(ctx));
  if (!pool) throw poolId === undefined ? badRequest('subnets', `No default subnetpool found for IPv${version}`) : subnetPoolNotFound(poolId);
  if (!cidr && isSet(values.allocation_pools)) throw badRequest('subnets', 'allocation_pools allowed only for specific subnet requests.');
  if (pool.ip_version !== values.ip_version)
    throw badRequest('subnets', `Cannot allocate IPv${values.ip_version} subnet from IPv${pool.ip_version} subnet pool`);
  return { pool };
}

/** db_base_plugin_v2._validate_subnet_for_pd. */
function requireDelegable(values: Values): void {
  if (values.ip_version !== 6) throw badRequest('subnets', 'Prefix Delegation can only be used with IPv6 subnets.');
  for (const [name, mode] of [
    ['RA', values.ipv6_ra_mode],
    ['Address', values.ipv6_address_mode],
  ]) {
    if (mode !== 'slaac' && mode !== 'dhcpv6-stateless') throw badRequest('subnets', `IPv6 ${name} Mode must be SLAAC or Stateless for Prefix Delegation.`);
  }
}

export interface PoolRequest {
  readonly given: Cidr | undefined;
  readonly prefixLength: number | NotSpecified;
  readonly projectId: string;
  readonly gateway: string | null | NotSpecified;
}

/** Finds room in a pool for a subnet (ipam/subnet_alloc.py): the given one, or the first that fits into the smallest free prefixes. */
export async function allocateFromPool(tx: Tx, choice: PoolChoice, request: PoolRequest): Promise<Cidr> {
  const { pool } = choice;
  const wanted = isSet(request.prefixLength) ? request.prefixLength : pool.default_prefixlen;
  const given = request.given ?? (isSet(request.gateway) ? cidrOf(mustIp(request.gateway), wanted) : undefined);
  const prefixLength = given?.prefixLength ?? wanted;
  if (prefixLength > pool.max_prefixlen) {
    throw poolError(
      'MaxPrefixSubnetAllocationError',
      `Unable to allocate subnet with prefix length ${prefixLength}, maximum allowed prefix is ${pool.max_prefixlen}.`,
    );
  }
  if (prefixLength < pool.min_prefixlen) {
    throw poolError(
      'MinPrefixSubnetAllocationError',
      `Unable to allocate subnet with prefix length ${prefixLength}, minimum allowed prefix is ${pool.min_prefixlen}.`,
    );
  }
  const used = await cidrsOfPool(tx, pool.id);
  checkPoolQuota(pool, used, request.projectId, prefixLength);
  const free = subtractRanges(
    fromJson<string[]>(pool.prefixes_json).map(mustCidr),
    used.map((subnet) => mustCidr(subnet.cidr)),
  ).flatMap(rangeToCidrs);
  if (given) {
    if (free.some((prefix) => covers(prefix, given))) return given;
    throw subnetAllocationFailed('Cannot allocate requested subnet from the available set of prefixes');
  }
  const home = free.sort((a, b) => b.prefixLength - a.prefixLength).find((prefix) => prefix.prefixLength <= prefixLength);
  if (!home) throw subnetAllocationFailed(`Insufficient prefix space to allocate subnet size /${prefixLength}`);
  return cidrOf({ version: home.version, value: home.first }, prefixLength);
}

/** A pool's quota counts addresses (of IPv6: networks of 64 bits). */
function checkPoolQuota(pool: SubnetPoolRow, used: readonly { cidr: string; project_id: string }[], projectId: string, prefixLength: number): void {
  if (!pool.default_quota) return;
  const unit = pool.ip_version === 4 ? 32 : 64;
  const sizeOf = (length: number): number => 2 ** (unit - length);
  const own = used.filter((subnet) => subnet.project_id === projectId).reduce((sum, subnet) => sum + sizeOf(mustCidr(subnet.cidr).prefixLength), 0);
  if (own + sizeOf(prefixLength) > pool.default_quota) throw subnetPoolQuotaExceeded();
}

/** Subnets of one version on one network come from one pool, or from pools of one address scope. */
export async function checkPoolAffinity(
  tx: Tx,
  others: readonly SubnetRow[],
  version: number,
  choice: PoolChoice | typeof DELEGATION_POOL | undefined,
): Promise<void> {
  const same = others.filter((other) => other.ip_version === version);
  if (same.length === 0) return;
  const scopes = await scopesOfPools(tx, [...new Set(same.flatMap((other) => (other.subnetpool_id === null ? [] : [other.subnetpool_id])))]);
  const networkScope = [...scopes.values()][0];
  if (networkScope !== undefined) {
    if (choice === DELEGATION_POOL || (choice && choice.pool.address_scope_id !== networkScope)) {
      throw addressScopeAffinity();
    }
    if (choice) return;
  }
  const poolId = choice === DELEGATION_POOL ? choice : (choice?.pool.id ?? null);
  for (const other of same) if (other.subnetpool_id !== poolId) throw subnetPoolAffinity();
}
