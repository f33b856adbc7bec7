import { type Context, isAdmin } from '@cairn/kit/context/context';
import type { Tx } from '@cairn/kit/store/store';
import { authorizeAction, authorizeChange, type PolicyTarget, type Visibility, visibilityOf } from '../attributes/authorize.ts';
import type { Resource, Values } from '../attributes/resource.ts';
import { refusedByPolicy, resourceNotFound, revisionMismatch } from '../errors.ts';
import { EVERYTHING, type Scope } from '../store/select.ts';
import type { StandardColumns } from '../store/tables.ts';
import type { NeutronApp } from './deps.ts';

/** A resource as the API shows it, with what policy asks of its parent. */
export interface Loaded {
  readonly view: Record<string, unknown>;
  /** The owner of the network of a subnet or port, of the group of a rule, of what the resource is below. */
  readonly parentProjectId?: string;
  /** Of a row that lists keep (kit/store/kept-rows): the view is everybody's and stays as it is, and its JSON as it was shown last is kept with it. */
  readonly kept?: KeptText;
}

/** A view's JSON after a comma, and for whose eyes it is: what was left out of it. */
export interface KeptText {
  hidden: string;
  text: string;
}

/** What is made once of each row that lists keep, by app. */
export function oncePerRow<Row extends object>(make: (app: NeutronApp, row: Row) => Loaded): (app: NeutronApp, row: Row) => Loaded {
  const byApp = new WeakMap<NeutronApp, WeakMap<Row, Loaded>>();
  return (app, row) => {
    let made = byApp.get(app);
    if (!made) byApp.set(app, (made = new WeakMap()));
    let loaded = made.get(row);
    if (!loaded) made.set(row, (loaded = { ...make(app, row), kept: { hidden: '?', text: '' } }));
    return loaded;
  };
}

/** What policy rules look at. */
export const targetOf = (loaded: Loaded): PolicyTarget =>
  loaded.parentProjectId === undefined
    ? loaded.view
    : {
        ...loaded.view,
        'network:project_id': loaded.parentProjectId,
        'security_group:project_id': loaded.parentProjectId,
        'ext_parent:project_id': loaded.parentProjectId,
      };

/** Admins and services see all rows, others their project's and what is shared with it. */
export const scopeOf = (ctx: Context): Scope => (isAdmin(ctx) || ctx.roles.includes('service') ? EVERYTHING : { projectId: ctx.projectId ?? '' });

/** The columns of a new row. */
export function newRow(app: NeutronApp, values: Values, id?: string): StandardColumns {
  const nowMs = app.env.clock.nowMs();
  return {
    id: id ?? app.env.ids.uuid(),
    project_id: String(values.project_id ?? ''),
    description: String(values.description ?? ''),
    created_at_ms: nowMs,
    updated_at_ms: nowMs,
    revision_number: 0,
  };
}

/** The columns that every change of a row writes. */
export const changed = (app: NeutronApp, row: StandardColumns): { updated_at_ms: number; revision_number: number } => ({
  updated_at_ms: app.env.clock.nowMs(),
  revision_number: row.revision_number + 1,
});

/** `If-Match: revision_number=3`. */
export function checkRevision(row: { readonly revision_number: number }, ifMatch: number | undefined): void {
  if (ifMatch !== undefined && row.revision_number !== ifMatch) throw revisionMismatch(ifMatch, row.revision_number);
}

/**
 * May the caller change this? Who may not even see it hears that it does not exist (neutron/pecan_wsgi/hooks/policy_enforcement.py).
 */
export function authorizeUpdate(app: NeutronApp, ctx: Context, resource: Resource, loaded: Loaded, values: Values): void {
  const target = { ...targetOf(loaded), ...values };
  hideUnseen(ctx, visibilityOf(app.policy, resource), target, () => authorizeChange(app.policy, ctx, resource, 'update', values, target));
}

/** Asks `delete_<resource>`, or another rule of one resource. */
export function authorizeDelete(app: NeutronApp, ctx: Context, resource: Resource, loaded: Loaded, rule = `delete_${resource.ruleName}`): void {
  const target = targetOf(loaded);
  hideUnseen(ctx, visibilityOf(app.policy, resource), target, () => authorizeAction(app.policy, ctx, rule, target));
}

function hideUnseen(ctx: Context, visibility: Visibility, target: PolicyTarget, ask: () => void): void {
  try {
    ask();
  } catch (error) {
    throw visibility.shown(ctx, target) ? error : resourceNotFound();
  }
}

/** What a GET of one resource that policy refuses answers. */
export function requireShown(app: NeutronApp, ctx: Context, resource: Resource, loaded: Loaded): void {
  if (!visibilityOf(app.policy, resource).shown(ctx, targetOf(loaded))) throw refusedByPolicy();
}

/** Writes the notification of a change. */
export async function notify(
  app: NeutronApp,
  tx: Tx,
  ctx: Context,
  resource: string,
  verb: 'create' | 'update' | 'delete',
  loaded: Pick<Loaded, 'view'>,
  key = 'id',
): Promise<void> {
  const { view } = loaded;
  const resourceId = String(view[key]);
  await app.env.events.emit(tx, {
    type: `${resource}.${verb}.end`,
    projectId: view.project_id === '' ? undefined : (view.project_id as string),
    userId: ctx.userId,
    requestId: ctx.requestId,
    resource,
    resourceId,
    payload: verb === 'delete' ? { [`${resource}_id`]: resourceId, [resource]: view } : { [resource]: view },
  });
}
