import { isoNaiveMicros, isoSeconds } from '@cairn/kit/clock/clock';
import { CairnError, forbidden, invalidInput } from '@cairn/kit/errors/errors';
import { isUuidLike } from '@cairn/kit/ids/ids';
import { type AnyBody, Reply, type Request } from '@cairn/kit/http/operation';
import type { Json } from '@cairn/kit/saga/saga';
import type { ListRequest } from '@cairn/kit/store/list';
import type { TaskRow } from '../store/data-tables.ts';
import { task, tasksAnswer, tasksOfImageAnswer } from './answers/images.ts';
import { newImage } from './attributes.ts';
import { op } from './op.ts';

const PAGE_DEFAULT = 25;
const PAGE_MAX = 1_000;
const STATUSES = ['pending', 'processing', 'success', 'failure'];
const SORTABLE = new Set(['id', 'type', 'status', 'owner', 'created_at', 'updated_at', 'expires_at', 'image_id', 'user_id', 'request_id']);

/** A task without what only its own page shows. */
const stub = (row: TaskRow): Record<string, unknown> => ({
  id: row.id,
  type: row.type,
  status: row.status,
  owner: row.owner,
  created_at: isoSeconds(row.created_at_ms),
  updated_at: isoSeconds(row.updated_at_ms),
  ...(row.expires_at_ms !== null && { expires_at: isoSeconds(row.expires_at_ms) }),
  self: `/v2/tasks/${row.id}`,
  schema: '/v2/schemas/task',
});

const view = (row: TaskRow): Record<string, unknown> => ({
  ...stub(row),
  input: JSON.parse(row.input) as unknown,
  result: row.result === null ? null : (JSON.parse(row.result) as unknown),
  message: row.message,
  ...(row.image_id !== null && { image_id: row.image_id }),
  ...(row.request_id !== null && { request_id: row.request_id }),
  ...(row.user_id !== null && { user_id: row.user_id }),
});

/** As `GET /v2/images/{id}/tasks` has it: the record as upstream's database gives it. */
const record = (row: TaskRow): object => ({
  id: row.id,
  type: row.type,
  status: row.status,
  owner: row.owner,
  image_id: row.image_id,
  request_id: row.request_id,
  user_id: row.user_id,
  expires_at: row.expires_at_ms === null ? null : isoNaiveMicros(row.expires_at_ms),
  created_at: isoNaiveMicros(row.created_at_ms),
  updated_at: isoNaiveMicros(row.updated_at_ms),
  deleted_at: null,
  deleted: false,
  input: JSON.parse(row.input) as unknown,
  result: row.result === null ? null : (JSON.parse(row.result) as unknown),
  message: row.message,
});

function listRequest(req: Request<AnyBody>): { limit: number; request: ListRequest } {
  const { query } = req;
  const text = query.get('limit');
  if (text !== null && !/^-?\d+$/.test(text)) throw invalidInput('limit param must be an integer', { field: 'limit' });
  if (text !== null && Number(text) < 0) throw invalidInput('limit param must be positive', { field: 'limit' });
  const limit = Math.min(text === null ? PAGE_DEFAULT : Number(text), PAGE_MAX);
  const direction = query.get('sort_dir') ?? 'desc';
  if (direction !== 'asc' && direction !== 'desc') throw invalidInput(`Invalid sort direction: ${direction}`, { field: 'sort_dir' });
  const key = query.get('sort_key') ?? 'created_at';
  if (!SORTABLE.has(key)) throw invalidInput(`Sort key supplied was not valid.`, { field: 'sort_key' });
  const status = query.get('status');
  if (status && !STATUSES.includes(status)) throw invalidInput(`Invalid status value: ${status}`, { field: 'status' });
  const type = query.get('type');
  if (type && type !== 'import') throw invalidInput(`Invalid type value: ${type}`, { field: 'type' });
  const marker = query.get('marker');
  if (marker && !isUuidLike(marker)) throw invalidInput('Invalid marker format', { field: 'marker' });
  const filters = [
    ...(status ? [{ field: 'status', op: 'eq' as const, value: status }] : []),
    ...(type ? [{ field: 'type', op: 'eq' as const, value: type }] : []),
  ];
  const sort = [
    { field: key, direction: direction as 'asc' | 'desc' },
    { field: 'created_at', direction: direction as 'asc' | 'desc' },
  ];
  return { limit, request: { filters, sort, limit, ...(marker && { marker }) } };
}

export const taskOperations = [
  op({
    id: 'glance.task.list',
    method: 'GET',
    path: '/v2/tasks',
    answer: tasksAnswer,
    summary: 'List tasks',
    policy: 'tasks_api_access',
    async handle(app, req) {
      const { limit, request } = listRequest(req);
      const page = await app.tasks.list(req.ctx, request);
      const keep = new URLSearchParams(req.query);
      keep.delete('marker');
      const first = `/v2/tasks${keep.size > 0 ? `?${keep}` : ''}`;
      const last = page.rows.at(-1);
      if (last) keep.set('marker', last.id);
      return {
        tasks: page.rows.map(stub),
        first,
        ...(last && page.rows.length === limit && page.hasMore && { next: `/v2/tasks?${keep}` }),
        schema: '/v2/schemas/tasks',
      };
    },
  }),
  op({
    id: 'glance.task.create',
    method: 'POST',
    path: '/v2/tasks',
    answer: task,
    summary: 'Create a task that makes an image from a URL',
    policy: 'tasks_api_access',
    success: 201,
    async handle(app, req) {
      const body: unknown = req.body;
      if (body === undefined) throw invalidInput('Body expected in request.');
      const wrong = (problem: string) => invalidInput(`Provided object does not match schema 'task': ${problem}`);
      if (body === null || typeof body !== 'object' || Array.isArray(body)) throw wrong("it is not of type 'object'");
      const given = body as Record<string, unknown>;
      for (const field of ['type', 'input']) if (!(field in given)) throw invalidInput(`Task '${field}' is required`, { field });
      if (given.type !== 'import' && given.type !== 'api_image_import' && given.type !== 'location_import')
        throw wrong(`'${String(given.type)}' is not one of ['import', 'api_image_import', 'location_import']`);
      if (given.input === null || typeof given.input !== 'object' || Array.isArray(given.input)) throw wrong("input is not of type 'null', 'object'");
      // these begin with their own calls, which check what a task does not
      if (given.type !== 'import') throw forbidden(`Tasks of type ${given.type} are created by the calls of the image: import, or locations.`);
      const input = given.input as Record<string, unknown>;
      for (const field of ['import_from', 'import_from_format', 'image_properties'])
        if (input[field] === undefined) throw invalidInput(`Input does not contain '${field}' field`, { field });
      if (typeof input.import_from !== 'string') throw invalidInput('Invalid location: it is not a string', { field: 'import_from' });
      const { id: _, change, properties, tags } = newImage(input.image_properties);
      if (change.visibility === 'public') req.authorize('publicize_image');
      const image = { change: { disk_format: 'qcow2', container_format: 'bare', ...change }, properties, tags };
      const row = await app.imports.startTask(req.ctx, { from: input.import_from, image, input: input as unknown as Json });
      return new Reply(view(row), { headers: { location: `/v2/tasks/${row.id}` } });
    },
  }),
  op({
    id: 'glance.task.get',
    method: 'GET',
    path: '/v2/tasks/{task_id}',
    answer: task,
    summary: 'Show a task',
    policy: 'tasks_api_access',
    handle: async (app, req) => view(await app.tasks.get(req.ctx, req.params.task_id as string)),
  }),
  op({
    id: 'glance.task.delete',
    method: 'DELETE',
    path: '/v2/tasks/{task_id}',
    answer: 'none',
    summary: 'Refused: tasks go by themselves when they have expired',
    policy: 'tasks_api_access',
    handle() {
      throw new CairnError(
        'MethodNotAllowed',
        'This operation is currently not permitted on Glance Tasks. They are auto deleted after reaching the time based on their expires_at property.',
        { headers: { Allow: 'GET' } },
      );
    },
  }),
  op({
    id: 'glance.image.tasks',
    method: 'GET',
    path: '/v2/images/{image_id}/tasks',
    answer: tasksOfImageAnswer,
    summary: 'List the tasks of an image',
    policy: 'get_image',
    async handle(app, req) {
      const row = await app.images.visible(app.env.store.read, req.ctx, req.params.image_id as string);
      return { tasks: (await app.tasks.ofImage(req.ctx, row.id)).map(record) };
    },
  }),
];
