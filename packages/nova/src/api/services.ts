import { isoNaiveMicros } from '@cairn/kit/clock/clock';
import { invalidInput, notFound } from '@cairn/kit/errors/errors';
import { type AnyBody, Reply, type Request } from '@cairn/kit/http/operation';
import { isUuidLike } from '@cairn/kit/ids/ids';
import type { NovaApp } from '../app/app.ts';
import type { ServiceFacts } from '../app/zones.ts';
import { OneService, ServiceByName, ServiceList } from './answers/hosts.ts';
import { op } from './op.ts';
import { booleanOf, last, queryClosedFrom275, text } from './query.ts';
import { boolean, fqdn, object } from './schemas/types.ts';

const shortText = { type: 'string', minLength: 1, maxLength: 255 };
const named = { host: fqdn, binary: shortText, disabled_reason: shortText };
const NAMED = [
  { from: '2.1', schema: object(named, ['host', 'binary']) },
  { from: '2.11', schema: object({ ...named, forced_down: boolean }, ['host', 'binary']) },
] as const;
const UPDATE = object({ status: { type: 'string', enum: ['enabled', 'disabled'] }, disabled_reason: shortText, forced_down: boolean });

interface NamedBody {
  readonly host: string;
  readonly binary: string;
  readonly disabled_reason?: string;
  readonly forced_down?: boolean | string;
}

const view = (req: Request<AnyBody>, { row, zone, up }: ServiceFacts): object => ({
  id: req.version.atLeast('2.53') ? row.id : row.seq,
  binary: row.binary,
  host: row.host,
  zone,
  status: row.disabled === 0 ? 'enabled' : 'disabled',
  state: up ? 'up' : 'down',
  updated_at: row.last_seen_at_ms === null ? null : isoNaiveMicros(row.last_seen_at_ms),
  disabled_reason: row.disabled_reason,
  ...(req.version.atLeast('2.11') && { forced_down: row.forced_down !== 0 }),
});

/** `PUT /os-services/<what>` until 2.52: the path says what is done, the body with which service. */
async function byName(app: NovaApp, req: Request<AnyBody>): Promise<object> {
  const { host, binary, disabled_reason: reason, forced_down: forced } = req.body as NamedBody;
  const by = { host, binary };
  switch (req.params.service_id) {
    case 'enable':
      await app.services.change(req.ctx, by, { disabled: 0, disabled_reason: null });
      return { service: { host, binary, status: 'enabled' } };
    case 'disable':
      await app.services.change(req.ctx, by, { disabled: 1, disabled_reason: null });
      return { service: { host, binary, status: 'disabled' } };
    case 'disable-log-reason':
      if (reason === undefined) throw invalidInput('Missing disabled reason field', { field: 'disabled_reason' });
      await app.services.change(req.ctx, by, { disabled: 1, disabled_reason: reason });
      return { service: { host, binary, status: 'disabled', disabled_reason: reason } };
    case 'force-down': {
      if (req.version.before('2.11')) break;
      if (forced === undefined) throw invalidInput('Missing forced_down field', { field: 'forced_down' });
      const down = booleanOf(forced) === true;
      await app.services.change(req.ctx, by, { forced_down: down ? 1 : 0 });
      return { service: { host, binary, forced_down: down } };
    }
  }
  throw notFound('Unknown action');
}

export const serviceOperations = [
  op({
    id: 'nova.service.list',
    method: 'GET',
    path: '/v2.1/os-services',
    summary: 'List compute services',
    policy: 'os_compute_api:os-services:list',
    answer: ServiceList,
    query: queryClosedFrom275({ host: text, binary: text }),
    async handle(app, req) {
      const host = last(req, 'host');
      const binary = last(req, 'binary');
      const services = await app.zones.services(app.deps.env.store.read);
      return { services: services.filter(({ row }) => (!host || row.host === host) && (!binary || row.binary === binary)).map((facts) => view(req, facts)) };
    },
  }),
  op({
    id: 'nova.service.update-by-name',
    method: 'PUT',
    path: '/v2.1/os-services/{service_id}',
    summary: 'Enable or disable a service, or declare it down',
    until: '2.52',
    policy: 'os_compute_api:os-services:update',
    answer: ServiceByName,
    body: NAMED,
    handle: byName,
  }),
  op({
    id: 'nova.service.update',
    method: 'PUT',
    path: '/v2.1/os-services/{service_id}',
    summary: 'Change a service',
    since: '2.53',
    policy: 'os_compute_api:os-services:update',
    answer: OneService,
    body: UPDATE,
    async handle(app, req) {
      const id = req.params.service_id as string;
      if (!isUuidLike(id)) throw invalidInput(`Invalid uuid ${id}`, { field: 'service_id' });
      const {
        status,
        disabled_reason: reason,
        forced_down: forced,
      } = req.body as { status?: string; disabled_reason?: string; forced_down?: boolean | string };
      await app.services.change(req.ctx, { id }, () => {
        if (status === 'enabled' && reason !== undefined)
          throw invalidInput("Specifying 'disabled_reason' with status 'enabled' is invalid.", { field: 'disabled_reason' });
        if (status === undefined && forced === undefined)
          throw invalidInput("No updates were requested. Fields 'status' or 'forced_down' should be specified.");
        return {
          ...(status !== undefined && { disabled: status === 'disabled' ? 1 : 0, disabled_reason: reason ?? null }),
          ...(forced !== undefined && { forced_down: booleanOf(forced) === true ? 1 : 0 }),
        };
      });
      const facts = (await app.zones.services(app.deps.env.store.read)).find(({ row }) => row.id === id);
      if (facts === undefined) throw notFound(`Service ${id} could not be found.`);
      return { service: view(req, facts) };
    },
  }),
  op({
    id: 'nova.service.delete',
    method: 'DELETE',
    path: '/v2.1/os-services/{service_id}',
    summary: 'Forget a service',
    policy: 'os_compute_api:os-services:delete',
    answer: 'none',
    success: 204,
    async handle(app, req) {
      const id = req.params.service_id as string;
      if (req.version.atLeast('2.53')) {
        if (!isUuidLike(id)) throw invalidInput(`Invalid uuid ${id}`, { field: 'service_id' });
        await app.services.delete(req.ctx, { id });
      } else {
        if (!/^\d{1,15}$/.test(id)) throw invalidInput('Invalid input received: id must be an integer', { field: 'service_id' });
        await app.services.delete(req.ctx, { seq: Number(id) });
      }
      return new Reply(undefined);
    },
  }),
];
