import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from './api.ts';
import { median } from './load.ts';
import { bound, create, letIn, netOf, nextLine, remove } from './network-parts.ts';
import { type Ratio, ratioOf } from './pairs.ts';
import type { Figure } from './report.ts';
import { type BoundPort, type Inside, Standin } from './standin.ts';

const RULES = 1_000;
const PROGRAM = join(import.meta.dirname, 'duel.fixture.ts');
const LISTENS = 5_001;
const CLOSED = 5_002;
const DATAGRAM_BITS = 1_400 * 8;
const DATAGRAMS = 50;
const CALLS = 20;
const ROUNDS = 1_500;

/**
 * What a thousand rules of a port cost, of a flow that is there and of connections that begin: from one port to three others, one with the rules that let
 * them in, one with a thousand besides, and once more one with those few, which says how far two ports differ that are alike. All three in turns, many times.
 * Datagrams are carried one by one, where TCP's segments go through the rules many at a time: what these cost shows more.
 */
export async function ruleCost(bench: Bench, inside: Inside): Promise<Figure[]> {
  const { id } = await netOf(bench, 'bench-rules', '10.5.0.0/24');
  const made: { readonly group: string; readonly port: string; readonly standin: Standin }[] = [];
  const add = async (rules: number): Promise<Standin> => {
    const group = (await create(bench, 'security_group', { name: 'bench-rules' })).id as string;
    const all = [...Array.from({ length: rules }, (_, i) => 30_000 + 2 * i), CLOSED].map((at) => letIn(group, at));
    all.push({ ...letIn(group, LISTENS), protocol: 'udp' });
    for (let i = 0; i < all.length; i += 250)
      await bench.load.json({ method: 'POST', path: '/network/v2.0/security-group-rules', body: { security_group_rules: all.slice(i, i + 250) } });
    const [port] = (await bound(bench, 1, { network_id: id, security_groups: [group] })) as [BoundPort];
    const standin = await Standin.start(inside, port, 24);
    made.push({ group, port: port.id, standin });
    return standin;
  };
  const children: ChildProcess[] = [];
  // who calls and who is called have a processor each: which of them shares one with which would make more of a difference than any rule
  const [first, last] = processors();
  const program = (processor: string, standin: Standin, ...args: string[]): ChildProcess => {
    const child = inside.spawn(standin.netns, 'taskset', '--cpu-list', processor, process.execPath, PROGRAM, ...args);
    children.push(child);
    return child;
  };
  const figures: Figure[] = [];
  try {
    const source = await add(0);
    const ends = [await add(0), await add(RULES), await add(0)];
    for (const end of ends) await nextLine(program(last, end, 'serve', String(LISTENS)));
    const measured = async (what: string, port: number, size: number): Promise<number[][]> =>
      JSON.parse(await nextLine(program(first, source, what, String(port), String(size), String(ROUNDS), ...ends.map(({ address }) => address)))) as number[][];
    const flow = await measured('datagrams', LISTENS, DATAGRAMS);
    const rate = (i: number): string => ((DATAGRAMS * DATAGRAM_BITS) / 1e6 / median(column(flow, i))).toFixed(2);
    figures.push(figure(`throughput of a port with ${RULES} rules, against one`, flow, `${rate(0)} and ${rate(1)} Gbit/s`));
    const calls = await measured('calls', CLOSED, CALLS);
    const each = (i: number): string => ((median(column(calls, i)) * 1000) / CALLS).toFixed(1);
    figures.push(figure(`connections opened to a port with ${RULES} rules, against one`, calls, `${each(0)} and ${each(1)} us each`));
  } finally {
    for (const child of children) child.kill();
    for (const { standin } of made) await standin.stop();
  }
  for (const { port, group } of made) {
    await remove(bench, `ports/${port}`);
    await remove(bench, `security-groups/${group}`);
  }
  await remove(bench, `networks/${id}`);
  return figures;
}

/** The first and the last processor that this process may use. */
function processors(): [string, string] {
  const all = /^Cpus_allowed_list:\s*(.+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]?.split(/[,-]/) ?? [];
  return [all[0] ?? '0', all.at(-1) ?? '0'];
}

const column = (rounds: readonly (readonly number[])[], i: number): number[] => rounds.map((round) => round[i] ?? Number.NaN);

function figure(name: string, rounds: readonly (readonly number[])[], note: string): Figure {
  const [few, many, again] = [0, 1, 2].map((i) => column(rounds, i)) as [number[], number[], number[]];
  const [ratio, alike] = [ratioOf(few, many), ratioOf(few, again)];
  const text = ({ median, low, high }: Ratio): string => `${median.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`;
  return {
    name,
    value: ratio.median,
    unit: 'ratio',
    goal: 0.98,
    atLeast: true,
    note: `${text(ratio)} of ${rounds.length} rounds; two ports alike: ${text(alike)}; ${note}`,
  };
}
