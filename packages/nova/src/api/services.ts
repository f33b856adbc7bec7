import { isoNaiveMicros } from '@cairn/kit/clock/clock';
import { invalidInput } from '@cairn/kit/errors/errors';
import { type AnyBody, Reply, type Request } from '@cairn/kit/http/operation';
import Type from 'typebox';
import type { ServiceFacts } from '../app/zones.ts';
import { op } from './op.ts';

const closed = { additionalProperties: false };
const host = Type.String({ minLength: 1, maxLength: 255, pattern: '^[a-zA-Z0-9-._]*$' });
const binary = Type.Unsafe<string>({ enum: ['nova-compute', 'nova-conductor', 'nova-scheduler', 'nova-osapi_compute', 'nova-metadata', 'nova-novncproxy'] });
const ONE = Type.Object({ host, binary }, closed);
const REASON = Type.Object({ host, binary, disabled_reason: Type.String({ minLength: 1, maxLength: 255 }) }, closed);
const bool = Type.Unsafe<boolean | string>({ enum: [true, 'True', 'TRUE', 'true', '1', 'ON', 'On', 'on', 'YES', 'Yes', 'yes', false, 'False', 'FALSE', 'false', '0', 'OFF', 'Off', 'off', 'NO', 'No', 'no'] });
const FORCE = Type.Object({ host, binary, forced_down: bool }, closed);
const UPDATE = Type.Object({ status: Type.Optional(Type.Unsafe<string>({ enum: ['enabled', 'disabled'] })), disabled_reason: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })), forced_down: Type.Optional(bool) }, { ...closed, minProperties: 1 });
const truthy = (value: unknown): boolean => /^(true|1|on|yes)$/i.test(String(value));

const view = (req: Request<AnyBody>, { row, zone, up }: ServiceFacts): object => ({
  id: req.version.atLeast('2.53') ? row.id : row.seq,
  binary: row.binary,
  host: row.host,
  zone,
  status: row.disabled ? 'disabled' : 'enabled',
  state: up ? 'up' : 'down',
  updated_at: row.last_seen_at_ms === null ? null : isoNaiveMicros(row.last_seen_at_ms),
  disabled_reason: row.disabled_reason,
  ...(req.version.atLeast('2.11') && { forced_down: row.forced_down !== 0 }),
});

export const serviceOperations = [
  op({
    id: 'nova.service.list',
    method: 'GET',
    path: '/v2.1/os-services',
    summary: 'List compute services',
    policy: 'os_compute_api:os-services:list',
    async handle(app, req) {
      const wantHost = req.query.get('host');
      const wantBinary = req.query.get('binary');
      const services = (await app.zones.services(app.deps.env.store.read)).filter((s) => (wantHost === null || s.row.host === wantHost) && (wantBinary === null || s.row.binary === wantBinary));
      return { services: services.map((s) => view(req, s)) };
    },
  }),
  op({ id: 'nova.service.enable', method: 'PUT', path: '/v2.1/os-services/enable', summary: 'Enable a service', until: '2.52', policy: 'os_compute_api:os-services:update', body: ONE, async handle(app, req) { await app.services.change(req.ctx, req.body, { disabled: 0, disabled_reason: null }); return { service: { ...req.body, status: 'enabled' } }; } }),
  op({ id: 'nova.service.disable', method: 'PUT', path: '/v2.1/os-services/disable', summary: 'Disable a service', until: '2.52', policy: 'os_compute_api:os-services:update', body: ONE, async handle(app, req) { await app.services.change(req.ctx, req.body, { disabled: 1, disabled_reason: null }); return { service: { ...req.body, status: 'disabled' } }; } }),
  op({ id: 'nova.service.disable-reason', method: 'PUT', path: '/v2.1/os-services/disable-log-reason', summary: 'Disable a service with a reason', until: '2.52', policy: 'os_compute_api:os-services:update', body: REASON, async handle(app, req) { await app.services.change(req.ctx, { host: req.body.host, binary: req.body.binary }, { disabled: 1, disabled_reason: req.body.disabled_reason }); return { service: { ...req.body, status: 'disabled' } }; } }),
  op({ id: 'nova.service.force-down', method: 'PUT', path: '/v2.1/os-services/force-down', summary: 'Declare a service down', since: '2.11', until: '2.52', policy: 'os_compute_api:os-services:update', body: FORCE, async handle(app, req) { const down = truthy(req.body.forced_down); await app.services.change(req.ctx, { host: req.body.host, binary: req.body.binary }, { forced_down: down ? 1 : 0 }); return { service: { host: req.body.host, binary: req.body.binary, forced_down: down } }; } }),
  op({
    id: 'nova.service.update',
    method: 'PUT',
    path: '/v2.1/os-services/{service_id}',
    summary: 'Change a service',
    since: '2.53',
    policy: 'os_compute_api:os-services:update',
    body: UPDATE,
    async handle(app, req) {
      const { status, disabled_reason: reason, forced_down: forced } = req.body;
      if (reason !== undefined && status !== 'disabled') throw invalidInput("Specifying 'disabled_reason' when status is 'enabled' is invalid.", { field: 'disabled_reason' });
      const row = await app.services.change(req.ctx, { id: req.params.service_id as string }, { ...(status !== undefined && { disabled: status === 'disabled' ? 1 : 0, disabled_reason: reason ?? null }), ...(forced !== undefined && { forced_down: truthy(forced) ? 1 : 0 }) });
      const facts = (await app.zones.services(app.deps.env.store.read)).find((s) => s.row.id === row.id);
      return { service: facts && view(req, facts) };
    },
  }),
  op({ id: 'nova.service.delete', method: 'DELETE', path: '/v2.1/os-services/{service_id}', summary: 'Forget a service', policy: 'os_compute_api:os-services:delete', async handle(app, req) { await app.services.delete(req.params.service_id as string); return new Reply(undefined, { status: 204 }); } }),
];
