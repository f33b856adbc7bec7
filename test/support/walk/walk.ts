import { setTimeout as sleep } from 'node:timers/promises';
import { ACTIONS } from './actions.ts';
import { Contents, type Note, type NotedStep } from './contents.ts';
import type { Ground, GroundAnswer } from './ground.ts';
import { randomFrom } from './random.ts';
import type { Call, Place, Scene } from './scene.ts';
import { isAtWork } from './records.ts';
import { type State, stateOf, unsettled } from './state.ts';
import { wrongs } from './truth.ts';

/** Some steps at once, and perhaps a kill in their midst. Each step keeps the number that its choices are made by, so that a walk replays. */
export interface Burst {
  readonly steps: readonly { readonly action: string; readonly seed: number }[];
  /** SIGKILL that many milliseconds after the steps were sent. */
  readonly killAfterMs?: number;
  /** And once more, that many milliseconds after the cloud was up again and took up what it had left. */
  readonly againAfterMs?: number;
  /** One of the guests loses its process, by this number between 0 and 1, where guests have one. */
  readonly killGuest?: number;
  /** A program that works on disks for these steps is ended. */
  readonly killHelper?: boolean;
  /** Before the steps, some volumes are written to, by choices of this number. */
  readonly writes?: number;
  /** Before the steps, a host goes away by this number, its servers are evacuated, and it comes back. */
  readonly loseHost?: number;
}

export interface WalkReport {
  readonly steps: number;
  readonly refused: number;
  /** Of the cloud, of guests, of programs that work on disks, of hosts. */
  readonly kills: Readonly<Record<'cloud' | 'guests' | 'helpers' | 'hosts', number>>;
  /** How many contents were compared, at least. */
  readonly compared: number;
  /** How often each kind of step was accepted. */
  readonly accepted: Readonly<Record<string, number>>;
}

/** A walk that found something wrong. */
export class WalkFailure extends Error {
  readonly bursts: readonly Burst[];
  constructor(message: string, bursts: readonly Burst[]) {
    super(message);
    this.bursts = bursts;
  }
}

/** No limit of speed: a cloud on a machine that has much else to do is right, too. What hangs, hangs longer. */
const SETTLE_MS = 300_000;
/** How long a cloud at rest may take to notice what happened to a guest, or to tell its neighbours. */
const NOTICE_MS = 60_000;
/** For so long the store is asked whether there is work to wait for. */
const ASK_MS = 10_000;
/** A server was accepted that starts from a snapshot, which another step then took for itself or removed. */
const LOST_RACE = /^server \S+ is ERROR: (Invalid snapshot: Originating snapshot status|Snapshot \S+ could not be found)/;
/** Other kinds of step that are tried where one has nothing to be done to. */
const OTHERS = 8;

const KINDS = Object.entries(ACTIONS).flatMap(([name, [weight]]) => Array<string>(weight).fill(name));

/** Plans a walk: bursts of one to five steps, every twelfth or so with a kill. */
export function planWalk(seed: number, steps: number): Burst[] {
  const random = randomFrom(seed);
  const bursts: Burst[] = [];
  for (let planned = 0; planned < steps; ) {
    const size = random() < 0.4 ? 1 : 2 + Math.floor(random() * 4);
    const killed = random() < 0.08;
    bursts.push({
      steps: Array.from({ length: size }, () => ({ action: KINDS[Math.floor(random() * KINDS.length)] as string, seed: Math.floor(random() * 2 ** 32) })),
      ...(killed && { killAfterMs: Math.floor(random() * 80) }),
      ...(random() < 0.05 && { killGuest: random() }),
      ...(random() < 0.08 && { killHelper: true }),
      ...(random() < 0.08 && { writes: Math.floor(random() * 2 ** 32) }),
      ...(random() < 0.02 && { loseHost: random() }),
      ...(killed && random() < 0.3 && { againAfterMs: Math.floor(random() * 60) }),
    });
    planned += size;
  }
  return bursts;
}

interface Sent {
  readonly action: string;
  readonly notes: readonly Note[];
  readonly answer: Promise<GroundAnswer | Error>;
}

/** One walk over one cloud. */
class Walker {
  readonly #cloud: Ground;
  readonly #place: Place;
  readonly #progress: (text: string) => void;
  readonly #done: Burst[] = [];
  readonly #contents = new Contents();
  /** Whose guest died; in the midst of an action that may leave its server in error, and it says why. */
  readonly #killed = new Set<string>();
  readonly #counts = { steps: 0, refused: 0, compared: 0, kills: { cloud: 0, guests: 0, helpers: 0, hosts: 0 } };
  readonly #accepted: Record<string, number> = {};
  #state: State;

  constructor(cloud: Ground, place: Place, state: State, progress: (text: string) => void) {
    this.#cloud = cloud;
    this.#place = place;
    this.#state = state;
    this.#progress = progress;
  }

  get report(): WalkReport {
    return { ...this.#counts, accepted: this.#accepted };
  }

  async burst(burst: Burst): Promise<void> {
    this.#done.push(burst);
    if (burst.writes !== undefined) await this.#write(burst.writes);
    if (burst.loseHost !== undefined && this.#cloud.loseHost) await this.#loseHost(burst.loseHost);
    const sent = burst.steps.flatMap((step, i) => this.#send(step, `walk-${this.#done.length}-${i}`) ?? []);
    const isKilled = await this.#kill(burst);
    const noted: NotedStep[] = [];
    for (const { action, notes, answer } of sent) noted.push({ notes, outcome: this.#outcome(action, await answer, isKilled) });
    this.#state = await this.#rest();
    this.#contents.settle(this.#state, noted);
    await this.#judge(`${sent.map(({ action }) => action).join(', ')}${isKilled ? ' and a kill' : ''}`);
    if (this.#done.length % 20 === 0)
      this.#progress(`${this.#counts.steps} steps, ${this.#counts.refused} refused, kills ${JSON.stringify(this.#counts.kills)}`);
  }

  /** Sends a step; where there is nothing to do it to, another that its number leads to. */
  #send({ action, seed }: Burst['steps'][number], name: string): Sent | undefined {
    const random = randomFrom(seed);
    const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(random() * list.length)];
    for (let i = 0, kind = action; i < OTHERS; i += 1, kind = pick(KINDS) as string) {
      const notes: Note[] = [];
      const scene: Scene = {
        cloud: this.#cloud,
        state: this.#state,
        ...this.#place,
        pick,
        name,
        makes: (kind, of) => notes.push({ is: 'made', kind, name, of }),
        overwrites: (volumeId, by) => notes.push({ is: 'overwritten', volumeId, by }),
      };
      const answer: Call = ACTIONS[kind]?.[1](scene);
      if (answer) return { action: kind, notes, answer: answer.catch((error: Error) => error) };
    }
    return undefined;
  }

  #outcome(action: string, got: GroundAnswer | Error, isKilled: boolean): NotedStep['outcome'] {
    this.#counts.steps += 1;
    if (got instanceof Error) {
      if (!isKilled) throw new WalkFailure(`${action}: ${got.message}`, this.#done);
      return 'unknown';
    }
    if (got.status >= 500) throw new WalkFailure(`${action}: ${got.status} ${JSON.stringify(got.body)}`, this.#done);
    if (got.status < 400) {
      this.#accepted[action] = (this.#accepted[action] ?? 0) + 1;
      return 'accepted';
    }
    this.#counts.refused += 1;
    if (process.env.CAIRN_WALK_VERBOSE) this.#progress(`${action}: ${got.status} ${JSON.stringify(got.body).slice(0, 200)}`);
    return 'refused';
  }

  /** What a burst kills. True when the cloud's process was among it. */
  async #kill(burst: Burst): Promise<boolean> {
    const { kills } = this.#counts;
    const lost = burst.killGuest === undefined ? undefined : this.#cloud.killGuest?.(burst.killGuest);
    if (lost !== undefined) {
      this.#killed.add(lost);
      kills.guests += 1;
    }
    if (burst.killHelper && (await this.#cloud.killHelper?.(AbortSignal.timeout(1_500))) !== undefined) kills.helpers += 1;
    if (burst.killAfterMs === undefined) return false;
    for (const afterMs of [burst.killAfterMs, burst.againAfterMs]) {
      if (afterMs === undefined) continue;
      await sleep(afterMs);
      await this.#cloud.crash();
      kills.cloud += 1;
    }
    return true;
  }

  async #write(seed: number): Promise<void> {
    const writes = this.#contents.plan(this.#state, randomFrom(seed));
    if (writes.length === 0) return;
    await this.#cloud.write(writes);
    this.#contents.written(writes);
    this.#state = await this.#rest();
  }

  /** A host goes away; its servers are built anew elsewhere; it comes back. */
  async #loseHost(chance: number): Promise<void> {
    const hosts = [...new Set(this.#state.servers.map((s) => s['OS-EXT-SRV-ATTR:host']).filter(Boolean))] as string[];
    const host = hosts[Math.floor(chance * hosts.length)];
    if (host === undefined) return;
    const headers = { 'openstack-api-version': 'compute 2.53' };
    const back = await this.#cloud.loseHost?.(host);
    for (const server of this.#state.servers) if (server['OS-EXT-SRV-ATTR:host'] === host) this.#killed.add(server.id);
    const { services } = await this.#cloud.ok('GET', `/compute/v2.1/os-services?host=${host}&binary=nova-compute`, undefined, { headers });
    const service = `/compute/v2.1/os-services/${services[0].id}`;
    await this.#cloud.ok('PUT', service, { forced_down: true }, { headers });
    for (const server of this.#state.servers.filter((s) => s['OS-EXT-SRV-ATTR:host'] === host)) {
      const { status, body } = await this.#cloud.call('POST', `/compute/v2.1/servers/${server.id}/action`, { evacuate: {} }, { headers });
      if (status >= 500) throw new WalkFailure(`evacuate: ${status} ${JSON.stringify(body)}`, this.#done);
    }
    await this.#rest();
    await back?.();
    await this.#cloud.ok('PUT', service, { forced_down: false }, { headers });
    this.#counts.kills.hosts += 1;
    this.#state = await this.#rest();
    await this.#judge(`the loss of host ${host}`);
  }

  /** Waits until nothing is on its way. */
  async #rest(): Promise<State> {
    const endMs = Date.now() + SETTLE_MS;
    // asking the store is cheap; what it says is only a hint
    for (const askMs = Date.now() + ASK_MS; isAtWork(this.#cloud.data) && Date.now() < askMs; ) await sleep(10);
    for (;;) {
      const state = await stateOf(this.#cloud);
      const moving = unsettled(state);
      if (moving.length === 0) return state;
      if (Date.now() > endMs) throw new WalkFailure(`not at rest after ${SETTLE_MS} ms:\n  ${moving.join('\n  ')}`, this.#done);
      await sleep(50);
    }
  }

  /** Everything must hold, as soon as the cloud has had time to notice what happened to it. */
  async #judge(after: string): Promise<void> {
    const isExcused = (words: string): boolean => LOST_RACE.test(words) || [...this.#killed].some((id) => words.startsWith(`server ${id} is ERROR: `));
    const look = async (): Promise<string[]> =>
      (await wrongs(this.#cloud, this.#state, { killed: this.#killed, contents: this.#contents })).filter((words) => !isExcused(words));
    let found = await look();
    for (const endMs = Date.now() + NOTICE_MS; found.length > 0 && Date.now() < endMs; found = await look()) {
      await sleep(100);
      this.#state = await this.#rest();
    }
    if (found.length > 0) throw new WalkFailure(`after ${after}:\n  ${found.join('\n  ')}`, this.#done);
    this.#counts.compared += this.#contents.expected().length;
  }
}

/** Walks over a new cloud. After each burst the cloud comes to rest, and everything must hold. Throws WalkFailure. */
export async function walk(make: () => Promise<Ground>, bursts: readonly Burst[], progress: (text: string) => void = () => {}): Promise<WalkReport> {
  const cloud = await make();
  try {
    const place = await prepare(cloud);
    const walker = new Walker(cloud, place, await stateOf(cloud), progress);
    for (const burst of bursts) await walker.burst(burst);
    return walker.report;
  } finally {
    await cloud.stop();
  }
}

/** A network behind a router, two types of volume, and no quota in the way. */
async function prepare(cloud: Ground): Promise<Place> {
  const project = (await cloud.ok('GET', '/identity/v3/projects?name=admin')).projects[0].id as string;
  await cloud.ok('PUT', `/compute/v2.1/os-quota-sets/${project}`, { quota_set: { instances: -1, cores: -1, ram: -1 } });
  await cloud.ok('PUT', `/volume/v3/os-quota-sets/${project}`, { quota_set: { volumes: -1, snapshots: -1, gigabytes: -1 } });
  for (const name of ['walk-1', 'walk-2']) await cloud.ok('POST', '/volume/v3/types', { volume_type: { name } });
  const imageId = (await cloud.ok('GET', '/image/v2/images?name=cirros')).images[0].id as string;
  const networkId = (await cloud.ok('POST', '/network/v2.0/networks', { network: { name: 'walk' } })).network.id as string;
  const subnetId = (await cloud.ok('POST', '/network/v2.0/subnets', { subnet: { network_id: networkId, cidr: '10.8.0.0/24', ip_version: 4 } })).subnet.id;
  const publicId = (await cloud.ok('GET', '/network/v2.0/networks?router:external=true')).networks[0].id as string;
  const routerId = (await cloud.ok('POST', '/network/v2.0/routers', { router: { external_gateway_info: { network_id: publicId } } })).router.id;
  await cloud.ok('PUT', `/network/v2.0/routers/${routerId}/add_router_interface`, { subnet_id: subnetId });
  return { imageId, networkId, publicId };
}

/** Leaves out bursts and steps as long as what is left still fails, for at most so many tries. */
export async function shrink(make: () => Promise<Ground>, failure: WalkFailure, tries: number, progress: (text: string) => void): Promise<WalkFailure> {
  let best = failure;
  let size = Math.ceil(best.bursts.length / 2);
  let left = tries;
  const attempt = async (bursts: readonly Burst[]): Promise<boolean> => {
    left -= 1;
    try {
      await walk(make, bursts);
      return false;
    } catch (error) {
      if (!(error instanceof WalkFailure)) throw error;
      best = error;
      progress(`still fails with ${error.bursts.length} bursts: ${error.message.split('\n').slice(0, 2).join(' ')}`);
      return true;
    }
  };
  while (size >= 1 && left > 0) {
    let from = 0;
    while (from < best.bursts.length && left > 0) if (!(await attempt([...best.bursts.slice(0, from), ...best.bursts.slice(from + size)]))) from += size;
    size = size === 1 ? 0 : Math.ceil(size / 2);
  }
  return best;
}
