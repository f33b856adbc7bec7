import { isoNaiveMicros } from '@cairn/kit/clock/clock';
import { invalidInput, notFound } from '@cairn/kit/errors/errors';
import { type AnyBody, AUTHENTICATED, Reply, type Request } from '@cairn/kit/http/operation';
import { findStorage, poolName, storageOfPlace } from '../app/backend.ts';
import { capabilitiesOf, PROTOCOLS } from '../app/capabilities.ts';
import { enableService, freezeService, listServices, type ServiceFacts, useOfHost } from '../app/services.ts';
import { specsOf, typeByName } from '../app/types.ts';
import { zones } from '../app/volume-create.ts';
import { invalid } from '../errors.ts';
import type { BackendOptions } from '../options.ts';
import { BackendCapabilities, HostList, HostUse, PoolList, ServiceList, SwitchedHost, SwitchedService, Zones } from './answers/services.ts';
import { op, schema } from './op.ts';
import * as part from './schemas.ts';
import { queryBoolean } from './values.ts';
import { restrictFilters } from './list.ts';

function serviceView(request: Request, { row, up, updatedAtMs }: ServiceFacts): object {
  const { version } = request;
  const isVolume = row.binary === 'cinder-volume';
  return {
    binary: row.binary,
    host: row.host,
    zone: row.availability_zone,
    status: row.disabled === 1 ? 'disabled' : 'enabled',
    state: up ? 'up' : 'down',
    updated_at: updatedAtMs === null ? null : isoNaiveMicros(updatedAtMs),
    ...(isVolume && version.atLeast('3.49') && { backend_state: up ? 'up' : 'down' }),
    ...(version.atLeast('3.7') && { cluster: null }),
    disabled_reason: row.disabled_reason,
    ...(isVolume && { replication_status: 'disabled', active_backend_id: null, frozen: row.frozen === 1 }),
  };
}

const named = {
  binary: { type: 'string', minLength: 1, maxLength: 255 },
  host: part.cinderHost,
  cluster: part.shortText,
  service: { type: 'string', minLength: 1, maxLength: 255 },
};
const either = { anyOf: [{ required: ['binary'] }, { required: ['service'] }] };

const switchService = (name: 'enable' | 'disable' | 'disable-log-reason') =>
  op({
    id: `cinder.service.${name}`,
    method: 'PUT',
    path: `/v3/os-services/${name}`,
    summary: name === 'enable' ? 'Enable a service' : 'Disable a service',
    policy: 'volume_extension:services:update',
    answer: SwitchedService,
    body: schema({
      type: 'object',
      properties: { ...named, ...(name === 'disable-log-reason' && { disabled_reason: { type: 'string', minLength: 1, maxLength: 255 } }) },
      ...either,
      additionalProperties: false,
    }),
    async handle(app, request) {
      const body = request.body as { binary?: string; service?: string; host?: string | null; disabled_reason?: string };
      if (!body.host) throw invalid('Host field is missing.', { field: 'host' });
      const enabled = name === 'enable';
      const reason = body.disabled_reason?.trim() ?? null;
      if (reason === '') throw invalid('disabled_reason has 0 characters, less than 1.', { field: 'disabled_reason' });
      await enableService(app, body.host, body.binary || (body.service ?? ''), enabled, reason);
      return {
        host: body.host,
        service: body.service ?? '',
        binary: body.binary ?? '',
        status: enabled ? 'enabled' : 'disabled',
        disabled: !enabled,
        ...(name === 'disable-log-reason' && { disabled_reason: body.disabled_reason ?? null }),
      };
    },
  });

const freezing = (name: 'freeze' | 'thaw') =>
  op({
    id: `cinder.service.${name}`,
    method: 'PUT',
    path: `/v3/os-services/${name}`,
    summary: name === 'freeze' ? 'Stop changes on a backend' : 'Allow changes on a backend again',
    policy: `volume:${name}_host`,
    answer: 'none',
    body: schema({ type: 'object', properties: { cluster: part.shortText, host: part.cinderHost }, additionalProperties: false }),
    async handle(app, request) {
      const { host } = request.body as { host?: string | null };
      if (!host) throw invalid('One and only one of cluster and host must be set.', { field: 'host' });
      await freezeService(app, host, name === 'freeze');
      return new Reply();
    },
  });

const services = [
  op({
    id: 'cinder.service.list',
    method: 'GET',
    path: '/v3/os-services',
    summary: 'List services',
    policy: 'volume_extension:services:index',
    answer: ServiceList,
    async handle(app, request) {
      const [host, binary] = [request.query.get('host'), request.query.get('binary')];
      const all = await listServices(app, app.deps.env.store.read);
      // a host may be asked for with or without its backend
      const wanted = all.filter(
        ({ row }) => (binary === null || row.binary === binary) && (host === null || row.host === host || row.host.startsWith(`${host}@`)),
      );
      return { services: wanted.map((one) => serviceView(request, one)) };
    },
  }),
  switchService('enable'),
  switchService('disable'),
  switchService('disable-log-reason'),
  freezing('freeze'),
  freezing('thaw'),
];

const availabilityZones = op({
  id: 'cinder.availability-zone.list',
  method: 'GET',
  path: '/v3/os-availability-zone',
  summary: 'List availability zones',
  policy: AUTHENTICATED,
  answer: Zones,
  handle: async (app) => ({
    availabilityZoneInfo: [...(await zones(app, app.deps.env.store.read))].map(([name, available]) => ({ zoneName: name, zoneState: { available } })),
  }),
});

const pools = op({
  id: 'cinder.scheduler-stats.get-pools',
  method: 'GET',
  path: '/v3/scheduler-stats/get_pools',
  summary: 'List the pools of storage',
  policy: 'scheduler_extension:scheduler_stats:get_pools',
  answer: PoolList,
  async handle(app, request) {
    const { version } = request;
    const detail = queryBoolean(request.query, 'detail');
    const filters = new Map(request.query);
    filters.delete('detail');
    if (version.before('3.28')) filters.clear();
    if (version.before('3.35')) filters.delete('volume_type');
    if (version.atLeast('3.31')) restrictFilters({ ctx: { ...request.ctx, roles: [] }, version }, filters, 'pool', []);
    const db = app.deps.env.store.read;
    let all = await app.pools.list(db);
    const name = filters.get('name');
    if (name !== undefined) all = all.filter((pool) => poolName(pool.key) === name || poolName(pool.key).startsWith(`${name}#`));
    const typeName = filters.get('volume_type');
    if (typeName !== undefined) {
      const type = await typeByName(db, typeName);
      const backend = type ? specsOf(type)['volume_backend_name'] : undefined;
      all = type ? all.filter((pool) => backend === undefined || pool.backend.volumeBackendName === backend) : [];
    }
    return {
      pools: all.map((pool) => ({
        name: poolName(pool.key),
        ...(detail && { capabilities: capabilitiesOf(app.deps.options, pool, app.deps.env.clock.nowMs()) }),
      })),
    };
  },
});

const DESCRIPTIONS: Readonly<Record<BackendOptions['driver'], string>> = {
  local: 'Files of the host: sparse, with copy-on-write clones and snapshots.',
  directory: 'Files of a directory that every host sees: sparse, with copy-on-write clones and snapshots.',
  rbd: 'RBD images of a Ceph cluster: sparse, with copy-on-write clones and snapshots.',
  lvm: "Logical volumes of the host's volume group, with copy-on-write snapshots; sparse, with copy-on-write clones, where the group has a thin pool.",
};

const capabilities = op({
  id: 'cinder.capabilities.show',
  method: 'GET',
  path: '/v3/capabilities/{place}',
  summary: 'Show what a backend can do',
  policy: 'volume_extension:capabilities',
  answer: BackendCapabilities,
  async handle(app, request) {
    const place = request.params['place'] ?? '';
    const backend = findStorage(app.deps, storageOfPlace(place) ?? '')?.backend;
    if (!backend) throw notFound(`Can't find service: ${place}`);
    return {
      namespace: `OS::Storage::Capabilities::${place}`,
      vendor_name: 'Cairn',
      volume_backend_name: backend.volumeBackendName,
      pool_name: backend.name,
      driver_version: '1.0.0',
      storage_protocol: PROTOCOLS[backend.driver],
      display_name: 'Cairn',
      description: DESCRIPTIONS[backend.driver],
      visibility: 'public',
      replication_targets: [],
      properties: {
        thin_provisioning: { title: 'Thin Provisioning', description: 'Sets thin provisioning.', type: 'boolean' },
        compression: { title: 'Compression', description: 'Enables compression.', type: 'boolean' },
        qos: { title: 'QoS', description: 'Enables QoS.', type: 'boolean' },
        replication_enabled: { title: 'Replication', description: 'Enables replication.', type: 'boolean' },
      },
    };
  },
});

const hosts = [
  op({
    id: 'cinder.host.list',
    method: 'GET',
    path: '/v3/os-hosts',
    summary: 'List hosts',
    policy: 'volume_extension:hosts',
    answer: HostList,
    async handle(app, request) {
      const zone = request.query.get('zone');
      const all = (await listServices(app, app.deps.env.store.read)).filter(
        ({ row }) => row.disabled === 0 && (zone === null || zone === '' || row.availability_zone === zone),
      );
      return {
        hosts: all.map(({ row, up, updatedAtMs }) => ({
          host_name: row.host,
          service: row.binary,
          zone: row.availability_zone,
          'service-status': up ? 'available' : 'unavailable',
          'service-state': 'enabled',
          'last-update': updatedAtMs === null ? null : isoNaiveMicros(updatedAtMs),
        })),
      };
    },
  }),
  op({
    id: 'cinder.host.show',
    method: 'GET',
    path: '/v3/os-hosts/{place}',
    summary: 'Show the use of a host by project',
    policy: 'volume_extension:hosts',
    answer: HostUse,
    async handle(app, request) {
      const place = request.params['place'] ?? '';
      const db = app.deps.env.store.read;
      const known = (await listServices(app, db)).some(({ row }) => row.host === place && row.binary === 'cinder-volume');
      if (!known) throw notFound(`Service cinder-volume could not be found on host ${place}.`, { type: 'ServiceNotFound' });
      const uses = await useOfHost(db, storageOfPlace(place) ?? place);
      const line = (project: string, one: (typeof uses)[number]): object => ({
        resource: {
          host: place,
          project,
          volume_count: String(one.volumes),
          total_volume_gb: String(one.gigabytes),
          snapshot_count: String(one.snapshots),
          total_snapshot_gb: String(one.snapshot_gigabytes),
        },
      });
      const total = uses.reduce(
        (sum, one) => ({
          project_id: '',
          volumes: sum.volumes + one.volumes,
          gigabytes: sum.gigabytes + one.gigabytes,
          snapshots: sum.snapshots + one.snapshots,
          snapshot_gigabytes: sum.snapshot_gigabytes + one.snapshot_gigabytes,
        }),
        { project_id: '', volumes: 0, gigabytes: 0, snapshots: 0, snapshot_gigabytes: 0 },
      );
      return { host: [line('(total)', total), ...uses.map((one) => line(one.project_id, one))] };
    },
  }),
  op({
    id: 'cinder.host.update',
    method: 'PUT',
    path: '/v3/os-hosts/{place}',
    summary: 'Enable or disable a host',
    policy: 'volume_extension:hosts',
    answer: SwitchedHost,
    body: schema({ type: 'object', additionalProperties: true }),
    async handle(app, request) {
      const place = request.params['place'] ?? '';
      const known = (await listServices(app, app.deps.env.store.read)).find(({ row }) => row.host === place && row.disabled === 0);
      if (!known) throw notFound(`Host ${place} could not be found.`, { type: 'HostNotFound' });
      let result: object = {};
      for (const [key, value] of Object.entries(request.body as AnyBody)) {
        if (key.toLowerCase().trim() !== 'status') throw invalidInput(`Invalid update setting: '${key}'`);
        const status = String(value).toLowerCase().trim();
        if (status !== 'enable' && status !== 'disable') throw invalidInput(`Invalid status: '${String(value)}'`, { field: 'status' });
        await enableService(app, place, known.row.binary, status === 'enable', null);
        result = { host: place, status: status === 'enable' ? 'enabled' : 'disabled' };
      }
      return result;
    },
  }),
];

export const serviceOperations = [...services, availabilityZones, pools, capabilities, ...hosts];
