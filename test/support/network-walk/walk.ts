import { randomFrom } from '../walk/random.ts';
import { ACTIONS } from './actions.ts';
import { NetworkGround, OUTSIDE, type Probe } from './ground.ts';
import { Model } from './model.ts';
import { secondAddress, type Views } from './views.ts';

export interface NetworkWalkReport {
  readonly steps: number;
  readonly refused: number;
  readonly probes: number;
  readonly answered: number;
  readonly explained: number;
  readonly accepted: Readonly<Record<string, number>>;
}

const KINDS = Object.entries(ACTIONS).flatMap(([name, [weight]]) => Array<string>(weight).fill(name));
/** What there is before the walk begins, so that there is something to walk over. */
const FIRST = [
  'makeNetwork',
  'makeNetwork',
  'makeRouter',
  'addInterface',
  'addInterface',
  'makeGuest',
  'makeGuest',
  'makeGuest',
  'makeGroup',
  'open',
  'open',
  'open',
  'makeRule',
  'makeFloating',
];
/** Other kinds of step that are tried where one has nothing to be done to. */
const OTHERS = 8;
const PROBES = 48;
/** A ping is a program of its own, so there are fewer. */
const PINGS = 8;
const EXPLAINED = 8;

/**
 * Walks at random over the network API. After every step each host's kernel must be what the database makes of it, and what is sent between
 * guests, and from and to the outside, must be answered where the rules of the API say so, and nowhere else. Throws with what was found.
 */
export async function walkNetwork(seed: number, steps: number, hosts: number, tell: (text: string) => void): Promise<NetworkWalkReport> {
  const ground = await NetworkGround.start(hosts);
  const done: string[] = [];
  const counts = { refused: 0, probes: 0, answered: 0, explained: 0 };
  const accepted: Record<string, number> = {};
  try {
    const random = randomFrom(seed);
    const below = (limit: number): number => Math.floor(random() * limit);
    await ground.provide();
    let views = await ground.views();
    for (const [i, kind] of FIRST.entries()) {
      await ACTIONS[kind]?.[1]({ ground, views, below, step: i });
      views = await ground.views();
    }
    for (let step = FIRST.length; step < FIRST.length + steps; step++) {
      let kind = KINDS[below(KINDS.length)] as string;
      let answer = await ACTIONS[kind]?.[1]({ ground, views, below, step });
      for (let i = 0; !answer && i < OTHERS; i++) {
        kind = KINDS[below(KINDS.length)] as string;
        answer = await ACTIONS[kind]?.[1]({ ground, views, below, step });
      }
      if (!answer) continue;
      const outcome = `${step} ${kind}: ${answer.status}${answer.status >= 400 ? ` ${JSON.stringify(answer.body)}` : ''}`;
      done.push(outcome);
      tell(outcome);
      if (answer.status >= 500) throw new Error(outcome);
      if (answer.status >= 400) counts.refused++;
      else accepted[kind] = (accepted[kind] ?? 0) + 1;
      await ground.settle();
      views = await ground.views();
      const wrong = await faults(ground, views, below, counts);
      if (wrong.length > 0) throw new Error(`after step ${done.at(-1)}:\n${wrong.join('\n')}`);
    }
    return { steps: done.length, ...counts, accepted };
  } catch (error) {
    throw new Error(`${(error as Error).message}\nthe last steps:\n  ${done.slice(-8).join('\n  ')}`, { cause: error });
  } finally {
    await ground.stop();
  }
}

/** What is not as it is to be. */
async function faults(
  ground: NetworkGround,
  views: Views,
  below: (limit: number) => number,
  counts: { probes: number; answered: number; explained: number },
): Promise<string[]> {
  const wrong: string[] = [];
  for (const host of ground.hosts) wrong.push(...(await ground.unlike(host)));
  for (const port of views.guestPorts())
    if ((port.status === 'ACTIVE') !== port.admin_state_up) wrong.push(`port ${port.id} is ${port.status}, admin_state_up ${port.admin_state_up}`);
  if (wrong.length > 0) return wrong;
  await ground.seat(views);
  const model = new Model(views);
  const tries = chosen(views, below).flatMap((probe) => {
    const expected = model.outcome(probe);
    return expected ? [{ probe, expected }] : [];
  });
  const answered = await Promise.all(tries.map(({ probe, expected }) => ground.isAnswered(probe, expected.answered)));
  for (const [i, { probe, expected }] of tries.entries()) {
    counts.probes++;
    if (answered[i]) counts.answered++;
    if (answered[i] === expected.answered) continue;
    const words = JSON.stringify(await explained(ground, probe));
    wrong.push(`${JSON.stringify(probe)} was ${answered[i] ? '' : 'not '}answered; the model: ${expected.why}; the service: ${words}`);
  }
  for (const { probe, expected } of tries.slice(0, EXPLAINED)) {
    if (probe.from === 'outside' && views.floatingIps.every((floating) => floating.floating_ip_address !== probe.destination)) continue;
    if (isUnknown(views, probe)) continue;
    counts.explained++;
    const path = await explained(ground, probe);
    // one of several that may have it
    if (path.verdict === 'unknown' && isSecond(views, probe.destination)) continue;
    // what else is outside, the service cannot know
    if (path.summary.startsWith('It leaves the cloud') && probe.destination !== OUTSIDE) continue;
    if ((path.verdict === 'pass') !== expected.answered)
      wrong.push(`${JSON.stringify(probe)} is explained as ${JSON.stringify(path)}; the model: ${expected.why}`);
  }
  return wrong;
}

/** The guest has an address that its port does not name: only who looks into the guest can know. */
const isUnknown = (views: Views, { destination }: Probe): boolean =>
  views
    .guestPorts()
    .some((port) => !port.port_security_enabled && port.fixed_ips.some(({ ip_address: ip }) => !ip.includes(':') && secondAddress(ip) === destination));

const isSecond = (views: Views, ip: string): boolean =>
  views.guestPorts().some((port) => port.fixed_ips.some(({ ip_address: fixed }) => !fixed.includes(':') && secondAddress(fixed) === ip));

/** Some of all that could be sent, in an order of chance. */
function chosen(views: Views, below: (limit: number) => number): Probe[] {
  const guests = views.guestPorts();
  const targets = [
    ...guests.flatMap((port) => port.fixed_ips.flatMap(({ ip_address: ip }) => (ip.includes(':') ? [ip] : [ip, ip, secondAddress(ip)]))),
    ...views.floatingIps.flatMap((floating) => [floating.floating_ip_address, floating.floating_ip_address]),
    OUTSIDE,
  ];
  const outer = views.floatingIps.map((floating) => floating.floating_ip_address);
  const seconds = new Set(guests.flatMap((port) => port.fixed_ips.map(({ ip_address: ip }) => secondAddress(ip))));
  const probes: Probe[] = [];
  let pings = 0;
  for (let tries = 0; probes.length < PROBES && tries < PROBES * 3; tries++) {
    const from = below(6) === 0 ? undefined : guests[below(guests.length || 1)];
    const destination = (from ? targets : outer)[below((from ? targets : outer).length || 1)];
    if (destination === undefined) continue;
    const version6 = destination.includes(':');
    const fixed = from?.fixed_ips.find(({ ip_address: ip }) => ip.includes(':') === version6)?.ip_address;
    if (from && fixed === undefined) continue;
    const source = fixed === undefined ? OUTSIDE : !version6 && below(5) === 0 ? secondAddress(fixed) : fixed;
    if (from && [fixed, secondAddress(fixed ?? '')].includes(destination)) continue;
    const chosen = (['tcp', 'tcp', 'udp', 'icmp'] as const)[below(4)] ?? 'tcp';
    // a UDP socket answers from the first address that it has
    const protocol = chosen === 'udp' && seconds.has(destination) ? 'tcp' : chosen;
    if (protocol === 'icmp' && ++pings > PINGS) continue;
    const forwarded = views.floatingIps.find((floating) => floating.floating_ip_address === destination)?.port_forwardings ?? [];
    const ports = protocol === 'udp' ? [53] : [22, 80, ...forwarded.filter((each) => each.protocol === 'tcp').map((each) => each.external_port)];
    const destinationPort = protocol === 'icmp' ? 0 : (ports[below(ports.length)] ?? 22);
    probes.push({ from: from?.id ?? 'outside', source, destination, protocol, sourcePort: protocol === 'icmp' ? 0 : 20_000 + below(40_000), destinationPort });
  }
  return probes;
}

/** What the service says becomes of it. */
async function explained(ground: NetworkGround, probe: Probe): Promise<{ verdict: string; summary: string }> {
  const ports = probe.protocol === 'icmp' ? '' : `&destination_port=${probe.destinationPort}&source_port=${probe.sourcePort}`;
  const query = `source_ip=${probe.source}&protocol=${probe.protocol}${ports}`;
  const { world } = ground;
  const outer = probe.from === 'outside' ? `floating_ip_address=${probe.destination}` : undefined;
  const about =
    outer === undefined
      ? `/ports/${probe.from}/path?destination=${probe.destination}&${query}`
      : `/floatingips/${(await world.expect(200, 'admin', 'GET', `/floatingips?${outer}`)).floatingips[0]?.id}/path?${query}`;
  const { path } = await world.expect(200, 'admin', 'GET', about);
  return { verdict: path.verdict, summary: path.summary };
}
