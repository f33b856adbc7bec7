import { type AnyBody, Reply, type Request } from '@cairn/kit/http/operation';
import type { OldStyleFloatingIp } from '../app/floating-ips.ts';
import { FloatingIpPools, FloatingIps, OneFloatingIp } from './answers/others.ts';
import { op } from './op.ts';
import { json } from './schemas/types.ts';

/** Nova-network's APIs, which nova hands on to neutron, end here. */
const UNTIL = '2.35';
const CREATE = json({ type: ['object', 'null'], properties: { pool: { type: ['string', 'null'] } } });

const idOf = (req: Request<AnyBody>): string => req.params.id as string;
const view = (ip: OldStyleFloatingIp): object => ({ id: ip.id, ip: ip.ip, fixed_ip: ip.fixedIp, instance_id: ip.serverId, pool: ip.pool });

export const floatingIpOperations = [
  op({
    id: 'nova.floating-ip.list',
    method: 'GET',
    path: '/v2.1/os-floating-ips',
    summary: 'List floating IPs',
    until: UNTIL,
    policy: 'os_compute_api:os-floating-ips:list',
    answer: FloatingIps,
    handle: async (app, req) => ({ floating_ips: (await app.floatingIps.list(req.ctx)).map(view) }),
  }),
  op({
    id: 'nova.floating-ip.create',
    method: 'POST',
    path: '/v2.1/os-floating-ips',
    summary: 'Take a floating IP',
    until: UNTIL,
    policy: 'os_compute_api:os-floating-ips:create',
    answer: OneFloatingIp,
    body: CREATE,
    bodyOptional: true,
    handle: async (app, req) => ({
      floating_ip: view(await app.floatingIps.create(req.ctx, (req.body as { pool?: string | null } | null | undefined)?.pool || undefined)),
    }),
  }),
  op({
    id: 'nova.floating-ip.show',
    method: 'GET',
    path: '/v2.1/os-floating-ips/{id}',
    summary: 'Show a floating IP',
    until: UNTIL,
    policy: 'os_compute_api:os-floating-ips:show',
    answer: OneFloatingIp,
    handle: async (app, req) => ({ floating_ip: view(await app.floatingIps.get(req.ctx, idOf(req))) }),
  }),
  op({
    id: 'nova.floating-ip.delete',
    method: 'DELETE',
    path: '/v2.1/os-floating-ips/{id}',
    summary: 'Give a floating IP back',
    until: UNTIL,
    policy: 'os_compute_api:os-floating-ips:delete',
    answer: 'none',
    success: 202,
    async handle(app, req) {
      await app.floatingIps.delete(req.ctx, idOf(req));
      return new Reply(undefined);
    },
  }),
  op({
    id: 'nova.floating-ip-pool.list',
    method: 'GET',
    path: '/v2.1/os-floating-ip-pools',
    summary: 'List external networks',
    until: UNTIL,
    policy: 'os_compute_api:os-floating-ip-pools',
    answer: FloatingIpPools,
    handle: async (app, req) => ({ floating_ip_pools: (await app.floatingIps.pools(req.ctx)).map((name) => ({ name })) }),
  }),
];
