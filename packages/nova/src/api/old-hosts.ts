import { notImplemented } from '@cairn/kit/errors/errors';
import type { AnyBody, Request } from '@cairn/kit/http/operation';
import type { NovaApp } from '../app/app.ts';
import { HostResources, Hosts } from './answers/others.ts';
import { op } from './op.ts';
import { first } from './query.ts';
import { json } from './schemas/types.ts';

const UNTIL = '2.42';
const switched = { type: 'string', enum: ['enable', 'disable', 'Enable', 'Disable', 'ENABLE', 'DISABLE'] };
const UPDATE = json({
  type: 'object',
  properties: { status: switched, maintenance_mode: switched },
  anyOf: [{ required: ['status'] }, { required: ['maintenance_mode'] }],
  additionalProperties: false,
});

/** What upstream's libvirt driver does not do either: hosts are switched by os-services. */
const refuse = async (app: NovaApp, request: Request<AnyBody>): Promise<never> => {
  // an unknown host is told first
  await app.oldHosts.resources(request.params['host'] as string);
  throw notImplemented('The requested functionality is not supported.');
};
const power = (what: 'reboot' | 'shutdown' | 'start', path: string) =>
  op({
    id: `nova.host.${what}`,
    method: 'GET',
    path: `/v2.1/os-hosts/{host}/${path}`,
    summary: `Not supported: ${what} a host`,
    until: UNTIL,
    policy: `os_compute_api:os-hosts:${what}`,
    answer: 'none',
    handle: refuse,
  });

export const oldHostOperations = [
  op({
    id: 'nova.host.list',
    method: 'GET',
    path: '/v2.1/os-hosts',
    summary: 'List enabled services with their hosts',
    until: UNTIL,
    policy: 'os_compute_api:os-hosts:list',
    answer: Hosts,
    async handle(app, req) {
      const zone = first(req, 'zone');
      const services = (await app.zones.services(app.deps.env.store.read)).filter(({ row, zone: at }) => row.disabled === 0 && (!zone || at === zone));
      return { hosts: services.map(({ row, zone: at }) => ({ host_name: row.host, service: row.binary.replace(/^nova-/, ''), zone: at })) };
    },
  }),
  op({
    id: 'nova.host.show',
    method: 'GET',
    path: '/v2.1/os-hosts/{host}',
    summary: "Show a host's size and use",
    until: UNTIL,
    policy: 'os_compute_api:os-hosts:show',
    answer: HostResources,
    async handle(app, req) {
      const host = req.params.host as string;
      const resources = await app.oldHosts.resources(host);
      return { host: resources.map(({ project, cpu, memoryMb, diskGb }) => ({ resource: { host, project, cpu, memory_mb: memoryMb, disk_gb: diskGb } })) };
    },
  }),
  op({
    id: 'nova.host.update',
    method: 'PUT',
    path: '/v2.1/os-hosts/{host}',
    summary: 'Not supported: change a host',
    until: UNTIL,
    policy: 'os_compute_api:os-hosts:update',
    answer: 'none',
    body: UPDATE,
    handle: refuse,
  }),
  power('reboot', 'reboot'),
  power('shutdown', 'shutdown'),
  power('start', 'startup'),
];
