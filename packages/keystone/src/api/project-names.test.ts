import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { TestCloud } from '../testing/cloud.ts';

let cloud: TestCloud;
let admin: string;
before(async () => {
  cloud = await TestCloud.start();
  admin = await cloud.admin();
});
after(() => cloud.close());

const projectOf = async (project: object): Promise<{ id: string; tags: string[]; name: string; description: unknown }> =>
  (await cloud.expect(201, admin, 'POST', '/v3/projects', { project })).body.project;

async function eventTypes(work: () => Promise<unknown>): Promise<[string, unknown][]> {
  const { events, store } = cloud.world.env;
  const from = (await events.since(store.read, 0, 100_000)).at(-1)?.seq ?? 0;
  await work();
  return (await events.since(store.read, from, 1000)).map((event) => [event.type, (event.payload as { resource_info: unknown }).resource_info]);
}

test('tags are shown in order of their names, and answered as they were given, without white space around them', async () => {
  const project = await projectOf({ name: 'tagged', tags: ['b', 'a'] });
  assert.deepEqual((await cloud.expect(200, admin, 'GET', `/v3/projects/${project.id}`)).body.project.tags, ['a', 'b']);
  const put = await cloud.expect(200, admin, 'PUT', `/v3/projects/${project.id}/tags`, { tags: ['z', ' y '] });
  assert.deepEqual(put.body.tags, ['z', 'y']);
  assert.deepEqual((await cloud.expect(200, admin, 'GET', `/v3/projects/${project.id}/tags`)).body.tags, ['y', 'z']);
  for (const tags of [['a,b'], ['a/b'], [''], ['a', 'a'], Array.from({ length: 81 }, (_, i) => `t${i}`)]) {
    await cloud.expect(400, admin, 'PUT', `/v3/projects/${project.id}/tags`, { tags });
  }
});

test('a tag that comes or goes is an event of its own beside the project’s', async () => {
  const { id } = await projectOf({ name: 'told' });
  const events = await eventTypes(async () => {
    await cloud.expect(201, admin, 'PUT', `/v3/projects/${id}/tags/new`);
    await cloud.expect(204, admin, 'DELETE', `/v3/projects/${id}/tags/new`);
  });
  assert.deepEqual(events, [
    ['identity.project.updated', id],
    ['identity.project tag.created', 'new'],
    ['identity.project.updated', id],
    ['identity.project tag.deleted', 'new'],
  ]);
});

test('tags of an immutable project stay, and the words say what was refused', async () => {
  const { id } = await projectOf({ name: 'fixed', tags: ['kept'], options: { immutable: true } });
  const told = async (method: string, path: string, body?: object): Promise<string> => (await cloud.expect(403, admin, method, path, body)).body.error.message;
  const rest = `project tags for ${id}, project is immutable. Set "immutable" option to false before creating project tags.`;
  assert.equal(await told('PUT', `/v3/projects/${id}/tags/new`), `Cannot create ${rest}`);
  assert.equal(await told('DELETE', `/v3/projects/${id}/tags/kept`), `Cannot delete ${rest}`);
  assert.equal(await told('PUT', `/v3/projects/${id}/tags`, { tags: [] }), `Cannot update ${rest}`);
});

test('an immutable domain is neither changed nor deleted until it is let go', async () => {
  const { domain } = (await cloud.expect(201, admin, 'POST', '/v3/domains', { domain: { name: 'fixed domain', options: { immutable: true } } })).body;
  assert.deepEqual(domain.options, { immutable: true });
  await cloud.expect(403, admin, 'PATCH', `/v3/domains/${domain.id}`, { domain: { enabled: false } });
  await cloud.expect(403, admin, 'DELETE', `/v3/domains/${domain.id}`);
  await cloud.expect(200, admin, 'PATCH', `/v3/domains/${domain.id}`, { domain: { options: { immutable: false } } });
  await cloud.expect(200, admin, 'PATCH', `/v3/domains/${domain.id}`, { domain: { enabled: false } });
  await cloud.expect(204, admin, 'DELETE', `/v3/domains/${domain.id}`);
});

test('names are trimmed, compared by case, and never only white space; descriptions default to the empty text', async () => {
  const made = await projectOf({ name: '  Spaced  ' });
  assert.deepEqual([made.name, made.description], ['Spaced', '']);
  await cloud.expect(409, admin, 'POST', '/v3/projects', { project: { name: 'Spaced' } });
  await projectOf({ name: 'spaced', description: null });
  for (const [path, body] of [
    ['projects', { project: { name: '   ' } }],
    ['domains', { domain: { name: '   ' } }],
    ['users', { user: { name: '   ' } }],
    ['groups', { group: { name: '   ' } }],
    ['roles', { role: { name: '   ' } }],
  ] as const) {
    await cloud.expect(400, admin, 'POST', `/v3/${path}`, body);
  }
  assert.equal((await cloud.expect(201, admin, 'POST', '/v3/domains', { domain: { name: ' padded ' } })).body.domain.name, 'padded');
  assert.equal((await cloud.expect(201, admin, 'POST', '/v3/groups', { group: { name: ' padded ' } })).body.group.description, '');
  assert.equal(
    (await cloud.expect(201, admin, 'POST', '/v3/roles', { role: { name: ' kept ' } })).body.role.name,
    ' kept ',
    'roles keep their white space, as upstream',
  );
});

test('trees of projects end at the configured depth', async () => {
  let parent_id = 'default';
  for (let depth = 1; depth <= 5; depth += 1) parent_id = (await projectOf({ name: `level ${depth}`, parent_id })).id;
  const refused = await cloud.expect(403, admin, 'POST', '/v3/projects', { project: { name: 'level 6', parent_id } });
  assert.equal(refused.body.error.message, `Max hierarchy depth reached for ${parent_id} branch.`);
});
