import type { Context } from '@cairn/kit/context/context';
import { insertRow } from '@cairn/kit/store/insert';
import type { Db, Tx } from '@cairn/kit/store/store';
import { authorizeChange } from '../attributes/authorize.ts';
import type { Resource, Values } from '../attributes/resource.ts';
import type { ListInput } from '../listing/query.ts';
import { deleteRow, listsBelow, updateRow } from '../store/rows.ts';
import { EVERYTHING, type ListMaker, selectOne, selectPage } from '../store/select.ts';
import type { StandardColumns } from '../store/tables.ts';
import { dropTags } from '../store/tags.ts';
import { authorizeDelete, authorizeUpdate, changed, checkRevision, type Loaded, notify, requireShown, scopeOf } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { checkQuotas } from './quota.ts';

export type Params = Readonly<Record<string, string>>;

/** A change under way. */
export interface Work {
  readonly app: NeutronApp;
  readonly tx: Tx;
  readonly ctx: Context;
  readonly params: Params;
}

/** What a resource is below of. */
export interface Parent {
  /** The parameter of the path that has its id, and the column that names it. */
  readonly param: string;
  readonly column: string;
  /** Throws where the caller does not see it. */
  readonly require: (app: NeutronApp, db: Db, ctx: Context, id: string) => Promise<{ readonly projectId: string }>;
}

interface PlainRow {
  readonly id: string;
}

/**
 * A kind of resource whose five verbs are the same but for what is said here: policy, quotas, revisions, tags, notifications and the
 * statements are the engine's below, the rules of the resource its own.
 */
export interface Kind<Row extends PlainRow> {
  readonly resource: Resource;
  readonly lists: ListMaker<Row>;
  readonly notFound: (id: string, params: Params) => Error;
  /** The views of a page, with what belongs to them read in a few statements for all. */
  readonly views: (app: NeutronApp, db: Db, rows: readonly Row[], ctx: Context) => Loaded[] | Promise<Loaded[]>;
  readonly parent?: Parent;
  /** True where rows belong to no project. */
  readonly everybodySees?: boolean;
  /** Which rows of the table are of this kind; `lists` says the same with `always`. Default: all. */
  readonly includes?: (row: Row) => boolean;
  readonly quota?: string;
  /** The row of a new one. Throws what speaks against it. */
  readonly create: (work: Work, values: Values) => Promise<Row> | Row;
  /** True where `create` writes the row itself. */
  readonly written?: true;
  /** The columns that a PUT changes. Throws what speaks against it. */
  readonly update?: (work: Work, row: Row, values: Values) => Promise<Partial<Row>> | Partial<Row>;
  /** Before one goes: throws what speaks against it, takes away what belongs to it. */
  readonly remove?: (work: Work, row: Row) => Promise<void>;
  /** After a change was written: what follows from it, hosts above all. `before` and `after` as rows; one of them is absent for new and for gone ones. */
  readonly settle?: (work: Work, after: Row | undefined, before: Row | undefined, values: Values) => Promise<void> | void;
}

/** The verbs of a kind, for `api/verbs.ts`. */
export interface KindVerbs {
  readonly create: (app: NeutronApp, ctx: Context, items: readonly Values[], params?: Params) => Promise<Loaded[]>;
  readonly list: (app: NeutronApp, ctx: Context, input: ListInput, params?: Params) => Promise<Loaded[]>;
  readonly get: (app: NeutronApp, ctx: Context, id: string, params?: Params) => Promise<Loaded>;
  readonly update: (app: NeutronApp, ctx: Context, id: string, values: Values, ifMatch: number | undefined, params?: Params) => Promise<Loaded>;
  readonly remove: (app: NeutronApp, ctx: Context, id: string, ifMatch: number | undefined, params?: Params) => Promise<void>;
}

const NONE: Params = {};

/** The row, as a store's writer, is its columns. */
const hasRevision = (row: object): row is StandardColumns => 'revision_number' in row;

export function verbsOf<Row extends PlainRow>(kind: Kind<Row>): KindVerbs {
  const { resource, lists, parent } = kind;
  const table = lists.spec.table;

  const requireParent = async (app: NeutronApp, db: Db, ctx: Context, params: Params): Promise<{ projectId: string } | undefined> =>
    parent && (await parent.require(app, db, ctx, params[parent.param] ?? ''));
  const scope = (ctx: Context) => (parent || kind.everybodySees ? EVERYTHING : scopeOf(ctx));
  const show = async (app: NeutronApp, db: Db, ctx: Context, rows: readonly Row[], above: { projectId: string } | undefined): Promise<Loaded[]> => {
    const loaded = await kind.views(app, db, rows, ctx);
    return above ? loaded.map((each) => ({ ...each, parentProjectId: above.projectId })) : loaded;
  };
  const load = async (app: NeutronApp, db: Db, ctx: Context, id: string, params: Params): Promise<{ row: Row; loaded: Loaded }> => {
    const above = await requireParent(app, db, ctx, params);
    const row = await selectOne<Row>(db, lists, id, scope(ctx));
    if (!row || kind.includes?.(row) === false || (parent && (row as Record<string, unknown>)[parent.column] !== params[parent.param]))
      throw kind.notFound(id, params);
    const [loaded] = await show(app, db, ctx, [row], above);
    return { row, loaded: loaded as Loaded };
  };
  /** What is shown after a change: rows may be seen with more than is in them. */
  const after = async (work: Work, id: string): Promise<Loaded> => {
    const { loaded } = await load(work.app, work.tx, work.ctx, id, work.params);
    return loaded;
  };

  return {
    create: (app, ctx, items, params = NONE) =>
      app.env.store.write(async (tx) => {
        const work: Work = { app, tx, ctx, params };
        const above = await requireParent(app, tx, ctx, params);
        for (const values of items) {
          authorizeChange(app.policy, ctx, resource, 'create', values, above ? { ...values, 'ext_parent:project_id': above.projectId } : values);
        }
        if (kind.quota !== undefined) {
          await checkQuotas(
            app,
            tx,
            kind.quota,
            items.map((values) => String(values.project_id)),
          );
        }
        const made: Loaded[] = [];
        for (const values of items) {
          const row = await kind.create(work, values);
          if (!kind.written) await insertRow(tx, table, row);
          await kind.settle?.(work, row, undefined, values);
          const loaded = await after(work, row.id);
          await notify(app, tx, ctx, resource.name, 'create', loaded, resource.key);
          made.push(loaded);
        }
        return made;
      }),

    async list(app, ctx, input, params = NONE) {
      const db = app.env.store.read;
      const above = await requireParent(app, db, ctx, params);
      const maker = parent ? listsBelow(lists, parent.column, params[parent.param] ?? '') : lists;
      return show(app, db, ctx, await selectPage(db, maker, input, scope(ctx)), above);
    },

    async get(app, ctx, id, params = NONE) {
      const { loaded } = await load(app, app.env.store.read, ctx, id, params);
      requireShown(app, ctx, resource, loaded);
      return loaded;
    },

    update: (app, ctx, id, values, ifMatch, params = NONE) =>
      app.env.store.write(async (tx) => {
        const work: Work = { app, tx, ctx, params };
        const { row, loaded } = await load(app, tx, ctx, id, params);
        authorizeUpdate(app, ctx, resource, loaded, values);
        if (hasRevision(row)) checkRevision(row, ifMatch);
        const columns = { ...(await kind.update?.(work, row, values)), ...(hasRevision(row) && changed(app, row)) };
        await updateRow(tx, table, id, columns);
        await kind.settle?.(work, { ...row, ...columns }, row, values);
        const now = await after(work, id);
        await notify(app, tx, ctx, resource.name, 'update', now, resource.key);
        return now;
      }),

    remove: (app, ctx, id, ifMatch, params = NONE) =>
      app.env.store.write(async (tx) => {
        const work: Work = { app, tx, ctx, params };
        const { row, loaded } = await load(app, tx, ctx, id, params);
        authorizeDelete(app, ctx, resource, loaded);
        if (hasRevision(row)) checkRevision(row, ifMatch);
        await kind.remove?.(work, row);
        await deleteRow(tx, table, id);
        if ('tags_json' in row && row.tags_json !== '[]') await dropTags(tx, id);
        await kind.settle?.(work, undefined, row, NO_VALUES);
        await notify(app, tx, ctx, resource.name, 'delete', loaded, resource.key);
      }),
  };
}

const NO_VALUES: Values = {};

/** The columns of a PUT that are attributes of the same name and need no more than that. */
export function sameNamed<Row>(values: Values, texts: readonly (keyof Row & string)[], flags: readonly (keyof Row & string)[] = []): Partial<Row> {
  const columns: Record<string, unknown> = {};
  for (const name of texts) if (name in values) columns[name] = values[name] ?? null;
  for (const name of flags) if (name in values) columns[name] = values[name] === true ? 1 : 0;
  return columns as Partial<Row>;
}
