import type { AddressInfo } from 'node:net';
import type { HostAgent } from '@cairn/host/interface/agent';
import { HostRegistry } from '@cairn/host/registry';
import { systemClock } from '@cairn/kit/clock/clock';
import { systemContext } from '@cairn/kit/context/context';
import { systemIds } from '@cairn/kit/ids/ids';
import { createLog } from '@cairn/kit/log/pino';
import { Metrics } from '@cairn/kit/metrics/metrics';
import { openPostgresStore } from '@cairn/kit/store/postgres/store';
import { openSqliteStore } from '@cairn/kit/store/sqlite/store';
import type { StatusReport } from '../commands/status.ts';
import { type CloudConfig, cacheFolder } from '../config.ts';
import { serveControl } from '../daemon/control.ts';
import type { Paths } from '../daemon/paths.ts';
import { claim, unclaim } from '../daemon/process.ts';
import { compose, type ComposeOptions, VERSION } from './compose.ts';
import { secretsOf, writeClientFiles } from './credentials.ts';
import { demoImageIn, simulatedImage } from './demo-image.ts';
import { addFront } from './front.ts';
import { keepSimulated, makeAgents, switchHost } from './hosts.ts';
import { seed } from './seed.ts';

/** A cloud that runs in this process. */
export interface RunningCloud {
  readonly url: string;
  /** Resolves when it was told to end and has ended. */
  readonly ended: Promise<void>;
}

const STOP_GRACE_MS = 30_000;

/** Brings the cloud up in this process: database, hosts, services, HTTP; then what a new cloud needs. */
export async function runCloud(
  config: CloudConfig,
  paths: Paths,
  progress: (text: string) => void,
  more: Pick<ComposeOptions, 'review'> = {},
): Promise<RunningCloud> {
  const startedAtMs = Date.now();
  const log = createLog({ level: config.log.level, path: paths.log });
  const address = config.listen.address.includes(':') ? `[${config.listen.address}]` : config.listen.address;
  claim(paths, `http://${address}:${config.listen.port}`);
  const clock = systemClock;
  const ids = systemIds;
  const metrics = new Metrics();
  const secrets = secretsOf(paths, ids);
  const store =
    config.store.engine === 'postgres'
      ? await openPostgresStore({ url: config.store.url, log })
      : openSqliteStore({ path: paths.database, durability: 'full', log });
  const hosts = new HostRegistry();
  const reasons = new Set(['starting']);
  const cloud = await compose({ config, paths, store, clock, ids, log, metrics, hosts, exclusive: config.store.engine === 'sqlite', ...more });
  await store.migrate(cloud.migrations);

  const agents = await makeAgents(config, paths, cloud.callbacks, clock, log);
  const simulated = await keepSimulated(config, paths, agents);
  const endpoints = (url: string) => cloud.services.map((s) => ({ service: s.name, type: s.type, url: url + s.prefix }));
  let url = config.listen.publicUrl.replace(/\/+$/, '');
  addFront(cloud.server, {
    name: 'Cairn',
    version: VERSION,
    metrics,
    ready: () => ({ ready: reasons.size === 0, reasons: [...reasons] }),
    endpoints: () => endpoints(url),
    ...(config.console.enabled && { page: '/console/' }),
  });
  const port = await cloud.server.listen(config.listen.address, config.listen.port);
  const own = `http://${address}:${(cloud.server.fastify.server.address() as AddressInfo | null)?.port ?? port}`;
  url ||= own;
  claim(paths, own);
  const admin = await cloud.bootstrap(secrets.adminPassword, url);
  if (config.hypervisor.type === 'qemu') progress('finding guests and networks');
  await Promise.all(agents.map((agent) => agent.start()));
  await cloud.start();
  for (const agent of agents) hosts.add(agent);
  await cloud.open();
  if (config.listen.classicPorts) await cloud.server.listenClassic(config.listen.address);
  const image = config.hypervisor.type === 'qemu' ? demoImageIn(cacheFolder()) : simulatedImage(paths);
  const { systemScope: _, ...anyone } = systemContext(`req-${ids.uuid()}`);
  await seed({
    server: cloud.server,
    glance: cloud.glance,
    store,
    config,
    ctx: { ...anyone, ...admin },
    image: config.demoImage ? image : undefined,
    mintId: () => ids.uuid(),
    progress,
  });
  writeClientFiles(paths, url, config.region, secrets);
  reasons.clear();
  log.info({ url, milliseconds: Date.now() - startedAtMs }, 'the cloud is up');

  let finish: () => void = () => {};
  const ended = new Promise<void>((resolve) => {
    finish = resolve;
  });
  let ending: Promise<void> | undefined;
  const end = (guests: 'stop' | 'keep', tell: (text: string) => void): Promise<void> => {
    ending ??= (async () => {
      reasons.add('stopping');
      await cloud.server.close();
      await cloud.stop();
      if (guests === 'stop') await stopGuests(agents, tell);
      await Promise.all(agents.map((agent) => agent.stop()));
      simulated?.close();
      await store.close();
      log.info({}, 'the cloud is down');
      log.flush();
      unclaim(paths);
    })();
    return ending;
  };
  const control = await serveControl(paths, async (request, tell) => {
    if (request.ask === 'status') return statusOf(hosts, agents, cloud, own, url, startedAtMs, paths);
    if (request.ask === 'keys') return await cloud.rotateKeys(request.keys, request.force);
    if (request.ask === 'host') return await switchHost(hosts, agents, request.host, request.power);
    tell('ending requests');
    await end(request.guests, tell);
    setTimeout(finish, 20);
    return null;
  });
  void ended.then(() => control.close());
  // a signal ends the cloud, not its guests: a restart of the program is no restart of the servers
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void end('keep', () => {}).finally(finish));
  process.on('unhandledRejection', (error) =>
    log.error({ err: error instanceof Error ? { message: error.message, stack: error.stack } : String(error) }, 'a promise was rejected and nobody looked'),
  );
  return { url, ended };
}

/** Asks every running guest to power off, and ends those that do not. */
async function stopGuests(agents: readonly HostAgent[], tell: (text: string) => void): Promise<void> {
  for (const agent of agents) {
    if ('isOff' in agent && agent.isOff === true) continue;
    const running = (await agent.guests.list()).filter((g) => g.state === 'running' || g.state === 'paused');
    if (running.length === 0) continue;
    tell(`stopping ${running.length} ${running.length === 1 ? 'guest' : 'guests'} on ${agent.host}`);
    await Promise.allSettled(running.map((g) => agent.guests.shutDown(g.guestId, STOP_GRACE_MS)));
  }
}

async function statusOf(
  hosts: HostRegistry,
  agents: readonly HostAgent[],
  cloud: Awaited<ReturnType<typeof compose>>,
  own: string,
  url: string,
  startedAtMs: number,
  paths: Paths,
): Promise<StatusReport> {
  const described = await Promise.all(
    // a host that is switched off has nothing to say
    agents
      .filter((agent) => hosts.names().includes(agent.host))
      .map(async (agent) => {
        const [facts, guests] = await Promise.all([agent.describe(), agent.guests.list()]);
        return { agent, facts, guests };
      }),
  );
  return {
    running: true,
    pid: process.pid,
    url: own,
    version: VERSION,
    uptimeSeconds: Math.floor((Date.now() - startedAtMs) / 1000),
    memoryMb: Math.round(process.memoryUsage.rss() / 2 ** 20),
    endpoints: cloud.services.map((s) => ({
      service: s.name,
      type: s.type,
      url: url + s.prefix,
      versions: s.microversions ? `${s.microversions.min} to ${s.microversions.max}` : '',
    })),
    hosts: described.map(({ facts, guests }) => ({
      host: facts.host,
      hypervisor: facts.accelerator === 'simulated' ? 'simulated' : `${facts.hypervisorType} (${facts.accelerator})`,
      vcpus: facts.vcpus,
      memoryMb: facts.memoryMb,
      diskGb: facts.diskGb,
      guests: guests.length,
    })),
    guests: described.flatMap(({ agent, guests }) =>
      guests.map((g) => ({ id: g.guestId, host: agent.host, state: g.state, ...(g.pid !== undefined && { pid: g.pid }) })),
    ),
    data: paths.data,
  };
}
