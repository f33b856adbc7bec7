import type { Context } from '@cairn/kit/context/context';
import type { Env } from '@cairn/kit/env';
import { isUniqueViolation } from '@cairn/kit/store/errors';
import type { Tx } from '@cairn/kit/store/store';
import type { CairnError } from '@cairn/kit/errors/errors';
import type { ChangeKey, Changes } from '../cache/changes.ts';
import type { KeystoneOptions } from '../options.ts';
import { changeRecord } from './audit.ts';

/** What every part of keystone is built with. */
export interface Core {
  readonly env: Env;
  readonly options: KeystoneOptions;
  readonly changes: Changes;
}

/** Who makes a change, for the events that tell of it. */
export interface Initiator {
  readonly requestId: string;
  readonly userId?: string | undefined;
  readonly userName?: string | undefined;
  readonly projectId?: string | undefined;
  readonly domainId?: string | undefined;
  /** Where from, and with what program. */
  readonly remoteAddress?: string | undefined;
  readonly userAgent?: string | undefined;
}

export const initiatorOf = (ctx: Context): Initiator => ({
  requestId: ctx.requestId,
  userId: ctx.userId,
  userName: ctx.userName,
  projectId: ctx.projectId,
  domainId: ctx.domainId,
});

export type Resource =
  | 'project'
  | 'project tag'
  | 'domain'
  | 'user'
  | 'group'
  | 'role'
  | 'role_assignment'
  | 'region'
  | 'service'
  | 'endpoint'
  | 'policy'
  | 'credential'
  | 'application_credential'
  | 'access_rule'
  | 'OS-TRUST:trust'
  | 'OS-OAUTH1:consumer'
  | 'OS-OAUTH1:request_token'
  | 'OS-OAUTH1:access_token';

/** Writes upstream's notification `identity.<resource>.<operation>` in the transaction of the change: the basic one's fields within the CADF record. */
export async function notify(
  core: Core,
  tx: Tx,
  who: Initiator,
  operation: 'created' | 'updated' | 'deleted',
  resource: Resource,
  id: string,
  more: object = {},
): Promise<void> {
  await core.env.events.emit(tx, {
    type: `identity.${resource}.${operation}`,
    requestId: who.requestId,
    userId: who.userId,
    projectId: who.projectId,
    resource,
    resourceId: id,
    payload: { ...(await changeRecord(core, who, operation, resource, id)), resource_info: id, ...more },
  });
}

/** Marks the facts that a transaction changes. */
export const touch = (core: Core, tx: Tx, keys: readonly ChangeKey[]): Promise<void> => core.changes.touch(tx, keys, core.env.clock.nowMs());

/** A write whose violation of a unique key means `conflict`. */
export async function writeUnique<T>(core: Core, conflict: () => CairnError, work: (tx: Tx) => Promise<T>): Promise<T> {
  try {
    return await core.env.store.write(work);
  } catch (error) {
    if (isUniqueViolation(error)) throw conflict();
    throw error;
  }
}

export type Extra = Readonly<Record<string, unknown>>;
/** Resource options as the API shows them: `{"immutable": true}`. */
export type ResourceOptions = Readonly<Record<string, unknown>>;

/** Options after a change: a null takes one away, one that is not named stays. */
export function mergeOptions(before: ResourceOptions, change: ResourceOptions | undefined): ResourceOptions {
  if (!change) return before;
  return Object.fromEntries(Object.entries({ ...before, ...change }).filter(([, value]) => value !== null && value !== undefined));
}

export const isImmutable = (options: ResourceOptions): boolean => options.immutable === true;

/** True when an immutable resource may be changed so: by the one change that lifts it. */
export const liftsImmutable = (change: Readonly<Record<string, unknown>>, options: ResourceOptions | undefined): boolean =>
  Object.keys(change).length === 1 && options !== undefined && 'immutable' in options && (options.immutable === false || options.immutable === null);

/** Attributes that the API does not know, as they are kept. Key signs as upstream normalises them. */
export function extraOf(body: Readonly<Record<string, unknown>>, known: readonly string[], normalise = false): Record<string, unknown> {
  const extra: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(body)) {
    const name = normalise ? key.replace(/[:-]/g, '_') : key;
    if (!known.includes(name) && name !== 'extra' && name !== 'links') extra[name] = value;
  }
  return extra;
}
