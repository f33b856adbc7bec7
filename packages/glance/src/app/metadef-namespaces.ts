import { type Context, isAdmin } from '@cairn/kit/context/context';
import type { Env } from '@cairn/kit/env';
import { alreadyExists, forbidden, invalidInput, notFound } from '@cairn/kit/errors/errors';
import { isUniqueViolation } from '@cairn/kit/store/errors';
import type { ListPage, ListRequest } from '@cairn/kit/store/list';
import type { Db, Tx } from '@cairn/kit/store/store';
import type { MetadefObject, NamespaceFields, NewNamespace, PropertyDefinition } from '../metadefs/model.ts';
import * as store from '../store/metadefs.ts';
import type { AssociationRow, NamespaceRow } from '../store/metadef-tables.ts';

/** What namespaces are sorted by. */
export const NAMESPACE_SORT = ['namespace', 'display_name', 'description', 'visibility', 'protected', 'owner', 'created_at', 'updated_at', 'id'];

/** A namespace with all that hangs below it. */
export interface NamespaceDetail {
  readonly row: NamespaceRow;
  readonly associations: readonly AssociationRow[];
  readonly objects: readonly store.ChildRow<'object'>[];
  readonly properties: readonly store.ChildRow<'property'>[];
  readonly tags: readonly store.ChildRow<'tag'>[];
}

const duplicate = (name: string) => alreadyExists(`The metadata definition namespace=${name} already exists.`, { field: 'namespace' });
/** upstream answers alike for a namespace that is not there and one of another project. */
export const noNamespace = (name: string) => notFound(`Namespace ${name} not found`);

/** The rules of metadata definition namespaces (glance/api/v2/metadef_namespaces.py, glance/db/sqlalchemy/metadef_api/namespace.py). */
export class MetadefNamespaces {
  readonly env: Env;
  #made = 0;

  constructor(env: Env) {
    this.env = env;
  }

  /** The namespace if `ctx` may see it: public, its own, or anyone's for an admin. NotFound otherwise. */
  async visible(db: Db, ctx: Context, name: string): Promise<NamespaceRow> {
    const row = await store.namespaceByName(db, name);
    if (!row) throw noNamespace(name);
    if (isAdmin(ctx) || row.owner === null || row.visibility === 'public' || row.owner === ctx.projectId) return row;
    throw noNamespace(name);
  }

  /** A page; `marker` is the name of a namespace. NotFound for a marker that is none. */
  async list(
    ctx: Context,
    filter: { readonly visibility?: string; readonly resourceTypes?: readonly string[] },
    request: Omit<ListRequest, 'marker'> & { readonly marker?: string },
  ): Promise<ListPage<NamespaceRow> & { readonly associations: ReadonlyMap<string, AssociationRow[]> }> {
    const db = this.env.store.read;
    const { marker, ...rest } = request;
    const after = marker === undefined ? undefined : await this.visible(db, ctx, marker);
    const page = await store.listNamespaces(
      db,
      { ...filter, ...(!isAdmin(ctx) && { visibleTo: ctx.projectId ?? null }) },
      { ...rest, ...(after && { marker: after.id }) },
    );
    const associations = new Map<string, AssociationRow[]>();
    for (const row of await store.associations(
      db,
      page.rows.map((r) => r.id),
    ))
      associations.set(row.namespace_id, [...(associations.get(row.namespace_id) ?? []), row]);
    return { ...page, associations };
  }

  async detail(db: Db, ctx: Context, name: string): Promise<NamespaceDetail> {
    const row = await this.visible(db, ctx, name);
    return {
      row,
      associations: await store.associations(db, [row.id]),
      objects: await store.children(db, 'object', row.id),
      properties: await store.children(db, 'property', row.id),
      tags: await store.children(db, 'tag', row.id),
    };
  }

  /** Makes a namespace with all that its body names, or nothing of it. */
  async create(ctx: Context, given: NewNamespace): Promise<NamespaceRow> {
    try {
      return await this.env.store.write(async (tx) => {
        const row = await this.insert(tx, given, given.owner ?? ctx.projectId ?? null);
        await this.emit(tx, ctx, 'namespace', 'create', row.namespace, { namespace: row.namespace, owner: row.owner, visibility: row.visibility });
        return row;
      });
    } catch (error) {
      if (isUniqueViolation(error, 'glance_metadef_namespace')) throw duplicate(given.namespace);
      if (isUniqueViolation(error)) throw alreadyExists(`The namespace ${given.namespace} names an object, a tag or a resource type twice.`);
      throw error;
    }
  }

  /** Writes a namespace and all below it. Unique violations are the caller's. `system`: its resource types are the catalogue's own. */
  async insert(tx: Tx, given: NewNamespace, owner: string | null, system = false): Promise<NamespaceRow> {
    const nowMs = this.env.clock.nowMs();
    const times = { created_at_ms: nowMs, updated_at_ms: nowMs };
    const row: NamespaceRow = { id: this.orderedId(nowMs), ...fieldsOf(given), owner, ...times };
    await store.insertNamespace(tx, row);
    for (const { name, prefix, properties_target } of given.resource_type_associations ?? []) {
      await store.addResourceType(tx, { name, protected: system ? 1 : 0, ...times });
      await store.insertAssociation(tx, {
        namespace_id: row.id,
        resource_type: name,
        prefix: prefix ?? null,
        properties_target: properties_target ?? null,
        ...times,
      });
    }
    const base = (name: string) => ({ id: this.orderedId(nowMs), namespace_id: row.id, name, ...times });
    await store.insertChildren(
      tx,
      'object',
      (given.objects ?? []).map((object) => ({ ...base(object.name), ...objectColumns(object) })),
    );
    await store.insertChildren(
      tx,
      'tag',
      (given.tags ?? []).map((tag) => base(tag.name)),
    );
    await store.insertChildren(
      tx,
      'property',
      Object.entries(given.properties ?? {}).map(([name, definition]) => ({ ...base(name), definition: JSON.stringify(definition) })),
    );
    return row;
  }

  /** Replaces the fields: what the body does not name gets its default. */
  async update(ctx: Context, name: string, given: NamespaceFields): Promise<NamespaceRow> {
    try {
      return await this.env.store.write(async (tx) => {
        const row = await this.visible(tx, ctx, name);
        const set = { ...fieldsOf(given), owner: given.owner ?? ctx.projectId ?? null, updated_at_ms: this.env.clock.nowMs() };
        await store.updateNamespace(tx, row.id, set);
        await this.emit(tx, ctx, 'namespace', 'update', set.namespace, { namespace: set.namespace, namespace_old: name });
        return { ...row, ...set };
      });
    } catch (error) {
      if (isUniqueViolation(error, 'glance_metadef_namespace'))
        throw alreadyExists(`Invalid update. It would result in a duplicate metadata definition namespace with the same name of ${given.namespace}`, {
          field: 'namespace',
        });
      throw error;
    }
  }

  async delete(ctx: Context, name: string): Promise<void> {
    await this.env.store.write(async (tx) => {
      const row = await this.deletable(tx, ctx, name);
      await store.deleteNamespace(tx, row.id);
      await this.emit(tx, ctx, 'namespace', 'delete', name, { namespace: name });
    });
  }

  /** Removes everything of one kind below a namespace. */
  async clear(ctx: Context, name: string, kind: store.ChildKind): Promise<void> {
    await this.env.store.write(async (tx) => {
      const row = await this.deletable(tx, ctx, name);
      await store.deleteChildren(tx, kind, row.id);
      await this.emit(tx, ctx, 'namespace', `delete_${kind === 'property' ? 'properties' : `${kind}s`}`, name, { namespace: name });
    });
  }

  async deletable(tx: Tx, ctx: Context, name: string): Promise<NamespaceRow> {
    const row = await this.visible(tx, ctx, name);
    if (row.protected) throw forbidden(`Metadata definition namespace ${name} is protected and cannot be deleted.`);
    return row;
  }

  /** An id that sorts as it was made: lists show what came in one body in the order of the body. */
  orderedId(nowMs: number): string {
    this.#made = (this.#made + 1) % 0x1000000;
    return `${nowMs.toString(16).padStart(12, '0')}-${this.#made.toString(16).padStart(6, '0')}-${this.env.ids.uuid()}`;
  }

  async emit(tx: Tx, ctx: Context, resource: string, verb: string, id: string, payload: object): Promise<void> {
    await this.env.events.emit(tx, {
      type: `metadef_${resource}.${verb}`,
      projectId: ctx.projectId,
      userId: ctx.userId,
      requestId: ctx.requestId,
      resource: `metadef_${resource}`,
      resourceId: id,
      payload,
    });
  }
}

const fieldsOf = (given: NamespaceFields) => ({
  namespace: given.namespace,
  display_name: given.display_name ?? null,
  description: given.description ?? null,
  visibility: given.visibility ?? ('private' as const),
  protected: given.protected ? 1 : 0,
});

/** An object's fields as columns. */
export function objectColumns(object: MetadefObject): { description: string | null; required: string | null; properties: string | null } {
  if (object.required?.some((name) => name.includes(','))) throw invalidInput('A name in "required" contains a comma.', { field: 'required' });
  const properties: Readonly<Record<string, PropertyDefinition>> | undefined = object.properties;
  return {
    description: object.description ?? null,
    required: object.required && object.required.length > 0 ? JSON.stringify(object.required) : null,
    properties: properties ? JSON.stringify(properties) : null,
  };
}
