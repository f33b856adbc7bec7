import type { Hosts } from '@cairn/host/interface/hosts';
import type { KeystoneFace } from '@cairn/keystone/face';
import type { Env } from '@cairn/kit/env';
import type { HttpService } from '@cairn/kit/http/service';
import { createPolicy } from '@cairn/kit/policy/engine';
import type { SagaDefinition } from '@cairn/kit/saga/saga';
import type { MigrationSet } from '@cairn/kit/store/store';
import { operations } from './api/operations.ts';
import { spellings } from './api/spellings.ts';
import { AgentKeeper } from './app/agents.ts';
import type { NeutronApp } from './app/deps.ts';
import { logKeeper } from './app/log-keeper.ts';
import { settleDefaultRanges } from './app/segment-ranges.ts';
import { delegationKeeper } from './app/delegation-keeper.ts';
import { MeterKeeper } from './app/meter-keeper.ts';
import { serverPorts } from './app/server-ports.ts';
import { ServiceKeeper } from './app/service-keeper.ts';
import { ServiceScheduler } from './app/service-scheduler.ts';
import type { NeutronFace } from './face.ts';
import { Pusher } from './fabric/pusher.ts';
import { neutronFault } from './faults.ts';
import { type NeutronOptions, settingsOf } from './options.ts';
import { policies } from './policies/index.ts';
import { neutronMigrations } from './store/migrations/index.ts';

/** What the network service stands on. */
export interface NeutronDeps {
  readonly env: Env;
  readonly options: NeutronOptions;
  readonly keystone: KeystoneFace;
  readonly hosts: Hosts;
}

/** The network service, as the composition root holds it. */
export interface Neutron {
  readonly http: HttpService<NeutronApp>;
  readonly face: NeutronFace;
  readonly sagas: readonly SagaDefinition[];
  readonly sagaServices: object;
  readonly migrations: MigrationSet;
  readonly app: NeutronApp;
  /** Begins to bring hosts up to date. */
  start(): Promise<void>;
  /** Stops that; hosts keep their networks. */
  stop(): Promise<void>;
}

/** Builds the network service. */
export function createNeutron({ env, options, keystone, hosts }: NeutronDeps): Neutron {
  const settings = settingsOf(options);
  const app: NeutronApp = {
    env,
    settings,
    keystone,
    hosts,
    policy: createPolicy('neutron', policies, options.policyOverrides),
    scheduler: new ServiceScheduler(hosts, settings, env.clock),
    pusher: new Pusher(env, hosts, settings, () => app.keeper.look()),
    get keeper() {
      return keeper;
    },
  };
  const keeper = new ServiceKeeper(app);
  const http: HttpService<NeutronApp> = {
    name: 'neutron',
    type: 'network',
    prefix: '/network',
    classicPort: 9696,
    spellings,
    app,
    operations,
    policies,
    fault: neutronFault,
  };
  const agents = new AgentKeeper(app);
  const meters = new MeterKeeper(app);
  const logs = logKeeper(app);
  const delegations = delegationKeeper(app);
  return {
    http,
    app,
    face: serverPorts(app),
    sagas: [],
    sagaServices: app,
    migrations: neutronMigrations,
    async start() {
      await settleDefaultRanges(app);
      app.pusher.start(settings.reconcileEveryMs);
      keeper.start();
      agents.start();
      meters.start();
      logs.start();
      delegations.start();
    },
    async stop() {
      agents.stop();
      await meters.stop();
      await logs.stop();
      await delegations.stop();
      await keeper.stop();
      await app.pusher.stop();
    },
  };
}
