import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { pointsOf } from '../app/server-usage.ts';
import { admin, member, stranger, TestCloud } from '../testing/cloud.ts';

let cloud: TestCloud;
const ids: string[] = [];
before(async () => {
  cloud = await TestCloud.open();
  for (let i = 0; i < 3; i++) ids.push(await cloud.create(member(), {}));
  // they have run for a while
  for (const { guests } of cloud.world.machines) for (const guest of guests.values()) guest.startedAtMs -= 3_600_000;
});
after(() => cloud.close());

interface Usage {
  readonly server_id: string;
  readonly samples: readonly { readonly at: string; readonly cpu_percent: number | null; readonly memory_mb: number }[];
}
const path = (asked: readonly string[], more = ''): string => `/os-cairn-usage?${asked.map((id) => `server_id=${id}`).join('&')}${more}`;
const usages = async (who: ReturnType<typeof member>, asked: readonly string[], more = ''): Promise<readonly Usage[]> =>
  (await cloud.ok(who, 'GET', path(asked, more))).usages;

test('the last half hour of several servers, in the order of the question; later only what came since', async () => {
  const [a, b] = await usages(member(), [ids[1] as string, ids[0] as string, ids[1] as string]);
  assert.deepEqual([a?.server_id, b?.server_id], [ids[1], ids[0]]);
  assert.equal(a?.samples.length, 180);
  const [first, ...others] = a?.samples ?? [];
  assert.equal(first?.cpu_percent, null, 'nothing is before the first');
  for (const { cpu_percent: percent } of others) assert.ok(percent !== null && percent > 0 && percent <= 100);
  assert.match(first?.at ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  const since = others.at(-3)?.at ?? '';
  const [later] = await usages(member(), [ids[1] as string], `&since=${since}`);
  assert.deepEqual(later?.samples.slice(0, 2), others.slice(-2));
});

test('servers of other projects are not there, and administrators see all', async () => {
  const foreign = await cloud.create(stranger(), {});
  assert.deepEqual(
    (await usages(member(), [foreign, ids[0] as string, randomUUID()])).map((usage) => usage.server_id),
    [ids[0]],
  );
  assert.equal((await usages(admin(), [foreign, ids[0] as string])).length, 2);
  assert.equal((await cloud.request({ ...member(), roles: [] }, 'GET', path([ids[0] as string]))).status, 403);
});

test('a host that is away has nothing to tell, and holds up nobody', async () => {
  const host = cloud.world.machines.find(({ guests }) => guests.has(ids[2] as string))?.host ?? '';
  const agent = cloud.agents.get(host);
  assert.ok(agent);
  cloud.hosts.remove(host);
  assert.deepEqual(await usages(member(), [ids[2] as string]), [{ server_id: ids[2], samples: [] }]);
  cloud.hosts.add(agent);
});

test('a question is about some servers, a page of them at most', async () => {
  const status = async (query: string): Promise<number> => (await cloud.request(member(), 'GET', `/os-cairn-usage${query}`)).status;
  assert.equal(await status(''), 400);
  assert.equal(await status('?server_id=x'), 400);
  assert.equal(await status(`?server_id=${ids[0]}&since=yesterday`), 400);
  assert.equal(await status(`?${Array.from({ length: 101 }, () => `server_id=${randomUUID()}`).join('&')}`), 400);
  assert.equal(await status(`?${Array.from({ length: 100 }, () => `server_id=${randomUUID()}`).join('&')}`), 200);
});

test('of the time in which a guest was started anew nothing is known, and nobody uses more than all', () => {
  const at = (atMs: number, cpuTimeNs: number) => ({ atMs, cpuTimeNs, memoryUsedMb: 1 });
  const points = pointsOf([at(0, 0), at(10_000, 5e9), at(20_000, 1e9), at(30_000, 2.1e10)], 2, -1);
  assert.deepEqual(
    points.map(({ cpuPercent }) => cpuPercent),
    [null, 25, null, 100],
  );
});
