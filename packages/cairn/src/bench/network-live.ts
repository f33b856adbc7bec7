import { connect } from 'node:net';
import { join } from 'node:path';
import { namesOf } from '@cairn/host/fabric/names';
import type { Bench } from './api.ts';
import { median } from './load.ts';
import { bound, create, letIn, netOf, nextLine, remove } from './network-parts.ts';
import type { Figure } from './report.ts';
import { ruleCost } from './rule-cost.ts';
import { type BoundPort, Inside, Standin } from './standin.ts';

const LIMIT_MS = 60_000;
const ROUNDS = 9;
const PROGRAM = join(import.meta.dirname, 'probe.fixture.ts');

/** How long it takes until what the API accepted is so in the kernel, and packets go; of a cloud with one real host, on this machine. */
export async function networkLive(bench: Bench, instance: string): Promise<Figure[]> {
  const { load, projectId } = bench;
  const quota = { network: -1, subnet: -1, port: -1, router: -1, floatingip: -1, security_group: -1, security_group_rule: -1 };
  await load.json({ method: 'PUT', path: `/network/v2.0/quotas/${projectId}`, body: { quota } });
  const inside = new Inside(bench.pid, namesOf(instance).switchNamespace);
  return [
    ...(await ruleLive(bench, inside, 100, 50)),
    ...(await ruleLive(bench, inside, 500, 1000)),
    ...(await firstPacket(bench, inside)),
    ...(await ruleCost(bench, inside)),
  ];
}

const range = (times: readonly number[]): string => `${Math.min(...times).toFixed(0)} to ${Math.max(...times).toFixed(0)} ms`;

/** A rule of a group that `count` ports of this host are in: from the request to the first packet that it lets through. */
async function ruleLive(bench: Bench, inside: Inside, count: number, goal: number): Promise<Figure[]> {
  const group = await create(bench, 'security_group', { name: 'bench-live' });
  const network = await netOf(bench, 'bench-live', '10.3.0.0/16');
  const ports = await bound(bench, count, { network_id: network.id, security_groups: [group.id] });
  const [source, target] = (await Promise.all(ports.slice(0, 2).map((port) => Standin.start(inside, port, 16)))) as [Standin, Standin];
  const probe = inside.spawn(source.netns, process.execPath, PROGRAM, target.address);
  const times: number[] = [];
  try {
    await nextLine(probe);
    for (let i = 0; i < ROUNDS; i++) {
      const at = 21_001 + i;
      const passes = nextLine(probe);
      probe.stdin?.write(`${at}\n`);
      const startMs = performance.now();
      await create(bench, 'security_group_rule', letIn(group.id, at));
      await passes;
      times.push(performance.now() - startMs);
    }
  } finally {
    probe.kill();
    for (const standin of [source, target]) await standin.stop();
  }
  for (const { id } of ports) await remove(bench, `ports/${id}`);
  await remove(bench, `networks/${network.id}`);
  await remove(bench, `security-groups/${group.id}`);
  return [{ name: `rule of ${count} ports: to the first packet that it lets through, p50`, value: median(times), unit: 'ms', goal, note: range(times) }];
}

/** From the request that associates a floating IP to the first packet that comes back through it. */
async function firstPacket(bench: Bench, inside: Inside): Promise<Figure[]> {
  const { load } = bench;
  const [outside] = (await load.json({ method: 'GET', path: '/network/v2.0/networks?router:external=true' })).networks;
  const { id, subnet } = await netOf(bench, 'bench-floating', '10.4.0.0/24');
  const router = await create(bench, 'router', { name: 'bench', external_gateway_info: { network_id: outside.id } });
  const turn = (verb: string): Promise<unknown> =>
    load.json({ method: 'PUT', path: `/network/v2.0/routers/${router.id}/${verb}_router_interface`, body: { subnet_id: subnet.id } });
  await turn('add');
  const group = await create(bench, 'security_group', { name: 'bench-floating' });
  await create(bench, 'security_group_rule', { security_group_id: group.id, direction: 'ingress' });
  const [port] = (await bound(bench, 1, { network_id: id, security_groups: [group.id] })) as [BoundPort];
  const there = await Standin.start(inside, port, 24, subnet.gateway_ip);
  const times: number[] = [];
  try {
    for (let i = 0; i < ROUNDS; i++) {
      const floating = await create(bench, 'floatingip', { floating_network_id: outside.id });
      const startMs = performance.now();
      await load.json({ method: 'PUT', path: `/network/v2.0/floatingips/${floating.id}`, body: { floatingip: { port_id: port.id } } });
      while (!(await answers(floating.floating_ip_address))) if (performance.now() - startMs > LIMIT_MS) throw new Error('the floating IP does not answer');
      times.push(performance.now() - startMs);
      await remove(bench, `floatingips/${floating.id}`);
    }
  } finally {
    await there.stop();
  }
  await turn('remove');
  await remove(bench, `routers/${router.id}`);
  await remove(bench, `ports/${port.id}`);
  await remove(bench, `networks/${id}`);
  await remove(bench, `security-groups/${group.id}`);
  return [{ name: 'floating IP associated: to the first packet through it, p50', value: median(times), unit: 'ms', goal: 300, note: range(times) }];
}

/** Whether somebody there says that the port is closed: a packet went there, and one came back. What is lost is sent again soon. */
const answers = (host: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port: 9 });
    const timer = setTimeout(() => end(false), 20);
    const end = (answered: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      if (answered) resolve(true);
      else setTimeout(() => resolve(false), 2);
    };
    socket.on('connect', () => end(true));
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code === 'ECONNREFUSED'));
  });
