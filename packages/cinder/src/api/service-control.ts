import { invalidInput, notFound } from '@cairn/kit/errors/errors';
import { type AnyBody, Reply, type Request } from '@cairn/kit/http/operation';
import { LogLevels } from '../app/log-levels.ts';
import { failOver, listServices } from '../app/services.ts';
import { changeType, deleteType } from '../app/type-manage.ts';
import { specsOf } from '../app/types.ts';
import { invalid } from '../errors.ts';
import { Cleaning, Clusters, LogLevelList } from './answers/services.ts';
import { OneType } from './answers/types.ts';
import { op, schema } from './op.ts';
import * as part from './schemas.ts';
import { asBoolean, queryBoolean } from './values.ts';

/** One and only one of host and cluster; there are no clusters here. */
function hostOf(body: AnyBody): string {
  if (!body.host === !body.cluster) throw invalid('One and only one of cluster and host must be set.', { field: 'host' });
  if (!body.host) throw invalid(`No service found with cluster=${body.cluster}`, { field: 'cluster' });
  return body.host;
}

/** What both ways of failing over share. */
const failOverBy = (name: string, path: `/${string}`, summary: string, since?: string) =>
  op({
    id: `cinder.service.${name}`,
    method: 'PUT',
    path,
    ...(since !== undefined && { since }),
    summary,
    policy: 'volume:failover_host',
    answer: 'none',
    success: 202,
    body: schema({
      type: 'object',
      properties: { host: part.cinderHost, backend_id: part.shortText, cluster: part.shortText },
      additionalProperties: false,
    }),
    async handle(app, request) {
      await failOver(app, hostOf(request.body));
      return new Reply();
    },
  });

const failover = failOverBy('failover-host', '/v3/os-services/failover_host', 'Fail a backend over to its replica');
/** The same, which from microversion 3.26 fails clusters over, too. */
const failoverCluster = failOverBy('failover', '/v3/os-services/failover', 'Fail a backend or a cluster over to its replica', '3.26');

const BINARIES = ['cinder-volume', 'cinder-scheduler', 'cinder-backup', 'cinder-api'];
const logTarget = {
  binary: { type: 'string', enum: ['', '*', ...BINARIES] },
  server: { type: ['string', 'null'], maxLength: 255 },
  prefix: { type: ['string', 'null'], maxLength: 255 },
};

const logs = [
  op({
    id: 'cinder.service.set-log',
    method: 'PUT',
    path: '/v3/os-services/set-log',
    since: '3.32',
    summary: "Set services' levels of logging",
    policy: 'volume_extension:services:update',
    answer: 'none',
    success: 202,
    body: schema({ type: 'object', properties: { ...logTarget, level: { type: ['string', 'null'] } }, additionalProperties: false }),
    handle(app, request) {
      const { level, prefix } = request.body as AnyBody;
      const parsed = typeof level === 'string' ? LogLevels.parse(level) : undefined;
      if (parsed === undefined) throw invalid(`level must be one of CRITICAL, ERROR, WARNING, INFO, DEBUG and not ${level ?? 'None'}.`, { field: 'level' });
      app.logLevels.set(prefix ?? '', parsed);
      return new Reply();
    },
  }),
  op({
    id: 'cinder.service.get-log',
    method: 'PUT',
    path: '/v3/os-services/get-log',
    since: '3.32',
    summary: "Show services' levels of logging",
    policy: 'volume_extension:services:update',
    answer: LogLevelList,
    body: schema({ type: 'object', properties: logTarget, additionalProperties: false }),
    async handle(app, request) {
      const { binary, server, prefix } = request.body as AnyBody;
      const any = !binary || binary === '*';
      const all = await listServices(app, app.deps.env.store.read);
      const seen = [
        ...(any || binary === 'cinder-api' ? [{ binary: 'cinder-api', host: all[0]?.row.host.split('@')[0] ?? '' }] : []),
        ...all.map(({ row }) => ({ binary: row.binary, host: row.host })).filter((one) => any || one.binary === binary),
      ].filter((one) => !server || one.host === server);
      return { log_levels: seen.map((one) => ({ ...one, levels: app.logLevels.get(prefix ?? '') })) };
    },
  }),
];

const CLUSTER_FILTERS = ['name', 'binary', 'is_up', 'disabled', 'num_hosts', 'num_down_hosts'];
const REPLICATION_FILTERS = ['replication_status', 'frozen', 'active_backend_id'];

/** Upstream's clusters are several cinder-volume processes of one backend. Here every host is its own, so there are none. */
function noClusters(request: Request): object {
  const allowed = request.version.atLeast('3.26') ? [...CLUSTER_FILTERS, ...REPLICATION_FILTERS] : CLUSTER_FILTERS;
  const bad = [...new Set(request.query.keys())].filter((name) => !allowed.includes(name));
  if (bad.length > 0) throw invalid(`Invalid filter keys: ${bad.join(', ')}`);
  for (const name of ['disabled', 'is_up']) queryBoolean(request.query, name);
  return { clusters: [] };
}

const clusterNotFound = (name: string) => notFound(`Cluster ${name} could not be found.`, { type: 'ClusterNotFound' });

const switchCluster = (verb: 'enable' | 'disable') =>
  op({
    id: `cinder.cluster.${verb}`,
    method: 'PUT',
    path: `/v3/clusters/${verb}`,
    since: '3.7',
    summary: verb === 'enable' ? 'Enable a cluster' : 'Disable a cluster',
    policy: 'clusters:update',
    answer: 'none',
    body: schema({
      type: 'object',
      properties: {
        name: { type: 'string', minLength: 1, maxLength: 255 },
        binary: { type: ['string', 'null'], maxLength: 255 },
        ...(verb === 'disable' && { disabled_reason: part.shortText }),
      },
      required: ['name'],
      additionalProperties: false,
    }),
    handle(_app, request): never {
      throw clusterNotFound((request.body as AnyBody).name);
    },
  });

const clusters = [
  op({
    id: 'cinder.cluster.list',
    method: 'GET',
    path: '/v3/clusters',
    since: '3.7',
    summary: 'List clusters',
    policy: 'clusters:get_all',
    answer: Clusters,
    handle: (_app, request) => noClusters(request),
  }),
  op({
    id: 'cinder.cluster.list-detail',
    method: 'GET',
    path: '/v3/clusters/detail',
    since: '3.7',
    summary: 'List clusters with details',
    policy: 'clusters:get_all',
    answer: Clusters,
    handle: (_app, request) => noClusters(request),
  }),
  op({
    id: 'cinder.cluster.show',
    method: 'GET',
    path: '/v3/clusters/{cluster_name}',
    since: '3.7',
    summary: 'Show a cluster',
    policy: 'clusters:get',
    answer: 'none',
    handle(_app, request): never {
      throw clusterNotFound(request.params['cluster_name'] ?? '');
    },
  }),
  switchCluster('enable'),
  switchCluster('disable'),
];

/** Sagas take up what a process left as soon as another looks, so nothing ever waits to be cleaned. */
const cleanup = op({
  id: 'cinder.worker.cleanup',
  method: 'POST',
  path: '/v3/workers/cleanup',
  since: '3.24',
  summary: 'Clean up after services that have ended',
  policy: 'workers:cleanup',
  answer: Cleaning,
  success: 202,
  bodyOptional: true,
  body: schema({
    type: 'object',
    properties: {
      cluster_name: part.cinderHost,
      disabled: part.boolean,
      host: part.cinderHost,
      is_up: part.boolean,
      binary: { enum: ['cinder-volume', 'cinder-scheduler'] },
      resource_id: part.optionalUuid,
      resource_type: { type: ['string', 'null'], minLength: 0, maxLength: 40 },
      service_id: { type: ['integer', 'string', 'null'], pattern: '^[0-9]*$', minLength: 0, maxLength: 11 },
    },
    additionalProperties: false,
  }),
  handle(_app, request) {
    const body = (request.body ?? {}) as AnyBody;
    if (body.resource_type) {
      const type = body.resource_type.charAt(0).toUpperCase() + body.resource_type.slice(1).toLowerCase();
      if (type !== 'Volume' && type !== 'Snapshot' && type !== 'Backup')
        throw invalid(`Resource type ${type} not valid, must be Volume or Snapshot`, { field: 'resource_type' });
    }
    const located = ['service_id', 'cluster_name', 'host'].some((name) => body[name] !== undefined);
    if (body.resource_id && !located) throw invalid(`There is no resource with UUID ${body.resource_id} pending cleanup.`, { field: 'resource_id' });
    return { cleaning: [], unavailable: [] };
  },
});

/** Upstream's router has the change of a host without its name as well, which no host answers to. */
const hostless = op({
  id: 'cinder.host.update-none',
  method: 'PUT',
  path: '/v3/os-hosts',
  summary: 'Enable or disable a host that is not named',
  policy: 'volume_extension:hosts',
  answer: 'none',
  body: schema({ type: 'object', additionalProperties: true }),
  handle(): never {
    throw invalidInput('The server could not comply with the request since it is either malformed or otherwise incorrect.');
  },
});

/** Deletion and change of a type, as actions of it (cinder/api/contrib/types_manage.py declares them twice). */
const typeActions = [
  op({
    id: 'cinder.type.delete-by-action',
    method: 'POST',
    path: '/v3/types/{type_id}/action',
    action: 'delete',
    summary: 'Delete a volume type',
    policy: 'volume_extension:type_delete',
    answer: 'none',
    success: 202,
    body: schema(part.bare('delete')),
    async handle(app, request) {
      await deleteType(app, request, request.params['type_id'] ?? '');
      return new Reply();
    },
  }),
  op({
    id: 'cinder.type.update-by-action',
    method: 'POST',
    path: '/v3/types/{type_id}/action',
    action: 'volume_type',
    summary: 'Change a volume type',
    policy: 'volume_extension:type_update',
    answer: OneType,
    body: schema(part.wrapped('volume_type', { name: part.updateName, description: part.description, is_public: part.boolean })),
    async handle(app, request) {
      const { name, description, is_public: isPublic } = (request.body as AnyBody).volume_type;
      if (name == null && description == null && isPublic == null)
        throw invalidInput('Specify volume type name, description, is_public or a combination thereof.');
      const type = await changeType(app, request, request.params['type_id'] ?? '', {
        ...(name != null && { name }),
        ...(description != null && { description }),
        ...(isPublic != null && { isPublic: asBoolean(isPublic) }),
      });
      return { volume_type: { id: type.id, name: type.name, is_public: type.is_public === 1, extra_specs: specsOf(type), description: type.description } };
    },
  }),
];

export const serviceControlOperations = [failover, failoverCluster, ...logs, ...clusters, cleanup, hostless, ...typeActions];
