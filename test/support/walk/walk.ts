import { setTimeout as sleep } from 'node:timers/promises';
import type { Ground } from './ground.ts';
import { ACTIONS, type Scene } from './actions.ts';
import { randomFrom } from './random.ts';
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
}

export interface WalkReport {
  readonly steps: number;
  readonly refused: number;
  readonly kills: number;
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

const SETTLE_MS = 30_000;
/** How long a cloud at rest may take to notice what happened to a guest, or to tell its neighbours. */
const NOTICE_MS = 2_000;

/** Plans a walk: bursts of one to five steps, every twelfth or so with a kill. */
export function planWalk(seed: number, steps: number): Burst[] {
  const random = randomFrom(seed);
  const kinds = Object.entries(ACTIONS).flatMap(([name, [weight]]) => Array<string>(weight).fill(name));
  const bursts: Burst[] = [];
  for (let planned = 0; planned < steps; ) {
    const size = random() < 0.4 ? 1 : 2 + Math.floor(random() * 4);
    const killed = random() < 0.08;
    bursts.push({
      steps: Array.from({ length: size }, () => ({ action: kinds[Math.floor(random() * kinds.length)] as string, seed: Math.floor(random() * 2 ** 32) })),
      ...(killed && { killAfterMs: Math.floor(random() * 80) }),
      ...(random() < 0.05 && { killGuest: random() }),
      ...(killed && random() < 0.3 && { againAfterMs: Math.floor(random() * 60) }),
    });
    planned += size;
  }
  return bursts;
}

/** Walks over a new cloud. After each burst the cloud comes to rest, and everything must hold. Throws WalkFailure. */
export async function walk(make: () => Promise<Ground>, bursts: readonly Burst[], progress: (text: string) => void = () => {}): Promise<WalkReport> {
  const cloud = await make();
  const accepted: Record<string, number> = {};
  const counts = { steps: 0, refused: 0, kills: 0 };
  // a guest that dies in the midst of an action may leave its server in error, and says why
  const excused = new Set<string>();
  const judge = async (state: State): Promise<string[]> =>
    (await wrongs(cloud, state, excused)).filter((words) => ![...excused].some((id) => words.startsWith(`server ${id} is ERROR: `)));
  try {
    const place = await prepare(cloud);
    let state = await stateOf(cloud);
    for (const [at, burst] of bursts.entries()) {
      const done = bursts.slice(0, at + 1);
      const sent = burst.steps.map(({ action, seed }, i) => {
        const random = randomFrom(seed);
        const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(random() * list.length)];
        const scene: Scene = { cloud, state, ...place, pick, name: `walk-${at}-${i}` };
        return { action, answer: ACTIONS[action]?.[1](scene)?.catch((error: Error) => error) };
      });
      let killed = false;
      const lost = burst.killGuest === undefined ? undefined : cloud.killGuest?.(burst.killGuest);
      if (lost !== undefined) excused.add(lost);
      if (burst.killAfterMs !== undefined) {
        await sleep(burst.killAfterMs);
        await cloud.crash();
        killed = true;
        counts.kills += 1;
        if (burst.againAfterMs !== undefined) {
          await sleep(burst.againAfterMs);
          await cloud.crash();
          counts.kills += 1;
        }
      }
      for (const { action, answer } of sent) {
        const got = await answer;
        if (got === undefined) continue;
        counts.steps += 1;
        if (got instanceof Error) {
          if (!killed) throw new WalkFailure(`${action}: ${got.message}`, done);
        } else if (got.status >= 500) throw new WalkFailure(`${action}: ${got.status} ${JSON.stringify(got.body)}`, done);
        else if (got.status >= 400) {
          counts.refused += 1;
          if (process.env.CAIRN_WALK_VERBOSE) progress(`${action}: ${got.status} ${JSON.stringify(got.body).slice(0, 200)}`);
        } else accepted[action] = (accepted[action] ?? 0) + 1;
      }
      state = await rest(cloud, done);
      let found = await judge(state);
      for (const endMs = Date.now() + NOTICE_MS; found.length > 0 && Date.now() < endMs; found = await judge(state)) {
        await sleep(50);
        state = await rest(cloud, done);
      }
      if (found.length > 0)
        throw new WalkFailure(`after ${burst.steps.map((s) => s.action).join(', ')}${killed ? ' and a kill' : ''}:\n  ${found.join('\n  ')}`, done);
      if (at % 100 === 99) progress(`${counts.steps} steps, ${counts.kills} kills, ${counts.refused} refused`);
    }
    return { ...counts, accepted };
  } finally {
    await cloud.stop();
  }
}

/** Waits until nothing is on its way. */
async function rest(cloud: Ground, done: readonly Burst[]): Promise<State> {
  const endMs = Date.now() + SETTLE_MS;
  for (;;) {
    const state = await stateOf(cloud);
    const moving = unsettled(state);
    if (moving.length === 0) return state;
    if (Date.now() > endMs) throw new WalkFailure(`not at rest after ${SETTLE_MS} ms:\n  ${moving.join('\n  ')}`, done);
    await sleep(15);
  }
}

/** A network behind a router, and no quota in the way. */
async function prepare(cloud: Ground): Promise<Pick<Scene, 'imageId' | 'networkId' | 'publicId'>> {
  const project = (await cloud.ok('GET', '/identity/v3/projects?name=admin')).projects[0].id as string;
  await cloud.ok('PUT', `/compute/v2.1/os-quota-sets/${project}`, { quota_set: { instances: -1, cores: -1, ram: -1 } });
  await cloud.ok('PUT', `/volume/v3/os-quota-sets/${project}`, { quota_set: { volumes: -1, snapshots: -1, gigabytes: -1 } });
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
