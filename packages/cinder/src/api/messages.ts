import { isoNaiveMicros } from '@cairn/kit/clock/clock';
import { AUTHENTICATED, Reply, type Request } from '@cairn/kit/http/operation';
import type { ListRequest } from '@cairn/kit/store/list';
import type { CinderApp } from '../app/app.ts';
import { projectScope } from '../app/lists.ts';
import { listMessages, MESSAGE_LIST as spec, messageFor, messageText, removeMessage } from '../app/messages.ts';
import type { MessageRow } from '../store/tables.ts';
import { MessageList, OneMessage, ResourceFilters } from './answers/services.ts';
import { linksTo, nextLink } from './links.ts';
import { conditionsOf, pageWithOffset, readList, RESOURCE_FILTERS, restrictFilters, sortFor } from './list.ts';
import { op } from './op.ts';

const idOf = (request: Request): string => request.params['message_id'] ?? '';

const view = (request: Request, row: MessageRow): object => ({
  id: row.id,
  event_id: row.event_id,
  user_message: messageText(row.action_id, row.detail_id),
  message_level: row.message_level,
  created_at: isoNaiveMicros(row.created_at_ms),
  guaranteed_until: isoNaiveMicros(row.expires_at_ms),
  request_id: row.request_id,
  links: linksTo(request, 'messages', row.id),
  resource_type: row.resource_type,
  ...(row.resource_uuid !== null && { resource_uuid: row.resource_uuid }),
});

async function list(app: CinderApp, request: Request): Promise<object> {
  const { ctx, version } = request;
  const paged = version.atLeast('3.5');
  const ask = readList({ query: paged ? request.query : new URLSearchParams() }, app.deps.options.maxLimit);
  const { filters } = ask;
  if (version.atLeast('3.31')) restrictFilters(request, filters, 'message', RESOURCE_FILTERS['message'] ?? []);
  const conditions = conditionsOf({ spec, verbatim: Object.keys(spec.columns), like: version.atLeast('3.34') }, filters);
  if (!conditions) return { messages: [] };
  const listed: ListRequest = {
    ...projectScope(ctx, true),
    filters: conditions.filters,
    sort: sortFor(spec, ask.sort),
  };
  const rows = await pageWithOffset((page) => listMessages(app.deps.env.store.read, page), listed, ask);
  const last = rows.at(-1);
  return {
    messages: rows.map((row) => view(request, row)),
    ...(last && ask.limit <= rows.length && { messages_links: nextLink(request, 'messages', last.id) }),
  };
}

const messages = [
  op({
    id: 'cinder.message.list',
    method: 'GET',
    path: '/v3/messages',
    since: '3.3',
    summary: 'List messages',
    policy: 'message:get_all',
    answer: MessageList,
    handle: list,
  }),
  op({
    id: 'cinder.message.show',
    method: 'GET',
    path: '/v3/messages/{message_id}',
    since: '3.3',
    summary: 'Show a message',
    policy: 'message:get',
    answer: OneMessage,
    handle: async (app, request) => ({ message: view(request, await messageFor(app.deps.env.store.read, request, idOf(request), 'message:get')) }),
  }),
  op({
    id: 'cinder.message.delete',
    method: 'DELETE',
    path: '/v3/messages/{message_id}',
    since: '3.3',
    summary: 'Delete a message',
    policy: 'message:delete',
    answer: 'none',
    success: 204,
    async handle(app, request) {
      await removeMessage(app, request, idOf(request));
      return new Reply();
    },
  }),
];

const resourceFilters = op({
  id: 'cinder.resource-filter.list',
  method: 'GET',
  path: '/v3/resource_filters',
  since: '3.33',
  summary: 'List the filters that lists know',
  policy: AUTHENTICATED,
  answer: ResourceFilters,
  handle(_app, request) {
    const wanted = request.query.get('resource');
    const all = Object.entries(RESOURCE_FILTERS).filter(([resource]) => wanted === null || wanted === '' || resource === wanted);
    return { resource_filters: all.map(([resource, filters]) => ({ resource, filters })) };
  },
});

export const messageOperations = [...messages, resourceFilters];
