import { isoNaiveMicros } from '@cairn/kit/clock/clock';
import { invalidInput } from '@cairn/kit/errors/errors';
import type { Request } from '@cairn/kit/http/operation';
import { targetOf } from '../app/caller.ts';
import { untilMs } from '../app/changes-before.ts';
import type { ActionEvent } from '../app/instance-actions.ts';
import { limitOf } from '../app/server-list.ts';
import type { ActionRow } from '../store/action.ts';
import type { ServerRow } from '../store/server.ts';
import { ActionList, OneAction } from './answers/server-parts.ts';
import { op } from './op.ts';
import { anyQuery, nonNegativeInteger, object } from './schemas/types.ts';
import { nextLinks } from './views/links.ts';
import { hostIdOf } from './views/server.ts';

const PATH = '/v2.1/servers/{server_id}/os-instance-actions';
const time = { type: 'string', format: 'date-time' };
const page = { limit: nonNegativeInteger, marker: { type: 'string' }, 'changes-since': time };

const actionView = ({ version }: Request, row: ActionRow): object => ({
  action: row.action,
  instance_uuid: row.server_id,
  request_id: row.request_id,
  user_id: row.user_id,
  project_id: row.project_id,
  start_time: isoNaiveMicros(row.start_at_ms),
  message: row.message,
  ...(version.atLeast('2.58') ? { updated_at: isoNaiveMicros(row.updated_at_ms) } : {}),
});

/** Before 2.51 only administrators see events; later everybody does, without tracebacks. */
function eventsView(request: Request, server: ServerRow, events: readonly ActionEvent[]): readonly object[] | undefined {
  const { version } = request;
  const target = targetOf(server);
  const all = request.allowed('os_compute_api:os-instance-actions:events', target);
  if (!all && version.before('2.51')) return undefined;
  const details = version.atLeast('2.84') && request.allowed('os_compute_api:os-instance-actions:events:details', target);
  return events.map((event) => ({
    event: event.event,
    start_time: isoNaiveMicros(event.startMs),
    finish_time: event.finishMs === null ? null : isoNaiveMicros(event.finishMs),
    result: event.result,
    ...(all ? { traceback: event.traceback } : {}),
    ...(all && version.atLeast('2.62') ? { host: server.host } : {}),
    ...(version.atLeast('2.62') ? { hostId: hostIdOf(server) } : {}),
    ...(details ? { details: event.details } : {}),
  }));
}

const timeOf = (text: string | null): number | undefined => (text === null ? undefined : Date.parse(/[zZ]|[+-]\d\d:?\d\d$/.test(text) ? text : `${text}Z`));

export const instanceActionOperations = [
  op({
    id: 'nova.instance_action.list',
    method: 'GET',
    path: PATH,
    summary: "List a server's actions",
    policy: 'os_compute_api:os-instance-actions:list',
    answer: ActionList,
    query: [
      { from: '2.1', schema: anyQuery },
      { from: '2.58', schema: object(page) },
      { from: '2.66', schema: object({ ...page, 'changes-before': time }) },
    ],
    async handle(app, request) {
      const { maxLimit } = app.deps.options;
      const paged = request.version.atLeast('2.58');
      const marker = paged ? request.query.get('marker') : null;
      const since = paged ? timeOf(request.query.get('changes-since')) : undefined;
      const before = paged ? timeOf(request.query.get('changes-before')) : undefined;
      if (since !== undefined && before !== undefined && before < since)
        throw invalidInput('The value of changes-since must be less than or equal to changes-before.');
      const rows = await app.instanceActions.list(
        request,
        request.params['server_id'] as string,
        {
          limit: Math.min((paged ? limitOf(request.query.get('limit')) : undefined) ?? maxLimit, maxLimit),
          ...(marker === null ? {} : { marker }),
          ...(since === undefined ? {} : { changesSinceMs: since }),
          ...(before === undefined ? {} : { changesBeforeMs: untilMs(before) }),
        },
        request.version,
      );
      const links = paged
        ? nextLinks(
            request,
            `servers/${request.params['server_id']}/os-instance-actions`,
            rows.map((row) => row.request_id),
            maxLimit,
          )
        : [];
      return { instanceActions: rows.map((row) => actionView(request, row)), ...(links.length === 0 ? {} : { links }) };
    },
  }),
  op({
    id: 'nova.instance_action.show',
    method: 'GET',
    path: `${PATH}/{request_id}`,
    summary: "Show a server's action",
    policy: 'os_compute_api:os-instance-actions:show',
    answer: OneAction,
    query: anyQuery,
    async handle(app, request) {
      const { server, action, events } = await app.instanceActions.get(
        request,
        request.params['server_id'] as string,
        request.params['request_id'] as string,
        request.version,
      );
      const shown = eventsView(request, server, events);
      return { instanceAction: { ...actionView(request, action), ...(shown === undefined ? {} : { events: shown }) } };
    },
  }),
];
