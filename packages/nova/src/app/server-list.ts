import { isAdmin } from '@cairn/kit/context/context';
import { forbidden, invalidInput } from '@cairn/kit/errors/errors';
import type { Version } from '@cairn/kit/http/microversion';
import type { Filter, TagFilter } from '@cairn/kit/store/list-filter';
import type { Sort } from '@cairn/kit/store/list';
import type { Db } from '@cairn/kit/store/store';
import type { ServerRow } from '../store/server.ts';
import { pageOfServers, serverExists } from '../store/server-list.ts';
import { findFlavor } from '../store/flavor.ts';
import type { Caller } from './caller.ts';
import { untilMs } from './changes-before.ts';
import type { NovaDeps } from './deps.ts';
import { SafeRegex } from './safe-regex.ts';
import { statesOfStatuses } from './server-states.ts';
import { isTrue } from './block-devices.ts';

/** What GET /servers came down to. */
interface ListPlan {
  readonly filters: Filter[];
  readonly tags: TagFilter;
  /** Column and pattern; they are matched after the database has chosen by the rest. */
  readonly patterns: { readonly field: string; readonly regex: SafeRegex }[];
  /** Parts of addresses; a server has one of them at least. */
  readonly addresses: string[];
  readonly sort: Sort[];
  readonly limit: number;
  readonly marker: string | undefined;
  readonly projectId: string | undefined;
  /** The flavor filter's value; a flavor that is not there makes the list empty. */
  readonly flavorId: string | undefined;
}

const PAGING = ['sort_key', 'sort_dir', 'limit', 'marker', 'page_size', 'offset'];
const TAG_FILTERS = ['tags', 'tags-any', 'not-tags', 'not-tags-any'] as const;
const JOINED = ['block_device_mapping', 'services', 'metadata', 'system_metadata', 'info_cache', 'security_groups', 'pci_devices'];
/** Other names of the same column. */
const ALIASES: Readonly<Record<string, string>> = { image: 'image_ref', name: 'display_name', description: 'display_description', tenant_id: 'project_id' };
const EXACT = ['project_id', 'user_id', 'image_ref', 'vm_state', 'task_state', 'uuid', 'host'];
/** Sort keys that are taken and do nothing. */
export const IGNORED_SORT_KEYS: ReadonlySet<string> = new Set([
  'architecture',
  'cell_name',
  'cleaned',
  'default_ephemeral_device',
  'default_swap_device',
  'deleted',
  'deleted_at',
  'disable_terminate',
  'ephemeral_gb',
  'ephemeral_key_uuid',
  'id',
  'key_data',
  'launched_on',
  'locked',
  'memory_mb',
  'os_type',
  'reservation_id',
  'root_gb',
  'shutdown_terminate',
  'user_data',
  'vcpus',
  'vm_mode',
]);
/** Columns that this cloud's servers do not have: all rows sort alike by them. */
const CONSTANT_SORT_KEYS = new Set(['progress', 'kernel_id', 'ramdisk_id']);
/** The text of a column as upstream's database has it; undefined for null, which matches no pattern. */
const TEXT_OF: Readonly<Record<string, (row: ServerRow) => string | null>> = {
  display_name: (row) => row.name,
  display_description: (row) => row.description,
  hostname: (row) => row.hostname,
  key_name: (row) => row.key_name,
  power_state: (row) => String(row.power_state),
  node: (row) => row.node,
  kernel_id: () => '',
  ramdisk_id: () => '',
  reservation_id: (row) => row.reservation_id,
  launched_at: (row) => dateText(row.launched_at_ms),
  terminated_at: (row) => dateText(row.terminated_at_ms),
  created_at: (row) => dateText(row.created_at_ms),
  availability_zone: (row) => row.availability_zone,
  locked_by: (row) => row.locked_by,
  root_device_name: (row) => row.root_device,
  config_drive: (row) => (row.config_drive === 1 ? 'True' : ''),
  access_ip_v4: (row) => row.access_ip_v4,
  access_ip_v6: (row) => row.access_ip_v6,
  auto_disk_config: (row) => String(row.auto_disk_config),
  progress: () => '0',
  launch_index: (row) => String(row.launch_index),
};
const dateText = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString().slice(0, 19).replace('T', ' '));

/** Options that those may use who may not use all. */
function openOptions(version: Version): Set<string> {
  const options = new Set(['reservation_id', 'name', 'status', 'image', 'flavor', 'ip', 'changes-since', 'all_tenants']);
  const add = (from: string, ...names: string[]): void => {
    if (version.atLeast(from)) for (const name of names) options.add(name);
  };
  add('2.5', 'ip6');
  add('2.26', ...TAG_FILTERS);
  add('2.66', 'changes-before');
  add('2.73', 'locked');
  add(
    '2.83',
    'availability_zone',
    'config_drive',
    'key_name',
    'created_at',
    'launched_at',
    'terminated_at',
    'power_state',
    'task_state',
    'vm_state',
    'progress',
    'user_id',
  );
  add('2.90', 'hostname');
  return options;
}

/** Reads the query of GET /servers as upstream does; undefined when no server can match (an unknown status before 2.38). */
export function planList(
  caller: Caller,
  query: URLSearchParams,
  version: Version,
  options: { readonly detail: boolean; readonly maxLimit: number },
): ListPlan | undefined {
  // of a repeated parameter the last one counts
  const search = new Map<string, string>(query);
  if (caller.allowed('os_compute_api:servers:allow_all_filters')) for (const key of PAGING) search.delete(key);
  else {
    const open = openOptions(version);
    for (const key of search.keys()) if (!open.has(key)) search.delete(key);
  }
  for (const key of search.keys()) if (JOINED.includes(key) || key.startsWith('_')) throw invalidInput(`Invalid filter field: ${key}.`);

  const filters: Filter[] = [];
  const admin = isAdmin(caller.ctx);
  let vmStates: string[] | undefined;
  let taskStates: string[] | undefined;
  search.delete('status');
  if (query.has('status')) {
    const states = statesOfStatuses(query.getAll('status'));
    if (states.vmStates.length === 0 && states.taskStates.length === 0) {
      if (version.atLeast('2.38')) throw invalidInput('Invalid status value');
      return undefined;
    }
    vmStates = states.vmStates;
    if (!states.taskStates.includes('default')) taskStates = states.taskStates;
  }
  const vmState = search.get('vm_state');
  if (vmStates === undefined && vmState !== undefined) vmStates = [vmState];
  if (vmStates !== undefined) search.delete('vm_state');
  if (taskStates !== undefined) search.delete('task_state');

  const since = time(search, 'changes-since');
  const before = time(search, 'changes-before');
  if (since !== undefined && before !== undefined && before < since) {
    throw invalidInput('The value of changes-since must be less than or equal to changes-before.');
  }
  let deleted: boolean | undefined;
  if (search.has('deleted')) deleted = isTrue(search.get('deleted'));
  else if (since === undefined && before === undefined) deleted = false;
  if (vmStates?.length === 1 && vmStates[0] === 'deleted') {
    if (!admin) throw forbidden('Only administrators may list deleted instances');
    deleted = true;
    // a deleted row keeps the state that it had
    vmStates = undefined;
  }
  if (vmStates !== undefined) filters.push({ field: 'vm_state', op: 'in', value: vmStates });
  if (taskStates !== undefined) filters.push({ field: 'task_state', op: 'in', value: taskStates });
  if (since !== undefined) filters.push({ field: 'updated_at', op: 'gte', value: since });
  if (before !== undefined) filters.push({ field: 'updated_at', op: 'lte', value: untilMs(before) });
  if (deleted !== undefined) filters.push({ field: 'deleted', op: 'eq', value: deleted ? 1 : 0 });

  const tags: { -readonly [K in keyof TagFilter]: TagFilter[K] } = {};
  if (version.atLeast('2.26')) {
    const list = (name: string): string[] | undefined => search.get(name)?.split(',');
    const [all, any, notAll, notAny] = TAG_FILTERS.map(list);
    if (all !== undefined) tags.all = all;
    if (any !== undefined) tags.any = any;
    if (notAll !== undefined) tags.notAll = notAll;
    if (notAny !== undefined) tags.notAny = notAny;
  }

  let projectId: string | undefined;
  if (allTenants(search)) {
    caller.authorize(`os_compute_api:servers:${options.detail ? 'detail' : 'index'}:get_all_tenants`);
  } else {
    search.delete('tenant_id');
    search.delete('project_id');
    projectId = caller.ctx.projectId;
    if (projectId !== undefined) filters.push({ field: 'project_id', op: 'eq', value: projectId });
    else search.set('user_id', caller.ctx.userId);
  }
  const locked = search.get('locked');
  if (locked !== undefined && version.atLeast('2.73')) filters.push({ field: 'locked', op: 'eq', value: strictBoolean(locked) ? 1 : 0 });

  const patterns: ListPlan['patterns'] = [];
  for (const [key, value] of search) {
    const field = ALIASES[key] ?? key;
    if (EXACT.includes(field)) filters.push({ field, op: 'eq', value });
    else if (Object.hasOwn(TEXT_OF, field)) patterns.push({ field, regex: pattern(key, value) });
  }
  const addresses = [search.get('ip'), version.atLeast('2.5') || admin ? search.get('ip6') : undefined].filter(
    (part) => part !== undefined && part !== '',
  ) as string[];
  return {
    filters,
    tags,
    patterns,
    addresses,
    sort: sortOf(query, version, admin),
    limit: Math.min(limitOf(query.get('limit')) ?? options.maxLimit, options.maxLimit),
    marker: query.get('marker') ?? undefined,
    projectId,
    flavorId: search.get('flavor'),
  };
}

function time(search: Map<string, string>, key: string): number | undefined {
  const text = search.get(key);
  if (text === undefined) return undefined;
  search.delete(key);
  // a time without a zone is in UTC
  const ms = Date.parse(/[zZ]|[+-]\d\d:?\d\d$/.test(text) ? text : `${text.replace(' ', 'T')}Z`);
  if (Number.isNaN(ms)) throw invalidInput(`Invalid filter field: ${key}.`);
  return ms;
}

function allTenants(search: Map<string, string>): boolean {
  const text = search.get('all_tenants');
  search.delete('all_tenants');
  if (text === undefined) return false;
  return text === '' || strictBoolean(text);
}

function strictBoolean(text: string): boolean {
  const lower = text.trim().toLowerCase();
  if (isTrue(lower)) return true;
  if (['false', '0', 'off', 'no', 'f', 'n'].includes(lower)) return false;
  throw invalidInput(
    `Invalid input received: Unrecognized value '${text}', acceptable values are: '0', '1', 'f', 'false', 'n', 'no', 'off', 'on', 't', 'true', 'y', 'yes'`,
  );
}

function pattern(key: string, value: string): SafeRegex {
  try {
    return new SafeRegex(value);
  } catch {
    throw invalidInput(`Invalid input for query parameters ${key}. Value: ${value}. '${value}' is not a 'regex'`);
  }
}

/** A limit of the query: undefined when absent or 0... the latter is upstream's way to say "as many as there are". */
export function limitOf(text: string | null): number | undefined {
  if (text === null) return undefined;
  if (!/^\d+$/.test(text.trim())) throw invalidInput(`Invalid input received: limit must be an integer`);
  return Math.min(Number(text), Number.MAX_SAFE_INTEGER);
}

function sortOf(query: URLSearchParams, version: Version, admin: boolean): Sort[] {
  const keys = query.getAll('sort_key').map((key) => key.trim());
  const directions = query.getAll('sort_dir').map((direction) => direction.trim());
  if (keys.length === 0) keys.push('created_at');
  if (directions.length === 0) directions.push('desc');
  const ignored = (key: string): boolean => IGNORED_SORT_KEYS.has(key) && !(key === 'locked' && version.atLeast('2.73'));
  for (const key of keys.slice()) {
    const at = keys.indexOf(key);
    if (ignored(key)) {
      if (directions.length > at) directions.splice(at, 1);
      keys.splice(at, 1);
    } else if (!admin && (key === 'host' || key === 'node')) throw forbidden(`Only administrators can sort servers by ${key}`);
  }
  for (const direction of directions) {
    if (direction !== 'asc' && direction !== 'desc') throw invalidInput("Invalid input received: Unknown sort direction, must be 'desc' or 'asc'");
  }
  if (directions.length > keys.length) throw invalidInput('Invalid input received: Sort direction size exceeds sort key size');
  const first = (directions[0] ?? 'desc') as 'asc' | 'desc';
  const sorts = keys.flatMap((key, at): Sort[] =>
    CONSTANT_SORT_KEYS.has(key) ? [] : [{ field: key, direction: (directions[at] as 'asc' | 'desc' | undefined) ?? first }],
  );
  return [...sorts, { field: 'created_at', direction: first }, { field: 'seq', direction: first }];
}

/** The servers that a plan finds. Throws upstream's 400 for an unknown marker. */
export async function listServers(deps: NovaDeps, db: Db, plan: ListPlan): Promise<readonly ServerRow[]> {
  const { marker } = plan;
  if (marker !== undefined && !(await serverExists(db, marker))) throw invalidInput(`marker [${marker}] not found`);
  const filters = [...plan.filters];
  if (plan.flavorId !== undefined) {
    if ((await findFlavor(db, plan.flavorId, { projectId: undefined, everything: true })) === undefined) return [];
    filters.push({ field: 'instance_type_id', op: 'eq', value: plan.flavorId });
  }
  if (plan.addresses.length > 0) {
    const found = await Promise.all(plan.addresses.map((part) => deps.faces.neutron.devicesByAddress(db, part, plan.projectId)));
    filters.push({ field: 'uuid', op: 'in', value: [...new Set(found.flat())] });
  }
  if (plan.limit === 0) return [];
  const rows: ServerRow[] = [];
  let from = marker;
  for (;;) {
    const wanted = plan.patterns.length === 0 ? plan.limit - rows.length : deps.options.maxLimit;
    const page = await pageOfServers(db, { filters, tags: plan.tags, sort: plan.sort, limit: wanted, marker: from });
    for (const row of page.rows) {
      if (!plan.patterns.every(({ field, regex }) => matches(TEXT_OF[field]?.(row) ?? null, regex))) continue;
      rows.push(row);
      if (rows.length === plan.limit) return rows;
    }
    if (!page.hasMore || page.rows.length === 0) return rows;
    from = page.rows.at(-1)?.id;
  }
}

const matches = (text: string | null, regex: SafeRegex): boolean => text !== null && regex.test(text);
