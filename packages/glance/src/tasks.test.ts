import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Cloud, webServer } from './cloud.fixture.ts';

const data = randomBytes(20_000);
let cloud: Cloud;
let web: Awaited<ReturnType<typeof webServer>>;
let remote: Record<string, unknown> = {};
before(async () => {
  web = await webServer((request, response) => {
    if (request.url === '/image') response.writeHead(200, { 'content-length': data.length }).end(data);
    else if (!request.url?.startsWith('/glance/v2/images/')) response.writeHead(404).end();
    else if (request.headers['x-auth-token'] !== 'member') response.writeHead(401).end();
    else if (request.url.endsWith('/file')) response.end(data);
    else response.end(JSON.stringify(remote));
  });
  cloud = await Cloud.start({
    ports: [web.port],
    outside: { imageEndpoint: async (region, kind) => (region === 'RegionTwo' && kind === 'public' ? `${web.url}/glance` : undefined) },
  });
});
after(async () => {
  await cloud.close();
  web.close();
});
const properties = { name: 'made by a task', disk_format: 'raw', container_format: 'bare', speed: '88' };
const input = (over: object = {}) => ({ import_from: `${web.url}/image`, import_from_format: 'raw', image_properties: properties, ...over });
const idle = () => cloud.world.sagas.idle();

test('a task makes an image from a URL', async () => {
  assert.equal(await cloud.status('member', 'POST', '/v2/tasks', { type: 'import', input: input() }), 403, 'tasks are for admins');
  const answer = await cloud.call('admin', 'POST', '/image/v2/tasks', { type: 'import', input: input() });
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  const { body: task } = answer;
  assert.equal(task.status, 'pending');
  assert.equal(task.result, null);
  assert.equal(task.message, '');
  assert.equal('expires_at' in task, false);
  assert.equal(new URL(answer.headers.get('location') ?? '', 'http://x').pathname, `/v2/tasks/${task.id}`);
  await idle();
  const done = await cloud.json('admin', 'GET', `/v2/tasks/${task.id}`);
  assert.equal(done.status, 'success', done.message);
  assert.equal(Date.parse(done.expires_at) - Date.parse(done.updated_at), 48 * 3600_000);
  assert.deepEqual(done.input, input());
  const image = await cloud.image(done.result.image_id, 'admin');
  assert.deepEqual([image.name, image.status, image.speed, image.checksum], ['made by a task', 'active', '88', createHash('md5').update(data).digest('hex')]);
  assert.equal(image.owner, done.owner);
});

test('a task that fails leaves no image', async () => {
  const earlier = (await cloud.json('admin', 'GET', '/v2/images')).images.length;
  const task = await cloud.json('admin', 'POST', '/v2/tasks', { type: 'import', input: input({ import_from: `${web.url}/missing` }) });
  await idle();
  const done = await cloud.json('admin', 'GET', `/v2/tasks/${task.id}`);
  assert.equal(done.status, 'failure');
  assert.match(done.message, /404/);
  assert.equal((await cloud.json('admin', 'GET', '/v2/images')).images.length, earlier);
});

test('tasks: bad ones are refused, lists are paged and filtered, none is deleted', async () => {
  for (const [body, status] of [
    [undefined, 400],
    [{}, 400],
    [{ type: 'import' }, 400],
    [{ type: 'teleport', input: {} }, 400],
    [{ type: 'api_image_import', input: {} }, 403],
    [{ type: 'import', input: {} }, 400],
    [{ type: 'import', input: input({ import_from: 'file:///etc/passwd' }) }, 400],
    [{ type: 'import', input: input({ import_from: 'http://169.254.169.254/' }) }, 400],
    [{ type: 'import', input: input({ image_properties: { disk_format: 'nope' } }) }, 400],
    [{ type: 'import', input: input({ image_properties: { os_glance_x: '1' } }) }, 403],
  ] as const)
    assert.equal(await cloud.status('admin', 'POST', '/v2/tasks', body), status, JSON.stringify(body));
  const all = await cloud.json('admin', 'GET', '/v2/tasks');
  assert.equal(all.first, '/v2/tasks');
  assert.equal(all.schema, '/v2/schemas/tasks');
  assert.equal('input' in all.tasks[0], false);
  const seen: string[] = [];
  let next: string | undefined = '/v2/tasks?limit=1&sort_key=created_at&sort_dir=asc';
  while (next) {
    const page: { tasks: { id: string }[]; next?: string } = await cloud.json('admin', 'GET', next);
    seen.push(...page.tasks.map((t) => t.id));
    ({ next } = page);
  }
  assert.deepEqual(seen, all.tasks.map((t: { id: string }) => t.id).toReversed());
  assert.ok((await cloud.json('admin', 'GET', '/v2/tasks?status=failure')).tasks.every((t: { status: string }) => t.status === 'failure'));
  for (const query of ['status=odd', 'type=export', 'limit=-1', 'limit=x', 'marker=x', 'sort_dir=up', 'sort_key=nope'])
    assert.equal(await cloud.status('admin', 'GET', `/v2/tasks?${query}`), 400, query);
  assert.equal(await cloud.status('admin', 'DELETE', `/v2/tasks/${seen[0]}`), 405);
  assert.equal(await cloud.status('admin', 'GET', '/v2/tasks/nothing'), 404);
  assert.equal((await cloud.json('member', 'GET', '/v2/schemas/task')).properties.status.enum.length, 4);
  assert.equal((await cloud.json('member', 'GET', '/v2/schemas/tasks')).name, 'tasks');
});

test("glance-download takes another glance's image over, with some of its properties", async () => {
  const source = 'd0000000-0000-4000-8000-00000000000d';
  remote = {
    status: 'active',
    size: data.length,
    disk_format: 'raw',
    container_format: 'bare',
    hw_cpu_cores: '5',
    'trait:X': 'required',
    os_distro: 'rhel',
    speed: '1',
    os_glance_x: 'no',
  };
  const ask = async (over: object = {}) => {
    const id = await cloud.make({ disk_format: 'iso', container_format: 'ovf', hw_cpu_cores: '1' });
    const method = { name: 'glance-download', glance_region: 'RegionTwo', glance_image_id: source, ...over };
    assert.equal(await cloud.status('member', 'POST', `/v2/images/${id}/import`, { method }), 202);
    const [task] = await cloud.tasks(id);
    return { task, image: await cloud.image(id) };
  };
  const good = await ask();
  assert.equal(good.task.status, 'success', good.task.message);
  const { image } = good;
  assert.deepEqual(
    [image.status, image.disk_format, image.container_format, image.hw_cpu_cores, image['trait:X'], image.os_distro],
    ['active', 'raw', 'bare', '5', 'required', 'rhel'],
  );
  assert.equal('speed' in image, false);
  assert.equal('os_glance_x' in image, false);
  for (const [over, change] of [
    [{ glance_region: 'not a region' }, {}],
    [{ glance_service_interface: 'not an interface' }, {}],
    [{}, { status: 'queued' }],
    [{}, { size: data.length + 1 }],
    [{}, { size: 'many' }],
  ] as const) {
    const kept = remote;
    remote = { ...remote, ...change };
    const { task, image: later } = await ask(over);
    remote = kept;
    assert.equal(task.status, 'failure', JSON.stringify([over, change]));
    assert.deepEqual([later.status, later.disk_format, later.container_format, later.hw_cpu_cores], ['queued', 'iso', 'ovf', '1'], 'as it was');
    assert.equal('os_distro' in later, false);
  }
});
