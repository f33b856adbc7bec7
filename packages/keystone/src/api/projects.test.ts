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

const create = async (project: object) => (await cloud.expect(201, admin, 'POST', '/v3/projects', { project })).body.project;
const patch = (id: string, project: object) => cloud.call(admin, 'PATCH', `/v3/projects/${id}`, { project });
const names = (answer: { body: { projects: { name: string }[] } }) => answer.body.projects.map((project) => project.name).toSorted();

test('a project is shown with every field of upstream', async () => {
  const project = await create({ name: ' spaced ', description: 'd', color: 'red', tags: ['b', 'a'] });
  assert.deepEqual(project, {
    color: 'red',
    id: project.id,
    name: 'spaced',
    domain_id: 'default',
    parent_id: 'default',
    description: 'd',
    enabled: true,
    is_domain: false,
    tags: ['a', 'b'],
    options: {},
    links: { self: `${cloud.url}/v3/projects/${project.id}` },
  });
  assert.match(project.id, /^[0-9a-f]{32}$/);
  assert.deepEqual((await cloud.expect(200, admin, 'GET', `/v3/projects/${project.id}`)).body.project, project);
  const changed = (await patch(project.id, { color: 'blue', description: null })).body.project;
  assert.deepEqual([changed.color, changed.description, changed.extra], ['blue', null, { color: 'blue' }]);
});

test('bad input is a 400, a taken name a 409, and leaves nothing', async () => {
  await create({ name: 'taken' });
  const before = names(await cloud.call(admin, 'GET', '/v3/projects'));
  for (const [project, status] of [
    [{ name: '' }, 400],
    [{ name: '   ' }, 400],
    [{ name: 'x'.repeat(65) }, 400],
    [{ name: 'bad\nname' }, 400],
    [{ name: 5 }, 400],
    [{}, 400],
    [{ name: 'n', enabled: 'yes' }, 400],
    [{ name: 'n', tags: ['a', 'a'] }, 400],
    [{ name: 'n', tags: ['a,b'] }, 400],
    [{ name: 'n', options: { other: true } }, 400],
    [{ name: 'n', domain_id: 'nowhere' }, 400],
    [{ name: 'n', parent_id: 'nothing' }, 400],
    [{ name: 'n', is_domain: true, parent_id: 'default' }, 400],
    [{ name: 'taken' }, 409],
    [{ name: ' taken ' }, 409],
  ] as const) {
    assert.equal((await cloud.call(admin, 'POST', '/v3/projects', { project })).status, status, JSON.stringify(project));
  }
  for (const body of [undefined, '', '[]', 'null', '{"project": []}', '{"project": 1}', '{', '{"project": {"name": "x"}, "other": 1}']) {
    assert.equal((await cloud.call(admin, 'POST', '/v3/projects', body)).status, 400, body);
  }
  assert.deepEqual(names(await cloud.call(admin, 'GET', '/v3/projects')), before);
});

test('the same name is free in another domain, and for a domain', async () => {
  const domain = (await cloud.expect(201, admin, 'POST', '/v3/domains', { domain: { name: 'twin' } })).body.domain;
  await create({ name: 'twin' });
  await create({ name: 'twin', domain_id: domain.id });
  assert.equal((await cloud.call(admin, 'POST', '/v3/domains', { domain: { name: 'twin' } })).status, 409);
});

test('filters, comparators and tags narrow a list', async () => {
  const domain = (await cloud.expect(201, admin, 'POST', '/v3/domains', { domain: { name: 'filters' } })).body.domain;
  const parent = await create({ name: 'Alpha-1', domain_id: domain.id, tags: ['red', 'blue'] });
  await create({ name: 'alpha-2', domain_id: domain.id, parent_id: parent.id, tags: ['red'] });
  await create({ name: 'beta_3', domain_id: domain.id, enabled: false });
  const list = async (query: string) => names(await cloud.expect(200, admin, 'GET', `/v3/projects?domain_id=${domain.id}&${query}`));
  assert.deepEqual(await list(''), ['Alpha-1', 'alpha-2', 'beta_3']);
  assert.deepEqual(await list('name=alpha-2'), ['alpha-2']);
  assert.deepEqual(await list('name__contains=lpha'), ['Alpha-1', 'alpha-2']);
  assert.deepEqual(await list('name__contains=Alpha'), ['Alpha-1']);
  assert.deepEqual(await list('name__icontains=ALPHA'), ['Alpha-1', 'alpha-2']);
  assert.deepEqual(await list('name__startswith=alpha'), ['alpha-2']);
  assert.deepEqual(await list('name__istartswith=alpha'), ['Alpha-1', 'alpha-2']);
  assert.deepEqual(await list('name__endswith=3'), ['beta_3']);
  assert.deepEqual(await list('name__iendswith=A_3'), ['beta_3']);
  assert.deepEqual(await list('name__icontains=%25'), []);
  assert.deepEqual(await list('name__icontains=_'), ['beta_3']);
  assert.deepEqual(await list('enabled=false'), ['beta_3']);
  assert.deepEqual(await list('enabled=1'), ['Alpha-1', 'alpha-2']);
  assert.deepEqual(await list(`parent_id=${parent.id}`), ['alpha-2']);
  assert.deepEqual(await list('tags=red,blue'), ['Alpha-1']);
  assert.deepEqual(await list('tags-any=red,green'), ['Alpha-1', 'alpha-2']);
  assert.deepEqual(await list('not-tags=red,blue'), ['alpha-2', 'beta_3']);
  assert.deepEqual(await list('not-tags-any=blue'), ['alpha-2', 'beta_3']);
  const acting = await cloud.expect(200, admin, 'GET', '/v3/projects?is_domain=true');
  assert.ok(names(acting).includes('filters') && names(acting).includes('Default'));
});

test('pages follow each other by marker', async () => {
  const seen: string[] = [];
  let path: string | null = '/v3/projects?limit=2&enabled=true';
  for (let pages = 0; path !== null && pages < 50; pages++) {
    const { body } = await cloud.expect(200, admin, 'GET', path);
    assert.ok(body.projects.length <= 2);
    assert.equal(body.links.self, cloud.url + path);
    assert.equal(body.links.previous, null);
    assert.equal(body.truncated, body.links.next === null ? undefined : true);
    seen.push(...body.projects.map((project: { id: string }) => project.id));
    path = body.links.next === null ? null : body.links.next.slice(cloud.url.length);
  }
  const all = await cloud.expect(200, admin, 'GET', '/v3/projects?enabled=true');
  assert.deepEqual(
    seen,
    all.body.projects.map((project: { id: string }) => project.id),
  );
  assert.equal((await cloud.call(admin, 'GET', '/v3/projects?marker=nothing')).status, 404);
  assert.equal((await cloud.call(admin, 'GET', '/v3/projects?limit=x')).status, 400);
});

test('the tree: relatives, depth, and what disabling and deleting it allows', async () => {
  const chain = [await create({ name: 'level-1' })];
  for (let level = 2; level <= 5; level++) chain.push(await create({ name: `level-${level}`, parent_id: chain.at(-1)?.id }));
  assert.equal((await cloud.call(admin, 'POST', '/v3/projects', { project: { name: 'level-6', parent_id: chain[4]?.id } })).status, 403);
  const [one, two, three] = chain.map((project) => project.id as string);
  const shown = async (query: string) => (await cloud.expect(200, admin, 'GET', `/v3/projects/${two}?${query}`)).body.project;
  assert.deepEqual((await shown('parents_as_ids')).parents, { [one ?? '']: { default: null } });
  assert.deepEqual((await shown('subtree_as_ids')).subtree, { [three ?? '']: { [chain[3]?.id]: { [chain[4]?.id]: null } } });
  assert.deepEqual((await shown('subtree_as_list')).subtree, [], 'only projects that the caller has a role on');
  await cloud.expect(204, admin, 'PUT', `/v3/projects/${three}/users/${cloud.ids.adminUserId}/roles/${cloud.ids.roleIds.member}`);
  assert.deepEqual(
    (await shown('subtree_as_list')).subtree.map((entry: { project: { id: string } }) => entry.project.id),
    [three],
  );
  assert.equal((await cloud.call(admin, 'GET', `/v3/projects/${two}?parents_as_ids&parents_as_list`)).status, 400);
  assert.equal((await patch(one ?? '', { enabled: false })).status, 403, 'its subtree is enabled');
  assert.equal((await cloud.call(admin, 'DELETE', `/v3/projects/${one}`)).status, 403, 'it is no leaf');
  for (const id of chain.map((project) => project.id).toReversed()) assert.equal((await patch(id, { enabled: false })).status, 200);
  assert.equal((await patch(two ?? '', { enabled: true })).status, 403, 'its parent is disabled');
  assert.equal((await cloud.call(admin, 'POST', '/v3/projects', { project: { name: 'below', parent_id: one } })).status, 400);
  for (const id of chain.map((project) => project.id).toReversed()) await cloud.expect(204, admin, 'DELETE', `/v3/projects/${id}`);
});

test('what cannot change is refused', async () => {
  const project = await create({ name: 'fixed' });
  const other = await create({ name: 'other' });
  assert.equal((await patch(project.id, { parent_id: other.id })).status, 403);
  assert.equal((await patch(project.id, { domain_id: 'elsewhere' })).status, 400);
  assert.equal((await patch(project.id, { is_domain: true })).status, 400);
  assert.equal((await patch(project.id, { id: other.id })).status, 400);
  assert.equal((await patch(project.id, { name: 'other' })).status, 409);
  assert.equal((await patch(project.id, {})).status, 400);
  assert.equal((await patch('nothing', { name: 'x' })).status, 404);
});

test('an immutable project only lets go of being so', async () => {
  const project = await create({ name: 'stone', options: { immutable: true } });
  assert.equal((await patch(project.id, { name: 'water' })).status, 403);
  assert.equal((await cloud.call(admin, 'DELETE', `/v3/projects/${project.id}`)).status, 403);
  assert.equal((await cloud.call(admin, 'PUT', `/v3/projects/${project.id}/tags/a`)).status, 403);
  assert.equal((await patch(project.id, { options: { immutable: false }, name: 'water' })).status, 403);
  assert.deepEqual((await patch(project.id, { options: { immutable: null } })).body.project.options, {});
  await cloud.expect(204, admin, 'DELETE', `/v3/projects/${project.id}`);
});

test('tags one by one', async () => {
  const { id } = await create({ name: 'tagged' });
  const path = `/v3/projects/${id}/tags`;
  const added = await cloud.expect(201, admin, 'PUT', `${path}/one`);
  assert.equal(added.headers.get('location'), `${cloud.url}${path}/one`);
  assert.equal((await cloud.call(admin, 'PUT', `${path}/one`)).status, 400);
  assert.equal((await cloud.call(admin, 'PUT', `${path}/a%2Fb`)).status, 400);
  await cloud.expect(204, admin, 'GET', `${path}/one`);
  await cloud.expect(204, admin, 'HEAD', `${path}/one`);
  assert.equal((await cloud.call(admin, 'GET', `${path}/two`)).status, 404);
  assert.deepEqual((await cloud.expect(200, admin, 'PUT', path, { tags: ['x', 'y'] })).body.tags, ['x', 'y']);
  assert.deepEqual((await cloud.expect(200, admin, 'GET', path)).body, { tags: ['x', 'y'], links: { self: `${cloud.url}${path}` } });
  await cloud.expect(204, admin, 'DELETE', `${path}/x`);
  assert.equal((await cloud.call(admin, 'DELETE', `${path}/x`)).status, 404);
  await cloud.expect(204, admin, 'DELETE', path);
  assert.deepEqual((await cloud.expect(200, admin, 'GET', path)).body.tags, []);
});

test('domains: made, disabled, and deleted with all that is in them', async () => {
  assert.equal((await cloud.call(admin, 'POST', '/v3/domains', { domain: { name: 'x', explicit_domain_id: 'not-hex' } })).status, 400);
  const id = 'aaaaaaaaaaaa4aaaaaaaaaaaaaaaaaaa';
  const domain = (await cloud.expect(201, admin, 'POST', '/v3/domains', { domain: { name: 'doomed', explicit_domain_id: id } })).body.domain;
  assert.deepEqual(domain, { id, name: 'doomed', description: '', enabled: true, tags: [], options: {}, links: { self: `${cloud.url}/v3/domains/${id}` } });
  assert.equal((await cloud.call(admin, 'POST', '/v3/domains', { domain: { name: 'Federated' } })).status, 400);
  const parent = await create({ name: 'p', domain_id: id });
  const child = await create({ name: 'c', domain_id: id, parent_id: parent.id });
  const user = (await cloud.expect(201, admin, 'POST', '/v3/users', { user: { name: 'u', domain_id: id } })).body.user.id;
  const group = (await cloud.expect(201, admin, 'POST', '/v3/groups', { group: { name: 'g', domain_id: id } })).body.group.id;
  const role = (await cloud.expect(201, admin, 'POST', '/v3/roles', { role: { name: 'r', domain_id: id } })).body.role.id;
  await cloud.expect(204, admin, 'PUT', `/v3/domains/${id}/users/${cloud.ids.adminUserId}/roles/${cloud.ids.roleIds.member}`);
  assert.equal((await cloud.call(admin, 'DELETE', `/v3/domains/${id}`)).status, 403, 'it is enabled');
  await cloud.expect(200, admin, 'PATCH', `/v3/domains/${id}`, { domain: { enabled: false } });
  await cloud.expect(204, admin, 'DELETE', `/v3/domains/${id}`);
  for (const path of [`domains/${id}`, `projects/${parent.id}`, `projects/${child.id}`, `users/${user}`, `groups/${group}`, `roles/${role}`]) {
    assert.equal((await cloud.call(admin, 'GET', `/v3/${path}`)).status, 404, path);
  }
  const left = await cloud.expect(200, admin, 'GET', `/v3/role_assignments?scope.domain.id=${id}`);
  assert.deepEqual(left.body.role_assignments, []);
});

test('other services hear of it', async () => {
  const { id } = await create({ name: 'announced' });
  await patch(id, { description: 'changed' });
  await cloud.expect(204, admin, 'DELETE', `/v3/projects/${id}`);
  const events = await cloud.world.env.events.since(cloud.world.env.store.read, 0, 1000);
  assert.deepEqual(
    events.filter((event) => event.resourceId === id).map((event) => [event.type, event.userId, (event.payload as { resource_info: string }).resource_info]),
    ['created', 'updated', 'deleted'].map((verb) => [`identity.project.${verb}`, cloud.ids.adminUserId, id]),
  );
});
