import type { ChildProcess } from 'node:child_process';
import { connect } from 'node:net';
import { join } from 'node:path';
import { namesOf } from '@cairn/host/fabric/names';
import type { Bench } from './api.ts';
import { median } from './load.ts';
import type { Figure } from './report.ts';
import { type BoundPort, Inside, Standin } from './standin.ts';

const LIMIT_MS = 60_000;
const ROUNDS = 9;
const RULES = 1_000;
const STREAMS = 12;
const STREAM_MS = 400;
const PROGRAM = join(import.meta.dirname, 'stream.fixture.ts');

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
    ...(await throughput(bench, inside)),
  ];
}

// bodies are read as what the API says they are
const create = async ({ load }: Bench, kind: string, values: object): Promise<any> =>
  (await load.json({ method: 'POST', path: `/network/v2.0/${kind.replaceAll('_', '-')}s`, body: { [kind]: values } }))[kind];
const remove = async ({ load }: Bench, path: string): Promise<void> => void (await load.json({ method: 'DELETE', path: `/network/v2.0/${path}` }));
const hostOf = async ({ load }: Bench): Promise<string> => (await load.json({ method: 'GET', path: '/network/v2.0/agents' })).agents[0].host;

const range = (times: readonly number[]): string => `${Math.min(...times).toFixed(0)} to ${Math.max(...times).toFixed(0)} ms`;

/** A network with a subnet. */
async function netOf(bench: Bench, name: string, cidr: string): Promise<{ id: string; subnet: { id: string; gateway_ip: string } }> {
  const { id } = await create(bench, 'network', { name });
  return { id, subnet: await create(bench, 'subnet', { network_id: id, ip_version: 4, cidr }) };
}

/** Ports of guests that are on the host, which is told of them. */
async function bound(bench: Bench, count: number, values: object): Promise<BoundPort[]> {
  const one = { ...values, device_owner: 'compute:nova', device_id: 'bench', 'binding:host_id': await hostOf(bench) };
  const ports: BoundPort[] = [];
  while (ports.length < count) {
    const many = Array.from({ length: Math.min(50, count - ports.length) }, () => one);
    ports.push(...(await bench.load.json({ method: 'POST', path: '/network/v2.0/ports', body: { ports: many } })).ports);
  }
  return ports;
}

/** A rule of a group that `count` ports of this host are in: from the request to the first packet that it lets through. */
async function ruleLive(bench: Bench, inside: Inside, count: number, goal: number): Promise<Figure[]> {
  const group = await create(bench, 'security_group', { name: 'bench-live' });
  const network = await netOf(bench, 'bench-live', '10.3.0.0/16');
  const ports = await bound(bench, count, { network_id: network.id, security_groups: [group.id] });
  const [source, target] = (await Promise.all(ports.slice(0, 2).map((port) => Standin.start(inside, port, 16)))) as [Standin, Standin];
  const probe = inside.spawn(source.netns, process.execPath, PROGRAM, 'probe', target.address);
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

const letIn = (group: string, at: number): object => ({
  security_group_id: group,
  direction: 'ingress',
  protocol: 'tcp',
  port_range_min: at,
  port_range_max: at,
});

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

/** TCP from one port to two others, in turns: one with a rule that lets it in, one with a thousand besides. */
async function throughput(bench: Bench, inside: Inside): Promise<Figure[]> {
  const { id } = await netOf(bench, 'bench-throughput', '10.5.0.0/24');
  const made: { readonly group: string; readonly port: string; readonly standin: Standin }[] = [];
  const add = async (rules: number): Promise<Standin> => {
    const group = (await create(bench, 'security_group', { name: 'bench-throughput' })).id as string;
    const all = [...Array.from({ length: rules }, (_, i) => 30_000 + i), 5_001].map((at) => letIn(group, at));
    for (let i = 0; i < all.length; i += 250)
      await bench.load.json({ method: 'POST', path: '/network/v2.0/security-group-rules', body: { security_group_rules: all.slice(i, i + 250) } });
    const [port] = (await bound(bench, 1, { network_id: id, security_groups: [group] })) as [BoundPort];
    const standin = await Standin.start(inside, port, 24);
    made.push({ group, port: port.id, standin });
    return standin;
  };
  const children: ChildProcess[] = [];
  const rates: Record<'few' | 'many', number[]> = { few: [], many: [] };
  try {
    const source = await add(0);
    const ends = { few: await add(0), many: await add(RULES) };
    const program = (standin: Standin, ...args: string[]): ChildProcess => {
      const child = inside.spawn(standin.netns, process.execPath, PROGRAM, ...args);
      children.push(child);
      return child;
    };
    for (const end of Object.values(ends)) await nextLine(program(end, 'serve', '5001'));
    for (let i = 0; i < STREAMS; i++)
      for (const which of i % 2 === 0 ? (['few', 'many'] as const) : (['many', 'few'] as const))
        rates[which].push(Number(await nextLine(program(source, 'send', ends[which].address, '5001', String(STREAM_MS)))));
  } finally {
    for (const child of children) child.kill();
    for (const { standin } of made) await standin.stop();
  }
  for (const { port, group } of made) {
    await remove(bench, `ports/${port}`);
    await remove(bench, `security-groups/${group}`);
  }
  await remove(bench, `networks/${id}`);
  // what else the machine does slows some down and speeds none up
  const [few, many] = [Math.max(...rates.few), Math.max(...rates.many)];
  const gbit = (rate: number): string => ((rate * 8) / 1e9).toFixed(1);
  const note = `${gbit(few)} and ${gbit(many)} Gbit/s, the best of ${STREAMS} each; medians ${gbit(median(rates.few))} and ${gbit(median(rates.many))}`;
  return [{ name: `throughput of a port with ${RULES} rules, against one`, value: many / few, unit: 'ratio', goal: 0.98, atLeast: true, note }];
}

/** The next line that a program says; rejects when it ends, or is silent for long. */
const nextLine = (child: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => done(() => reject(new Error(`no packet came through within ${LIMIT_MS} ms`))), LIMIT_MS);
    const read = (chunk: Buffer): void => done(() => resolve(chunk.toString().trim()));
    const ended = (code: number | null): void => done(() => reject(new Error(`a program of the measurement ended with ${code}`)));
    const done = (then: () => void): void => {
      clearTimeout(timer);
      child.stdout?.off('data', read);
      child.off('exit', ended);
      then();
    };
    child.stdout?.on('data', read);
    child.on('exit', ended);
  });
