import { isoNaiveMicros } from '@cairn/kit/clock/clock';
import { isAdmin } from '@cairn/kit/context/context';
import { invalidInput } from '@cairn/kit/errors/errors';
import { type AnyBody, Reply, type Request } from '@cairn/kit/http/operation';
import type { ListRequest } from '@cairn/kit/store/list';
import type { CinderApp } from '../app/app.ts';
import { projectScope } from '../app/lists.ts';
import { acceptTransfer, cancelTransfer, createTransfer, getTransfer, listTransfers, TRANSFER_LIST as spec } from '../app/transfers.ts';
import type { TransferRow } from '../store/tables.ts';
import { AcceptedTransfer, OneTransfer, TransferDetailList, TransferList } from './answers/backups.ts';
import { linksTo, nextLink } from './links.ts';
import { conditionsOf, pageWithOffset, readList, sortFor } from './list.ts';
import { op, schema } from './op.ts';
import * as part from './schemas.ts';
import { asBoolean, queryBoolean } from './values.ts';

const RENAME = { name: 'display_name' };
/** Links name the older of the two paths, whichever was asked. */
const COLLECTION = 'os-volume-transfer';
const OLDEST_FIRST = [
  { field: 'created_at', direction: 'asc' as const },
  { field: 'id', direction: 'asc' as const },
];

const summary = (request: Request, row: TransferRow): object => ({
  id: row.id,
  volume_id: row.volume_id,
  name: row.name,
  links: linksTo(request, COLLECTION, row.id),
});

const detail = (request: Request, row: TransferRow, authKey?: string): object => ({
  id: row.id,
  created_at: isoNaiveMicros(row.created_at_ms),
  name: row.name,
  volume_id: row.volume_id,
  ...(authKey !== undefined && { auth_key: authKey }),
  links: linksTo(request, COLLECTION, row.id),
  ...(request.version.atLeast('3.55') && { no_snapshots: row.no_snapshots === 1 }),
  ...(request.version.atLeast('3.57') && { destination_project_id: null, source_project_id: row.source_project_id, accepted: false }),
});

/** The two collections differ in paging and in what a creation may say. */
function operations(path: 'os-volume-transfer' | 'volume-transfers') {
  const modern = path === 'volume-transfers';
  const id = modern ? 'cinder.transfer' : 'cinder.os-volume-transfer';
  const idOf = (request: Request): string => request.params['transfer_id'] ?? '';

  async function list(app: CinderApp, request: Request, view: (request: Request, row: TransferRow) => object): Promise<object> {
    const paged = modern && request.version.atLeast('3.59');
    const ask = readList(request, app.deps.options.maxLimit, paged ? undefined : OLDEST_FIRST);
    const { filters } = ask;
    const everybody = isAdmin(request.ctx) && filters.has('all_tenants') && queryBoolean(filters, 'all_tenants');
    filters.delete('all_tenants');
    const conditions = conditionsOf({ spec, rename: RENAME, verbatim: ['display_name'], booleans: ['no_snapshots'] }, filters);
    if (!conditions) return { transfers: [] };
    const listed: ListRequest = {
      ...projectScope(request.ctx, everybody),
      filters: conditions.filters,
      sort: paged ? sortFor(spec, ask.sort, RENAME) : OLDEST_FIRST,
    };
    const rows = await pageWithOffset((page) => listTransfers(app.deps.env.store.read, page), listed, paged ? ask : { ...ask, marker: undefined });
    const last = rows.at(-1);
    return {
      transfers: rows.map((row) => view(request, row)),
      ...(last && ask.limit <= rows.length && { transfers_links: nextLink(request, COLLECTION, last.id) }),
    };
  }

  return [
    op({
      id: `${id}.list`,
      method: 'GET',
      path: `/v3/${path}`,
      summary: 'List transfers',
      policy: 'volume:get_all_transfers',
      answer: TransferList,
      handle: (app, request) => list(app, request, summary),
    }),
    op({
      id: `${id}.list-detail`,
      method: 'GET',
      path: `/v3/${path}/detail`,
      summary: 'List transfers with details',
      policy: 'volume:get_all_transfers',
      answer: TransferDetailList,
      handle: (app, request) => list(app, request, (req, row) => detail(req, row)),
    }),
    op({
      id: `${id}.show`,
      method: 'GET',
      path: `/v3/${path}/{transfer_id}`,

      summary: 'Show a transfer',
      policy: 'volume:get_transfer',
      answer: OneTransfer,
      handle: async (app, request) => ({ transfer: detail(request, await getTransfer(app.deps.env.store.read, request, idOf(request))) }),
    }),
    op({
      id: `${id}.create`,
      method: 'POST',
      path: `/v3/${path}`,

      summary: 'Offer a volume to another project',
      policy: 'volume:create_transfer',
      answer: OneTransfer,
      success: 202,
      body: [
        { from: '3.0', schema: schema(part.wrapped('transfer', { volume_id: part.uuid, name: part.trimmedName }, ['volume_id'])) },
        {
          from: '3.55',
          schema: schema(
            part.wrapped('transfer', { volume_id: part.uuid, name: part.trimmedName, ...(modern && { no_snapshots: part.boolean }) }, ['volume_id']),
          ),
        },
      ],
      async handle(app, request) {
        const body = (request.body as AnyBody).transfer as Record<string, AnyBody>;
        const name = body['name'] == null ? null : (body['name'] as string).trim();
        if (name === '') throw invalidInput("An invalid 'name' value was provided. The 'name' can not be empty.", { field: 'name' });
        if (name !== null && [...name].length > 255)
          throw invalidInput("An invalid 'name' value was provided. The 'name' can not be greater than 255 characters.", { field: 'name' });
        const { row, authKey } = await createTransfer(app, request, {
          volumeId: body['volume_id'],
          name,
          noSnapshots: modern && asBoolean(body['no_snapshots'] ?? false),
          encryptedToo: modern && request.version.atLeast('3.70'),
        });
        return { transfer: detail(request, row, authKey) };
      },
    }),
    op({
      id: `${id}.accept`,
      method: 'POST',
      path: `/v3/${path}/{transfer_id}/accept`,

      summary: 'Accept an offered volume',
      policy: 'volume:accept_transfer',
      answer: AcceptedTransfer,
      success: 202,
      body: schema(part.wrapped('accept', { auth_key: { type: ['string', 'integer'] } }, ['auth_key'])),
      handle: async (app, request) => ({
        transfer: summary(request, await acceptTransfer(app, request, idOf(request), String((request.body as AnyBody).accept.auth_key))),
      }),
    }),
    op({
      id: `${id}.delete`,
      method: 'DELETE',
      path: `/v3/${path}/{transfer_id}`,

      summary: 'Take back the offer of a volume',
      policy: 'volume:delete_transfer',
      answer: 'none',
      success: 202,
      async handle(app, request) {
        await cancelTransfer(app, request, idOf(request));
        return new Reply();
      },
    }),
  ];
}

export const transferOperations = [...operations('os-volume-transfer'), ...operations('volume-transfers')];
