import type { Context } from '@cairn/kit/context/context';
import { CairnError } from '@cairn/kit/errors/errors';
import type { Tx } from '@cairn/kit/store/store';
import { fromJson } from '@cairn/kit/store/values';
import type { Resource } from '../attributes/resource.ts';
import { listOf, string } from '../attributes/validators.ts';
import { badRequest, invalidInput, tagNotFound } from '../errors.ts';
import { NETWORK } from '../resources/network.ts';
import { PORT } from '../resources/port.ts';
import { QOS_POLICY } from '../resources/qos.ts';
import { FLOATINGIP, ROUTER } from '../resources/router.ts';
import { SECURITY_GROUP } from '../resources/security-group.ts';
import { NETWORK_SEGMENT_RANGE } from '../resources/segment.ts';
import { TRUNK } from '../resources/trunk.ts';
import { SUBNET, SUBNETPOOL } from '../resources/subnet.ts';
import { findTagged, writeTags } from '../store/tags.ts';
import { authorizeDelete, changed, type Loaded } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { getFloatingIp } from './floatingips.ts';
import { getNetwork } from './networks.ts';
import { getPort } from './ports.ts';
import { qosPolicyVerbs } from './qos-policies.ts';
import { getRouter } from './routers.ts';
import { getGroup } from './security-groups.ts';
import { getSubnetPool } from './subnetpools.ts';
import { segmentRangeVerbs } from './segment-ranges.ts';
import { trunkVerbs } from './trunks.ts';
import { getSubnet } from './subnets.ts';

/** A kind of resource that has tags. */
export interface Taggable {
  readonly resource: Resource;
  readonly table: string;
  /** Where the tags are, if not below the resource's own path. */
  readonly path?: string;
  readonly get: (app: NeutronApp, ctx: Context, id: string) => Promise<Loaded>;
}

export const TAGGABLE: readonly Taggable[] = [
  { resource: NETWORK, table: 'neutron_network', get: getNetwork },
  { resource: SUBNET, table: 'neutron_subnet', get: getSubnet },
  { resource: SUBNETPOOL, table: 'neutron_subnetpool', get: getSubnetPool },
  { resource: PORT, table: 'neutron_port', get: getPort },
  { resource: ROUTER, table: 'neutron_router', get: getRouter },
  { resource: FLOATINGIP, table: 'neutron_floatingip', get: getFloatingIp },
  { resource: SECURITY_GROUP, table: 'neutron_security_group', get: (app, ctx, id) => getGroup(app, ctx, id) },
  { resource: TRUNK, table: 'neutron_trunk', get: trunkVerbs.get },
  { resource: QOS_POLICY, table: 'neutron_qos_policy', path: 'policies', get: qosPolicyVerbs.get },
  { resource: NETWORK_SEGMENT_RANGE, table: 'neutron_segment_range', path: 'network_segment_ranges', get: segmentRangeVerbs.get },
];

const TAG_LENGTH = 255;
const MAX_TAGS = 50;

/** Tags of a resource that the caller may do this with (neutron/extensions/tagging.py). */
async function authorized(app: NeutronApp, ctx: Context, kind: Taggable, id: string, verb: 'get' | 'create' | 'update' | 'delete'): Promise<string[]> {
  const { resource } = kind;
  const loaded = await kind.get(app, ctx, id).catch((error: unknown) => {
    if (!(error instanceof CairnError) || error.kind !== 'NotFound') throw error;
    throw new CairnError('NotFound', `Resource ${resource.collection} ${id} could not be found.`, { type: 'TagResourceNotFound' });
  });
  authorizeDelete(app, ctx, resource, loaded, `${verb}_${resource.name}:tags`);
  return loaded.view.tags as string[];
}

export const listTags = (app: NeutronApp, ctx: Context, kind: Taggable, id: string): Promise<string[]> => authorized(app, ctx, kind, id, 'get');

export async function requireTag(app: NeutronApp, ctx: Context, kind: Taggable, id: string, tag: string): Promise<void> {
  checkTag(tag);
  if (!(await authorized(app, ctx, kind, id, 'get')).includes(tag)) throw tagNotFound(tag);
}

/** Adds what is not there yet. */
export async function addTags(app: NeutronApp, ctx: Context, kind: Taggable, id: string, tags: readonly string[], verb: 'create' | 'update'): Promise<void> {
  await authorized(app, ctx, kind, id, verb);
  await change(app, ctx, kind, id, 'create', (now) => [...now, ...tags], tags);
}

/** Replaces all tags. */
export async function replaceTags(app: NeutronApp, ctx: Context, kind: Taggable, id: string, tags: readonly string[]): Promise<void> {
  await authorized(app, ctx, kind, id, 'update');
  await change(app, ctx, kind, id, 'update', () => tags, tags);
}

export async function removeTag(app: NeutronApp, ctx: Context, kind: Taggable, id: string, tag: string): Promise<void> {
  checkTag(tag);
  await authorized(app, ctx, kind, id, 'delete');
  const without = (now: readonly string[]): string[] => {
    if (!now.includes(tag)) throw tagNotFound(tag);
    return now.filter((each) => each !== tag);
  };
  await change(app, ctx, kind, id, 'delete', without, [tag]);
}

export async function removeTags(app: NeutronApp, ctx: Context, kind: Taggable, id: string): Promise<void> {
  await authorized(app, ctx, kind, id, 'delete');
  await change(app, ctx, kind, id, 'delete_all', () => []);
}

function change(
  app: NeutronApp,
  ctx: Context,
  kind: Taggable,
  id: string,
  verb: string,
  next: (now: readonly string[]) => readonly string[],
  told?: readonly string[],
): Promise<void> {
  return app.env.store.write(async (tx) => {
    const row = await findTagged(tx, kind.table, id);
    if (!row) throw new CairnError('NotFound', `Resource ${kind.resource.collection} ${id} could not be found.`, { type: 'TagResourceNotFound' });
    const before = fromJson<string[]>(row.tags_json);
    const after = [...new Set(next(before))].sort();
    if (after.length > MAX_TAGS) throw badRequest(kind.resource.collection, `The number of tags exceed the per-resource limit of ${MAX_TAGS}`);
    await writeTags(tx, kind.table, kind.resource.collection, id, before, after, changed(app, row));
    await tell(app, tx, ctx, kind, id, verb, told);
  });
}

async function tell(app: NeutronApp, tx: Tx, ctx: Context, kind: Taggable, id: string, verb: string, tags: readonly string[] | undefined): Promise<void> {
  await app.env.events.emit(tx, {
    type: `tag.${verb}.end`,
    projectId: ctx.projectId,
    userId: ctx.userId,
    requestId: ctx.requestId,
    resource: kind.resource.name,
    resourceId: id,
    payload: { obj_resource: kind.resource.collection, obj_resource_id: id, ...(tags && { tags }) },
  });
}

export function checkTag(tag: string): void {
  const refusal = string(TAG_LENGTH)(tag);
  if (refusal !== undefined) throw invalidInput(refusal);
}

/** `{"tags": [...]}`. */
export function tagsOfBody(body: unknown): readonly string[] {
  if (typeof body !== 'object' || body === null || !('tags' in body)) throw invalidInput('Invalid tags body');
  const refusal = listOf(string(TAG_LENGTH))(body.tags);
  if (refusal !== undefined) throw invalidInput(refusal);
  return body.tags as string[];
}
