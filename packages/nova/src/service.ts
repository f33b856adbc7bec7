import type { Subscription } from '@cairn/kit/events/events';
import type { HttpService } from '@cairn/kit/http/service';
import type { SagaDefinition } from '@cairn/kit/saga/saga';
import type { MigrationSet } from '@cairn/kit/store/store';
import { novaOperations } from './api/operations.ts';
import { MAX_MICROVERSION, MIN_MICROVERSION } from './microversions.ts';
import { createNovaApp, type NovaApp } from './app/app.ts';
import type { NovaDeps } from './app/deps.ts';
import { ConsoleGate } from './console/websocket.ts';
import type { NovaFace } from './face.ts';
import { novaFault } from './faults.ts';
import { Reconciler } from './hosts/reconcile.ts';
import { HostRegistry } from './hosts/registry.ts';
import { NetworkSegments } from './hosts/network-segments.ts';
import { SecondLooks } from './hosts/second-looks.ts';
import { dropTemplates } from './hosts/templates.ts';
import { resealTpms } from './app/tpm-secrets.ts';
import { moveVolume } from './app/volume-move.ts';
import { portVanished } from './app/vanished-ports.ts';
import { answerMetadata } from './metadata-service/service.ts';
import { novaPolicies } from './policies/index.ts';
import { novaMigrations } from './store/migrations/index.ts';

/** Nova, ready to be mounted. */
export interface NovaService {
  readonly http: HttpService<NovaApp>;
  readonly app: NovaApp;
  readonly face: NovaFace;
  readonly registry: HostRegistry;
  readonly reconciler: Reconciler;
  readonly migrations: MigrationSet;
  readonly sagas: readonly SagaDefinition[];
  /** What this service's saga steps find in `step.services` under `nova`. */
  readonly sagaServices: object;
  /** Seals what it keeps sealed with the present key of credentials; returns how many secrets there are. */
  resealKeys(): Promise<number>;
  /** After migrations: registers hosts, takes up their events and starts the reconcilers. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** What may change what segments of networks are to placement. */
const SEGMENT_EVENTS = ['subnet.', 'segment.delete', 'network.delete', 'port.create', 'port.update', 'port.delete'];

export function createNova(given: Omit<NovaDeps, 'secondLooks'>): NovaService {
  const deps: NovaDeps = { ...given, secondLooks: new SecondLooks(given.env.clock) };
  const app = createNovaApp(deps);
  let volumes: Subscription | undefined;
  let images: Subscription | undefined;
  let ports: Subscription | undefined;
  let networks: Subscription | undefined;
  const gate = new ConsoleGate(app.consoles, deps.env.log);
  const reconciler = new Reconciler(deps, app.sagas);
  const segments = new NetworkSegments(deps, app.aggregates);
  const registry = new HostRegistry(deps, async (host) => {
    await segments.settle().catch((err: unknown) => deps.env.log.error({ err, host }, 'the aggregates of network segments could not be brought up to date'));
    await reconciler.syncHost(host);
  });
  return {
    app,
    registry,
    reconciler,
    http: {
      name: 'nova',
      type: 'compute',
      prefix: '/compute',
      classicPort: 8774,
      aliases: { '/v2/': '/v2.1/' },
      app,
      operations: novaOperations,
      policies: novaPolicies,
      microversions: {
        serviceType: 'compute',
        min: MIN_MICROVERSION,
        max: MAX_MICROVERSION,
        fallback: MIN_MICROVERSION,
        legacyHeader: 'X-OpenStack-Nova-API-Version',
      },
      strictSlashes: true,
      upgrades: {
        '/console/websockify': (request, socket, head, url) => gate.take('novnc', request, socket, head, url),
        '/console/serial': (request, socket, head, url) => gate.take('serial', request, socket, head, url),
      },
      fault: novaFault,
      headers: (request) => ({
        'x-compute-request-id': request.requestId,
        ...(request.version === undefined
          ? {}
          : {
              'openstack-api-version': `compute ${request.version.text}`,
              'x-openstack-nova-api-version': request.version.text,
              vary: 'OpenStack-API-Version, X-OpenStack-Nova-API-Version',
            }),
      }),
    },
    face: {
      metadata: (request) => answerMetadata(deps, request),
    },
    migrations: novaMigrations,
    sagas: app.sagas.all,
    sagaServices: app,
    resealKeys: () => resealTpms(deps),
    async start() {
      reconciler.start();
      volumes = deps.env.events.subscribe('nova.volumes', ['volume.extended', 'volume.move'], (event) =>
        event.type === 'volume.move' ? moveVolume(deps, app.sagas, event) : app.externalEvents.heard(event),
      );
      images = deps.env.events.subscribe('nova.templates', ['image.delete'], (event) => dropTemplates(deps, event.resourceId));
      ports = deps.env.events.subscribe('nova.ports', ['port.delete.end'], (event) => portVanished(deps, app.sagas, event));
      networks = deps.env.events.subscribe('nova.segments', SEGMENT_EVENTS, (event) => segments.heard(event));
      await registry.start();
    },
    async stop() {
      gate.close();
      await volumes?.stop();
      await images?.stop();
      await ports?.stop();
      await networks?.stop();
      await registry.stop();
      await reconciler.stop();
    },
  };
}
