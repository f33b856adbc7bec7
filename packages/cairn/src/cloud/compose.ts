import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultCinderOptions } from '@cairn/cinder/options';
import { createCinder } from '@cairn/cinder/service';
import type { GlanceFace } from '@cairn/glance/face';
import { createGlance } from '@cairn/glance/service';
import type { HostCallbacks } from '@cairn/host/interface/agent';
import { HostRegistry } from '@cairn/host/registry';
import { bootstrap } from '@cairn/keystone/bootstrap';
import { createConsole } from '@cairn/horizon/service';
import { createKeystone } from '@cairn/keystone/service';
import { InProcessBus } from '@cairn/kit/bus/inprocess';
import { type Clock, systemClock } from '@cairn/kit/clock/clock';
import type { Context } from '@cairn/kit/context/context';
import type { Env } from '@cairn/kit/env';
import { eventMigrations } from '@cairn/kit/events/migrations';
import { Outbox } from '@cairn/kit/events/outbox';
import { HttpServer, type HttpServerOptions } from '@cairn/kit/http/server';
import type { HttpService } from '@cairn/kit/http/service';
import { type Ids, systemIds } from '@cairn/kit/ids/ids';
import { type Logger, silentLog } from '@cairn/kit/log/log';
import { Metrics } from '@cairn/kit/metrics/metrics';
import { createPolicy } from '@cairn/kit/policy/engine';
import type { Policy } from '@cairn/kit/policy/policy';
import { SagaEngine } from '@cairn/kit/saga/engine';
import { sagaMigrations } from '@cairn/kit/saga/migrations';
import { openSqliteStore } from '@cairn/kit/store/sqlite/store';
import type { MigrationSet, Store } from '@cairn/kit/store/store';
import { createNeutron } from '@cairn/neutron/service';
import { createNova } from '@cairn/nova/service';
import { createPlacement } from '@cairn/placement/service';
import type { CloudConfig } from '../config.ts';
import { checkNames, readPolicies } from './policies.ts';
import { federationOptions, singleSignOn, withConsole } from '../config-federation.ts';
import { computeOptions } from '../config-compute.ts';
import { networkOptions } from '../config-network.ts';
import { backupsOf } from '../config-backups.ts';
import { storageOf } from '../config-storage.ts';
import { securityComplianceOf } from './security-compliance.ts';
import { type Paths, pathsOf } from '../daemon/paths.ts';
import { realHostsOf } from './hosts.ts';
import { imageConverter } from './image-converter.ts';
import { imageOptions } from './image-options.ts';

export const VERSION = '0.1.0';

export interface ComposeOptions {
  readonly config: CloudConfig;
  readonly paths: Paths;
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly hosts: HostRegistry;
  /** No other process shares the database. */
  readonly exclusive: boolean;
  /** Sees every success before it is sent: for tests. */
  readonly review?: HttpServerOptions['review'];
}

/** All services wired together, not yet started. */
export interface Cloud {
  readonly server: HttpServer;
  readonly services: readonly HttpService[];
  readonly glance: GlanceFace;
  readonly migrations: readonly MigrationSet[];
  /** For the hosts' agents. */
  readonly callbacks: HostCallbacks;
  readonly env: Env;
  /** Domain, admin, roles and catalog of a new cloud; finds them in an old one. Returns who the admin is. */
  bootstrap(adminPassword: string, url: string): Promise<Pick<Context, 'userId' | 'userName' | 'projectId' | 'projectName' | 'roles'>>;
  /** New keys for tokens or for stored credentials; nothing that was made with the present ones is lost. */
  rotateKeys(keys: 'tokens' | 'credentials', force: boolean): Promise<{ readonly reencrypted: number }>;
  /** After migrations: the services begin. */
  start(): Promise<void>;
  /** With the hosts connected: work that an earlier run left begins again. */
  open(): Promise<void>;
  stop(): Promise<void>;
}

/** The services by code name, as their policy files are called. */
const CODE_NAMES = ['keystone', 'glance', 'placement', 'cinder', 'neutron', 'nova'];

/** Wires the services: each gets the faces of those below it. The only place that knows them all. */
export function compose(options: ComposeOptions): Cloud {
  const { config, paths, store, clock, ids, log, metrics, hosts, exclusive } = options;
  const bus = new InProcessBus({ clock, log });
  const sagas = new SagaEngine({
    store,
    clock,
    ids,
    log,
    bus,
    exclusive,
    metrics: { ended: (name, outcome, durationMs) => metrics.saga(name, outcome, durationMs / 1000) },
  });
  const events = new Outbox({ store, clock, ids, log, bus, exclusive });
  const env: Env = { clock, ids, log, store, sagas, events, bus };

  const publicUrl = config.listen.publicUrl.replace(/\/+$/, '');
  const federation = config.console.enabled ? withConsole(config.identity.federation, publicUrl) : config.identity.federation;
  const keystone = createKeystone(env, {
    dataDir: paths.data,
    tokenProvider: config.identity.tokenProvider,
    tokenLifetimeSec: config.identity.tokenLifeSeconds,
    bcryptCost: config.identity.bcryptRounds,
    limitModel: config.identity.limitModel,
    policiesOfServices: () => policies,
    securityCompliance: securityComplianceOf(config),
    federation: federationOptions(federation, publicUrl && `${publicUrl}/identity`),
  });
  const glance = createGlance({
    env,
    options: imageOptions(config, paths.images),
    outside: {
      converter: imageConverter(config.hypervisor.type),
      limits: (db, projectId, resources) => keystone.face.unifiedLimits(db, 'image', projectId, resources),
      imageEndpoint: (region, kind) => keystone.endpointUrl(store.read, 'image', region, kind),
    },
  });
  const placement = createPlacement({ env });
  const overrides = readPolicies(config.policies || join(paths.data, 'policies'), CODE_NAMES);
  const neutron = createNeutron({
    env,
    options: { policyOverrides: overrides.neutron ?? {}, ...networkOptions(config.network, realHostsOf(config)) },
    keystone: keystone.face,
    hosts,
  });
  const cinder = createCinder({
    env,
    options: {
      ...defaultCinderOptions,
      backends: storageOf(config.storage).backends,
      overSubscriptionRatio: config.storage.overSubscriptionRatio,
      reservedPercentage: config.storage.reservedPercentage,
      backupsDir: config.storage.backups.path || join(paths.data, 'backups'),
      backups: backupsOf(config.storage.backups, config.region),
    },
    faces: { glance: glance.face, keystone: keystone.face },
    hosts,
  });
  // made below: nova hands some calls on to neutron and glance
  let server: HttpServer;
  const nova = createNova({
    env,
    hosts,
    inside: (call) => server.dispatch(call),
    options: computeOptions(config),
    faces: { keystone: keystone.face, glance: glance.face, placement: placement.face, neutron: neutron.face, cinder: cinder.face },
  });
  // every service's sagas get that service's app
  for (const service of [glance, neutron, cinder, nova]) sagas.register(service.sagas, service.sagaServices);

  const services = [keystone.http, glance.http, placement.http, cinder.http, neutron.http, nova.http] as readonly HttpService[];
  for (const service of services) checkNames(overrides, service);
  const policies: ReadonlyMap<string, Policy> = new Map(
    services.map((service) => [service.name, createPolicy(service.name, service.policies, overrides[service.name])]),
  );
  const authenticate = (token: string, requestId: string): Promise<Context | undefined> => keystone.face.authenticate(token, requestId);
  const console = config.console.enabled
    ? createConsole({
        clock,
        ids,
        log,
        db: store.read,
        events,
        authenticate,
        prefixes: services.map((service) => service.prefix),
        trustProxy: config.listen.trustProxy,
        singleSignOn: singleSignOn(federation),
        https: config.listen.publicUrl.startsWith('https:'),
        cacheFolders: [join(import.meta.dirname, '..', '..', '..', '..', 'node_modules', '.cache', 'cairn-console'), join(paths.data, 'console')],
      })
    : undefined;
  server = new HttpServer({
    services,
    policyOverrides: overrides,
    authenticate,
    identityUrl: `${config.listen.publicUrl || `http://${config.listen.address}:${config.listen.port}`}/identity`,
    clock,
    ids,
    log,
    trustProxy: config.listen.trustProxy,
    ...(config.listen.cors.allowedOrigins.length > 0 && { cors: { ...config.listen.cors, maxAgeSec: config.listen.cors.maxAgeSeconds } }),
    observe: (facts) => metrics.request(facts),
    ...(options.review && { review: options.review }),
    ...(console && { door: console.door }),
  });
  console?.mount(server.fastify);
  const startable = [glance, placement, neutron, cinder, nova];
  return {
    server,
    services,
    env,
    glance: glance.face,
    migrations: [
      sagaMigrations,
      eventMigrations,
      keystone.migrations,
      glance.migrations,
      placement.migrations,
      neutron.migrations,
      cinder.migrations,
      nova.migrations,
    ],
    callbacks: {
      openImage: (imageId) => glance.face.open(imageId),
      diskKey: (keyId) => cinder.face.diskKey(keyId),
      metadata: (request) => nova.face.metadata(request),
    },
    bootstrap: (adminPassword, url) => bootstrapCloud(keystone.app, config.region, adminPassword, url),
    async rotateKeys(keys, force) {
      if (keys === 'tokens') return keystone.app.keys.rotate(keys, { force });
      const reseal = async (): Promise<number> => (await cinder.resealKeys()) + (await nova.resealKeys());
      const before = await reseal();
      const { reencrypted } = await keystone.app.keys.rotate(keys, { force });
      return { reencrypted: before + reencrypted + (await reseal()) };
    },
    async start() {
      for (const service of startable) await service.start();
    },
    async open() {
      await events.open();
      await sagas.open();
      // a server that is asked for as soon as the cloud is up has somewhere to go
      await nova.registry.registered();
    },
    async stop() {
      await sagas.close();
      for (const service of startable.toReversed()) await service.stop();
      await keystone.close();
      await events.close();
      await bus.close();
    },
  };
}

/** Catalog entries: name, type, path below the cloud's URL (volume's names its version, as clients expect). */
const CATALOG = [
  ['keystone', 'identity', '/identity'],
  ['glance', 'image', '/image'],
  ['placement', 'placement', '/placement'],
  ['nova', 'compute', '/compute/v2.1'],
  ['neutron', 'network', '/network'],
  ['cinder', 'block-storage', '/volume/v3'],
  ['cinderv3', 'volumev3', '/volume/v3'],
] as const;

async function bootstrapCloud(app: Parameters<typeof bootstrap>[0], region: string, adminPassword: string, url: string): ReturnType<Cloud['bootstrap']> {
  const made = await bootstrap(app, {
    adminPassword,
    region,
    endpoints: CATALOG.map(([name, type, path]) => ({ name, type, urls: { public: url + path, internal: url + path, admin: url + path } })),
  });
  return { userId: made.adminUserId, userName: 'admin', projectId: made.adminProjectId, projectName: 'admin', roles: ['admin', 'manager', 'member', 'reader'] };
}

/** The services and their table of operations, without starting anything: a cloud is wired on an empty database in memory and dropped. */
export async function readTable(config: CloudConfig): Promise<Pick<HttpServer, 'routes' | 'services'>> {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-routes-'));
  const store = openSqliteStore({ path: join(folder, 'routes.db'), durability: 'none' });
  try {
    const cloud = compose({
      config,
      paths: pathsOf(folder),
      store,
      clock: systemClock,
      ids: systemIds,
      log: silentLog,
      metrics: new Metrics(),
      hosts: new HostRegistry(),
      exclusive: true,
    });
    return cloud.server;
  } finally {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
