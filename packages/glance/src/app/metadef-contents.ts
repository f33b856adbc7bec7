import type { Context } from '@cairn/kit/context/context';
import { alreadyExists, type CairnError, forbidden, notFound } from '@cairn/kit/errors/errors';
import { isUniqueViolation } from '@cairn/kit/store/errors';
import type { ListPage, ListRequest } from '@cairn/kit/store/list';
import type { Db, Tx } from '@cairn/kit/store/store';
import type { Association, MetadefObject, PropertyDefinition } from '../metadefs/model.ts';
import * as store from '../store/metadefs.ts';
import type { AssociationRow, MetadefTagRow, NamespaceRow, ResourceTypeRow } from '../store/metadef-tables.ts';
import { type MetadefNamespaces, objectColumns } from './metadef-namespaces.ts';

/** What tags are sorted by. */
export const TAG_SORT = ['name', 'created_at', 'updated_at', 'id'];

type Row<K extends store.ChildKind> = store.ChildRow<K>;

/** How upstream words what goes wrong with each kind. */
const WORDS: Readonly<Record<store.ChildKind, { readonly missing: string; readonly protected: string; duplicate(name: string, namespace: string): string }>> = {
  object: {
    missing: 'Could not find metadata object',
    protected: 'Metadata definition object',
    duplicate: (name, namespace) => `A metadata definition object with name=${name} already exists in namespace=${namespace}.`,
  },
  property: {
    missing: 'Could not find property',
    protected: 'Metadata definition property',
    duplicate: (name, namespace) => `A metadata definition property with name=${name} already exists in namespace=${namespace}.`,
  },
  tag: {
    missing: 'Could not find metadata tag',
    protected: 'Metadata definition tag',
    duplicate: (name, namespace) =>
      `A metadata tag with name=${name} already exists in namespace=${namespace}. (Please note that metadata tag names are case insensitive).`,
  },
};

/** The rules of what hangs below a namespace: objects, properties, tags and associations with resource types. */
export class MetadefContents {
  readonly #namespaces: MetadefNamespaces;

  constructor(namespaces: MetadefNamespaces) {
    this.#namespaces = namespaces;
  }

  get #env() {
    return this.#namespaces.env;
  }

  async all<K extends store.ChildKind>(ctx: Context, namespace: string, kind: K): Promise<Row<K>[]> {
    const db = this.#env.store.read;
    return store.children(db, kind, (await this.#namespaces.visible(db, ctx, namespace)).id);
  }

  async get<K extends store.ChildKind>(db: Db, ctx: Context, namespace: string, kind: K, name: string): Promise<Row<K>> {
    return (await this.#find(db, ctx, namespace, kind, name)).row;
  }

  addObject(ctx: Context, namespace: string, object: MetadefObject): Promise<Row<'object'>> {
    return this.#add(ctx, namespace, 'object', object.name, objectColumns(object));
  }

  addProperty(ctx: Context, namespace: string, name: string, definition: PropertyDefinition): Promise<Row<'property'>> {
    return this.#add(ctx, namespace, 'property', name, { definition: JSON.stringify(definition) });
  }

  addTag(ctx: Context, namespace: string, name: string): Promise<Row<'tag'>> {
    return this.#add(ctx, namespace, 'tag', name, {});
  }

  updateObject(ctx: Context, namespace: string, name: string, object: MetadefObject): Promise<Row<'object'>> {
    return this.#update(ctx, namespace, 'object', name, object.name, objectColumns(object));
  }

  updateProperty(ctx: Context, namespace: string, name: string, to: string, definition: PropertyDefinition): Promise<Row<'property'>> {
    return this.#update(ctx, namespace, 'property', name, to, { definition: JSON.stringify(definition) });
  }

  updateTag(ctx: Context, namespace: string, name: string, to: string): Promise<Row<'tag'>> {
    return this.#update(ctx, namespace, 'tag', name, to, {});
  }

  async remove(ctx: Context, namespace: string, kind: store.ChildKind, name: string): Promise<void> {
    await this.#env.store.write(async (tx) => {
      const found = await this.#find(tx, ctx, namespace, kind, name);
      if (found.namespace.protected) throw forbidden(`${WORDS[kind].protected} ${name} is protected and cannot be deleted.`);
      await store.deleteChild(tx, kind, found.row.id);
      await this.#namespaces.emit(tx, ctx, kind, 'delete', name, { namespace, name });
    });
  }

  /** A page of tags; `marker` is a tag's name. */
  async listTags(ctx: Context, namespace: string, request: Omit<ListRequest, 'marker'> & { readonly marker?: string }): Promise<ListPage<MetadefTagRow>> {
    const db = this.#env.store.read;
    const { id } = await this.#namespaces.visible(db, ctx, namespace);
    const { marker, ...rest } = request;
    const after = marker === undefined ? undefined : await this.get(db, ctx, namespace, 'tag', marker);
    return store.listTags(db, id, { ...rest, ...(after && { marker: after.id }) });
  }

  /** Makes the tags exactly `names` (as upstream: no names leave all as they are), or adds them to those there are. */
  async setTags(ctx: Context, namespace: string, names: readonly string[], append: boolean): Promise<void> {
    try {
      await this.#env.store.write(async (tx) => {
        const { id } = await this.#namespaces.visible(tx, ctx, namespace);
        if (names.length === 0) return;
        if (!append) await store.deleteChildren(tx, 'tag', id);
        await store.insertChildren(
          tx,
          'tag',
          names.map((name) => this.#base(id, name)),
        );
        await this.#namespaces.emit(tx, ctx, 'tag', 'create', namespace, { namespace, names });
      });
    } catch (error) {
      if (isUniqueViolation(error)) throw alreadyExists(WORDS.tag.duplicate(twice(names) ?? names.join(', '), namespace), { field: 'tags' });
      throw error;
    }
  }

  resourceTypes(): Promise<ResourceTypeRow[]> {
    return store.resourceTypes(this.#env.store.read);
  }

  async associations(ctx: Context, namespace: string): Promise<AssociationRow[]> {
    const db = this.#env.store.read;
    return store.associations(db, [(await this.#namespaces.visible(db, ctx, namespace)).id]);
  }

  async associate(ctx: Context, namespace: string, { name, prefix, properties_target }: Association): Promise<AssociationRow> {
    try {
      return await this.#env.store.write(async (tx) => {
        const { id } = await this.#namespaces.visible(tx, ctx, namespace);
        const { created_at_ms, updated_at_ms } = this.#base(id, name);
        const row: AssociationRow = {
          namespace_id: id,
          resource_type: name,
          prefix: prefix ?? null,
          properties_target: properties_target ?? null,
          created_at_ms,
          updated_at_ms,
        };
        await store.addResourceType(tx, { name, protected: 0, created_at_ms, updated_at_ms });
        await store.insertAssociation(tx, row);
        await this.#namespaces.emit(tx, ctx, 'resource_type', 'create', name, { namespace, name, prefix, properties_target });
        return row;
      });
    } catch (error) {
      if (isUniqueViolation(error))
        throw alreadyExists(`The metadata definition resource-type association of resource-type=${name} to namespace=${namespace} already exists.`);
      throw error;
    }
  }

  async dissociate(ctx: Context, namespace: string, resourceType: string): Promise<void> {
    await this.#env.store.write(async (tx) => {
      const row = await this.#namespaces.visible(tx, ctx, namespace);
      if (!(await store.deleteAssociation(tx, row.id, resourceType))) throw notFound(`Failed to find resource type ${resourceType} to delete`);
      if (row.protected) throw forbidden(`Metadata definition resource-type-association ${resourceType} is protected and cannot be deleted.`);
      await this.#namespaces.emit(tx, ctx, 'resource_type', 'delete', resourceType, { namespace, name: resourceType });
    });
  }

  #base(namespaceId: string, name: string): MetadefTagRow {
    const nowMs = this.#env.clock.nowMs();
    return { id: this.#namespaces.orderedId(nowMs), namespace_id: namespaceId, name, created_at_ms: nowMs, updated_at_ms: nowMs };
  }

  async #find<K extends store.ChildKind>(db: Db, ctx: Context, namespace: string, kind: K, name: string): Promise<{ namespace: NamespaceRow; row: Row<K> }> {
    const found = await this.#namespaces.visible(db, ctx, namespace);
    const row = await store.child(db, kind, found.id, name);
    if (!row) throw notFound(`${WORDS[kind].missing} ${name}`);
    return { namespace: found, row };
  }

  #add<K extends store.ChildKind>(ctx: Context, namespace: string, kind: K, name: string, columns: Omit<Row<K>, keyof MetadefTagRow>): Promise<Row<K>> {
    return this.#unique(kind, name, namespace, async (tx) => {
      const { id } = await this.#namespaces.visible(tx, ctx, namespace);
      const row = { ...this.#base(id, name), ...columns } as unknown as Row<K>;
      await store.insertChildren(tx, kind, [row]);
      await this.#namespaces.emit(tx, ctx, kind, 'create', name, { namespace, name });
      return row;
    });
  }

  #update<K extends store.ChildKind>(
    ctx: Context,
    namespace: string,
    kind: K,
    name: string,
    to: string,
    columns: Omit<Row<K>, keyof MetadefTagRow>,
  ): Promise<Row<K>> {
    return this.#unique(kind, to, namespace, async (tx) => {
      const { row } = await this.#find(tx, ctx, namespace, kind, name);
      const set = { name: to, updated_at_ms: this.#env.clock.nowMs(), ...columns } as unknown as Partial<Row<K>>;
      await store.updateChild(tx, kind, row.id, set);
      await this.#namespaces.emit(tx, ctx, kind, 'update', to, { namespace, name: to, name_old: name });
      return { ...row, ...set };
    });
  }

  async #unique<T>(kind: store.ChildKind, name: string, namespace: string, work: (tx: Tx) => Promise<T>): Promise<T> {
    try {
      return await this.#env.store.write(work);
    } catch (error) {
      throw isUniqueViolation(error, `glance_metadef_${kind}`) ? duplicateOf(kind, name, namespace) : error;
    }
  }
}

const duplicateOf = (kind: store.ChildKind, name: string, namespace: string): CairnError =>
  alreadyExists(WORDS[kind].duplicate(name, namespace), { field: 'name' });

const twice = (names: readonly string[]): string | undefined => names.find((name, at) => names.indexOf(name) !== at);
