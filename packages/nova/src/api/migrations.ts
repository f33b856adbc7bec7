import { isoNaiveMicros } from '@cairn/kit/clock/clock';
import { invalidInput } from '@cairn/kit/errors/errors';
import { type AnyBody, Reply, type Request } from '@cairn/kit/http/operation';
import type { NovaApp } from '../app/app.ts';
import { untilMs } from '../app/changes-before.ts';
import { isInProgress, type MigrationQuery, type MigrationRow } from '../app/migrations.ts';
import { LiveMigrationList, MigrationList, OneLiveMigration } from './answers/server-parts.ts';
import { op } from './op.ts';
import { booleanOf, closedQuery, last, openQuery, pageOf, text } from './query.ts';
import { actionBody, boolean, diskConfig, fqdn, nonNegativeInteger, object } from './schemas/types.ts';

const ACTION = '/v2.1/servers/{server_id}/action';
const id = (request: Request<AnyBody>): string => request.params['server_id'] as string;
const time = (ms: number | null): string | null => (ms === null ? null : isoNaiveMicros(ms));

const FILTERS = { hidden: text, host: text, instance_uuid: text, source_compute: text, status: text, migration_type: text };
const dateTime = { type: 'string', format: 'date-time' };
const FROM_259 = { ...FILTERS, limit: nonNegativeInteger, marker: { type: 'string' }, 'changes-since': dateTime };
const FROM_266 = { ...FROM_259, 'changes-before': dateTime };
const FROM_280 = { ...FROM_266, user_id: { type: 'string' }, project_id: { type: 'string' } };

/** A migration as os-migrations shows it (nova/api/openstack/compute/migrations.py, _output). */
function view(request: Request<AnyBody>, row: MigrationRow): object {
  const { version } = request;
  const showsHost = request.allowed('os_compute_api:os-migrations:index:host');
  const host = (value: string | null): string | null => (showsHost ? value : null);
  const isLive = row.type === 'live-migration' && isInProgress(row);
  const href = (path: string): string => `${request.baseUrl}${path}/servers/${row.server_id}/migrations/${row.seq}`;
  return {
    id: row.seq,
    ...(version.atLeast('2.59') && { uuid: row.id }),
    source_compute: host(row.source_host),
    dest_compute: host(row.dest_host),
    source_node: host(row.source_node),
    dest_node: host(row.dest_node),
    dest_host: host(row.dest_ip),
    old_instance_type_id: row.old_flavor_seq,
    new_instance_type_id: row.new_flavor_seq,
    instance_uuid: row.server_id,
    status: row.status,
    created_at: time(row.created_at_ms),
    updated_at: time(row.updated_at_ms),
    ...(version.atLeast('2.23') && { migration_type: row.type }),
    ...(version.atLeast('2.23') &&
      isLive && {
        links: [
          { rel: 'self', href: href('/v2.1') },
          { rel: 'bookmark', href: href('') },
        ],
      }),
    ...(version.atLeast('2.80') && { user_id: row.user_id, project_id: row.project_id }),
  };
}

/** A time of a query. */
function timeOf(request: Request<AnyBody>, name: 'changes-since' | 'changes-before', since: string): number | undefined {
  const value = last(request, name);
  if (value === undefined || request.version.before(since)) return undefined;
  return Date.parse(/(Z|[+-]\d\d:?\d\d)$/i.test(value) ? value : `${value}Z`);
}

async function list(app: NovaApp, request: Request<AnyBody>): Promise<object> {
  const { version } = request;
  const project = version.atLeast('2.1') ? last(request, 'project_id') : undefined;
  if (project === undefined || project === '' || project !== request.ctx.projectId) request.authorize('os_compute_api:os-migrations:index:all_projects');
  const changesSinceMs = timeOf(request, 'changes-since', '2.59');
  const changesBeforeMs = timeOf(request, 'changes-before', '2.66');
  if (changesSinceMs !== undefined && changesBeforeMs !== undefined && changesBeforeMs < changesSinceMs)
    throw invalidInput('The value of changes-since must be less than or equal to changes-before.');
  const page = version.atLeast('2.59') ? pageOf(app, request) : undefined;
  const named = (name: string, key: keyof MigrationQuery): object => {
    const value = last(request, name);
    return value === undefined ? {} : { [key]: value };
  };
  const hidden = last(request, 'hidden');
  const status = request.query.getAll('status');
  const rows =
    (hidden !== undefined && booleanOf(hidden) === true) || page?.limit === 0
      ? []
      : await app.migrations.list({
          ...(status.length > 0 && { status }),
          ...named('host', 'host'),
          ...named('source_compute', 'sourceHost'),
          ...named('node', 'node'),
          ...named('migration_type', 'type'),
          ...named('instance_uuid', 'serverId'),
          ...named('user_id', 'userId'),
          ...named('project_id', 'projectId'),
          ...(changesSinceMs !== undefined && { changesSinceMs }),
          ...(changesBeforeMs !== undefined && { changesBeforeMs: untilMs(changesBeforeMs) }),
          ...(page !== undefined && { page }),
        });
  const migrations = rows.map((row) => view(request, row));
  if (page === undefined || rows.length < page.limit || rows.length === 0) return { migrations };
  const query = new URLSearchParams(request.query);
  query.set('marker', rows.at(-1)?.id ?? '');
  return { migrations, migrations_links: [{ rel: 'next', href: `${request.baseUrl}/v2.1/os-migrations?${query}` }] };
}

/** A live migration as a server's own list shows it (nova/api/openstack/compute/server_migrations.py, output). */
function progressView(request: Request<AnyBody>, row: MigrationRow, showsHost: boolean): object {
  const { version } = request;
  const host = (value: string | null): string | null => (showsHost ? value : null);
  return {
    created_at: time(row.created_at_ms),
    dest_compute: host(row.dest_host),
    dest_host: host(row.dest_ip),
    dest_node: host(row.dest_node),
    disk_processed_bytes: row.disk_processed,
    disk_remaining_bytes: row.disk_remaining,
    disk_total_bytes: row.disk_total,
    id: row.seq,
    memory_processed_bytes: row.memory_processed,
    memory_remaining_bytes: row.memory_remaining,
    memory_total_bytes: row.memory_total,
    server_uuid: row.server_id,
    source_compute: host(row.source_host),
    source_node: host(row.source_node),
    status: row.status,
    updated_at: time(row.updated_at_ms),
    ...(version.atLeast('2.59') && { uuid: row.id }),
    ...(version.atLeast('2.80') && { user_id: row.user_id, project_id: row.project_id }),
  };
}

interface LiveBody {
  readonly 'os-migrateLive': { readonly host: string | null; readonly block_migration: unknown; readonly force?: unknown };
}
const boolOrAuto = { ...boolean, enum: [...boolean.enum, 'auto'] };
const liveHost = { ...fqdn, type: ['string', 'null'] };
const liveFrom = (properties: Readonly<Record<string, object>>, required: readonly string[]) => actionBody('os-migrateLive', object(properties, required));

const HOST_OR_NOTHING = { type: ['object', 'null'], properties: { host: { ...fqdn, type: ['string', 'null'] } }, additionalProperties: false };
const evacuateHost = { host: fqdn };
/** Open until 2.101, closed from 2.102. */
const queryClosedFrom2102 = [
  { from: '2.1', schema: openQuery({}) },
  { from: '2.102', schema: closedQuery({}) },
] as const;
const adminPass = { adminPass: { type: 'string' } };

export const migrationOperations = [
  op({
    id: 'nova.migration.list',
    method: 'GET',
    path: '/v2.1/os-migrations',
    summary: 'List migrations',
    policy: 'os_compute_api:os-migrations:index',
    answer: MigrationList,
    query: [
      { from: '2.1', schema: openQuery(FILTERS) },
      { from: '2.59', schema: closedQuery(FROM_259) },
      { from: '2.66', schema: closedQuery(FROM_266) },
      { from: '2.80', schema: closedQuery(FROM_280) },
    ],
    handle: list,
  }),
  op({
    id: 'nova.server.resize',
    method: 'POST',
    path: ACTION,
    action: 'resize',
    summary: 'Resize a server',
    policy: 'os_compute_api:servers:resize',
    answer: 'none',
    success: 202,
    body: actionBody('resize', object({ flavorRef: { type: ['string', 'integer'], minLength: 1 }, 'OS-DCF:diskConfig': diskConfig }, ['flavorRef'])),
    async handle(app, request) {
      const { resize } = request.body as { readonly resize: { readonly flavorRef: string | number; readonly 'OS-DCF:diskConfig'?: 'AUTO' | 'MANUAL' } };
      await app.migrations.resize(request, id(request), String(resize.flavorRef), resize['OS-DCF:diskConfig']);
    },
  }),
  op({
    id: 'nova.server.confirm_resize',
    method: 'POST',
    path: ACTION,
    action: 'confirmResize',
    summary: 'Confirm a resize',
    policy: 'os_compute_api:servers:confirm_resize',
    answer: 'none',
    success: 204,
    body: actionBody('confirmResize', {}),
    async handle(app, request) {
      await app.migrations.confirm(request, id(request));
      return new Reply(undefined);
    },
  }),
  op({
    id: 'nova.server.revert_resize',
    method: 'POST',
    path: ACTION,
    action: 'revertResize',
    summary: 'Revert a resize',
    policy: 'os_compute_api:servers:revert_resize',
    answer: 'none',
    success: 202,
    body: actionBody('revertResize', {}),
    handle: (app, request) => app.migrations.revert(request, id(request)),
  }),
  op({
    id: 'nova.server.migrate',
    method: 'POST',
    path: ACTION,
    action: 'migrate',
    summary: 'Move a server to another host',
    policy: 'os_compute_api:os-migrate-server:migrate',
    answer: 'none',
    success: 202,
    body: [
      { from: '2.1', schema: actionBody('migrate', {}) },
      { from: '2.56', schema: actionBody('migrate', HOST_OR_NOTHING) },
    ],
    async handle(app, request) {
      const { migrate } = request.body as { readonly migrate: { readonly host?: string | null } | null };
      const host = request.version.atLeast('2.56') ? migrate?.host || undefined : undefined;
      await app.migrations.migrate(request, id(request), host);
    },
  }),
  op({
    id: 'nova.server.migrate_live',
    method: 'POST',
    path: ACTION,
    action: 'os-migrateLive',
    summary: 'Move a running server to another host',
    policy: 'os_compute_api:os-migrate-server:migrate_live',
    answer: 'none',
    success: 202,
    body: [
      {
        from: '2.1',
        schema: liveFrom({ block_migration: boolean, disk_over_commit: boolean, host: liveHost }, ['block_migration', 'disk_over_commit', 'host']),
      },
      { from: '2.25', schema: liveFrom({ block_migration: boolOrAuto, host: liveHost }, ['block_migration', 'host']) },
      { from: '2.30', schema: liveFrom({ block_migration: boolOrAuto, host: liveHost, force: boolean }, ['block_migration', 'host']) },
      { from: '2.68', schema: liveFrom({ block_migration: boolOrAuto, host: liveHost }, ['block_migration', 'host']) },
    ],
    async handle(app, request) {
      const { version } = request;
      const asked = (request.body as LiveBody)['os-migrateLive'];
      const host = asked.host || undefined;
      if (version.atLeast('2.30') && booleanOf(asked.force ?? false) === true && host === undefined)
        throw invalidInput("Can't force to a non-provided destination");
      const blockMigration = version.atLeast('2.25') && asked.block_migration === 'auto' ? undefined : booleanOf(asked.block_migration);
      await app.migrations.migrateLive(request, id(request), { host, blockMigration, waits: version.before('2.34') });
    },
  }),
  op({
    id: 'nova.server.migration.list',
    method: 'GET',
    path: '/v2.1/servers/{server_id}/migrations',
    since: '2.23',
    summary: "List a server's live migrations in progress",
    policy: 'os_compute_api:servers:migrations:index',
    answer: LiveMigrationList,
    query: queryClosedFrom2102,
    async handle(app, request) {
      const showsHost = request.allowed('os_compute_api:servers:migrations:index:host');
      return { migrations: (await app.migrations.inProgress(request, id(request))).map((row) => progressView(request, row, showsHost)) };
    },
  }),
  op({
    id: 'nova.server.migration.show',
    method: 'GET',
    path: '/v2.1/servers/{server_id}/migrations/{id}',
    since: '2.23',
    summary: 'Show a live migration in progress',
    policy: 'os_compute_api:servers:migrations:show',
    answer: OneLiveMigration,
    query: queryClosedFrom2102,
    async handle(app, request) {
      return { migration: progressView(request, await app.migrations.progressOf(request, id(request), request.params['id'] as string), true) };
    },
  }),
  op({
    id: 'nova.server.migration.force_complete',
    method: 'POST',
    path: '/v2.1/servers/{server_id}/migrations/{id}/action',
    action: 'force_complete',
    since: '2.22',
    summary: 'Make a live migration end',
    policy: 'os_compute_api:servers:migrations:force_complete',
    answer: 'none',
    success: 202,
    body: actionBody('force_complete', { type: 'null' }),
    handle: (app, request) => app.migrations.forceComplete(request, id(request), request.params['id'] as string),
  }),
  op({
    id: 'nova.server.migration.delete',
    method: 'DELETE',
    path: '/v2.1/servers/{server_id}/migrations/{id}',
    since: '2.24',
    summary: 'Abort a live migration',
    policy: 'os_compute_api:servers:migrations:delete',
    answer: 'none',
    success: 202,
    handle: (app, request) => app.migrations.abort(request, id(request), request.params['id'] as string, request.version.atLeast('2.65')),
  }),
  op({
    id: 'nova.server.evacuate',
    method: 'POST',
    path: ACTION,
    action: 'evacuate',
    summary: 'Build a server of a lost host anew',
    policy: 'os_compute_api:os-evacuate',
    answer: 'none',
    body: [
      { from: '2.1', schema: actionBody('evacuate', object({ ...evacuateHost, onSharedStorage: boolean, ...adminPass }, ['onSharedStorage'])) },
      { from: '2.14', schema: actionBody('evacuate', object({ ...evacuateHost, ...adminPass })) },
      { from: '2.29', schema: actionBody('evacuate', object({ ...evacuateHost, ...adminPass, force: boolean })) },
      { from: '2.68', schema: actionBody('evacuate', object({ ...evacuateHost, ...adminPass })) },
    ],
    async handle(app, request) {
      const { version } = request;
      const { evacuate: asked } = request.body as {
        readonly evacuate: { readonly host?: string; readonly onSharedStorage?: unknown; readonly adminPass?: string; readonly force?: unknown };
      };
      const force = version.atLeast('2.29') && booleanOf(asked.force ?? false) === true;
      if (force && asked.host === undefined) throw invalidInput("Can't force to a non-provided destination");
      const tellsPassword = version.before('2.14');
      const shared = tellsPassword && booleanOf(asked.onSharedStorage) === true;
      if (shared && asked.adminPass !== undefined) throw invalidInput("admin password can't be changed on existing disk");
      const password = await app.migrations.evacuate(request, id(request), {
        host: asked.host,
        force,
        adminPass: asked.adminPass,
        stopped: version.atLeast('2.95'),
        tellsPassword,
      });
      return tellsPassword ? { adminPass: shared ? null : password } : new Reply(undefined);
    },
  }),
];
