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

const post = (path: string, body: unknown) => cloud.call(admin, 'POST', `/v3/${path}`, body);

test('regions: a tree without circles', async () => {
  const made = await cloud.expect(201, admin, 'POST', '/v3/regions', { region: { id: 'north', description: 'd', note: 'n' } });
  assert.deepEqual(made.body.region, { note: 'n', id: 'north', description: 'd', parent_region_id: null, links: { self: `${cloud.url}/v3/regions/north` } });
  await cloud.expect(201, admin, 'PUT', '/v3/regions/north-1', { region: { parent_region_id: 'north' } });
  assert.match((await cloud.expect(201, admin, 'POST', '/v3/regions', { region: {} })).body.region.id, /^[0-9a-f]{32}$/);
  assert.equal((await post('regions', { region: { id: 'north' } })).status, 409);
  assert.equal((await post('regions', { region: { parent_region_id: 'nowhere' } })).status, 404);
  assert.equal((await cloud.call(admin, 'PUT', '/v3/regions/a', { region: { id: 'b' } })).status, 400);
  assert.equal((await cloud.call(admin, 'PATCH', '/v3/regions/north', { region: { parent_region_id: 'north-1' } })).status, 400);
  assert.deepEqual(
    (await cloud.expect(200, admin, 'GET', '/v3/regions?parent_region_id=north')).body.regions.map((region: { id: string }) => region.id),
    ['north-1'],
  );
  assert.equal((await cloud.call(admin, 'GET', '/v3/regions?nonsense=1')).status, 400);
  assert.equal((await cloud.call(admin, 'DELETE', '/v3/regions/RegionOne')).status, 403, 'it has endpoints');
  await cloud.expect(204, admin, 'DELETE', '/v3/regions/north');
  assert.equal((await cloud.call(admin, 'GET', '/v3/regions/north-1')).status, 404);
});

test('services and endpoints come, change and go', async () => {
  const { service } = (await cloud.expect(201, admin, 'POST', '/v3/services', { service: { type: 'dns', name: 'designate', description: 'd' } })).body;
  assert.deepEqual(service, {
    description: 'd',
    id: service.id,
    type: 'dns',
    name: 'designate',
    enabled: true,
    links: { self: `${cloud.url}/v3/services/${service.id}` },
  });
  assert.equal((await cloud.expect(201, admin, 'POST', '/v3/services', { service: { type: 'nameless' } })).body.service.name, '');
  assert.equal((await cloud.expect(200, admin, 'GET', '/v3/services?type=dns')).body.services.length, 1);
  assert.equal((await cloud.expect(200, admin, 'GET', '/v3/services?name=designate')).body.services.length, 1);
  const endpoint = (
    await cloud.expect(201, admin, 'POST', '/v3/endpoints', {
      endpoint: { interface: 'public', url: 'http://dns/$(tenant_id)s', service_id: service.id, region: 'Made', name: 'n' },
    })
  ).body.endpoint;
  assert.deepEqual(endpoint, {
    name: 'n',
    id: endpoint.id,
    interface: 'public',
    region_id: 'Made',
    region: 'Made',
    service_id: service.id,
    url: 'http://dns/$(tenant_id)s',
    enabled: true,
    links: { self: `${cloud.url}/v3/endpoints/${endpoint.id}` },
  });
  await cloud.expect(200, admin, 'GET', '/v3/regions/Made');
  assert.equal((await cloud.expect(200, admin, 'GET', `/v3/endpoints?service_id=${service.id}&interface=public`)).body.endpoints.length, 1);
  assert.equal((await cloud.expect(200, admin, 'GET', `/v3/endpoints?service_id=${service.id}&interface=admin`)).body.endpoints.length, 0);
  const catalog = async () => (await cloud.expect(200, admin, 'GET', '/v3/auth/catalog')).body.catalog.find((each: { type: string }) => each.type === 'dns');
  assert.equal((await catalog()).endpoints[0].url, `http://dns/${cloud.ids.adminProjectId}`);
  await cloud.expect(200, admin, 'PATCH', `/v3/endpoints/${endpoint.id}`, { endpoint: { enabled: false } });
  assert.deepEqual((await catalog()).endpoints, []);
  for (const [path, body] of [
    ['services', { service: {} }],
    ['services', { service: { type: '', name: 'x' } }],
    ['services', { service: { type: 't', enabled: 'True' } }],
    ['endpoints', { endpoint: { interface: 'public', url: 'http://x', service_id: 'nothing' } }],
    ['endpoints', { endpoint: { interface: 'secret', url: 'http://x', service_id: service.id } }],
    ['endpoints', { endpoint: { interface: 'public', url: 'not a url', service_id: service.id } }],
    ['endpoints', { endpoint: { interface: 'public', url: 'http://x/$(nope)s', service_id: service.id } }],
    ['endpoints', { endpoint: { interface: 'public', url: 'http://x', service_id: service.id, region_id: 'nowhere' } }],
  ] as const) {
    assert.equal((await post(path, body)).status, 400, JSON.stringify(body));
  }
  assert.equal((await cloud.call(admin, 'GET', '/v3/endpoints?interface=secret')).status, 400);
  await cloud.expect(204, admin, 'DELETE', `/v3/services/${service.id}`);
  assert.equal((await cloud.call(admin, 'GET', `/v3/endpoints/${endpoint.id}`)).status, 404);
  assert.equal(await catalog(), undefined);
});

test('the catalog needs a project', async () => {
  const unscoped = await cloud.tokenOf({ name: 'admin', domain: { id: 'default' }, password: 'adminpass' }, 'unscoped');
  assert.equal((await cloud.call(unscoped, 'GET', '/v3/auth/catalog')).status, 403);
});

test('policy documents are kept', async () => {
  const { policy } = (await cloud.expect(201, admin, 'POST', '/v3/policies', { policy: { type: 'application/json', blob: '{}', note: 1 } })).body;
  assert.deepEqual(policy, { note: 1, id: policy.id, type: 'application/json', blob: '{}', links: { self: `${cloud.url}/v3/policies/${policy.id}` } });
  assert.equal((await cloud.expect(200, admin, 'PATCH', `/v3/policies/${policy.id}`, { policy: { type: 'x' } })).body.policy.type, 'x');
  assert.equal((await cloud.expect(200, admin, 'GET', '/v3/policies?type=x')).body.policies.length, 1);
  assert.equal((await post('policies', { policy: { type: 'x' } })).status, 400);
  await cloud.expect(204, admin, 'DELETE', `/v3/policies/${policy.id}`);
  assert.equal((await cloud.call(admin, 'DELETE', `/v3/policies/${policy.id}`)).status, 404);
});

test('limits: registered, set for a project or a domain, and seen by whom they concern', async () => {
  const serviceId = (await cloud.expect(200, admin, 'GET', '/v3/services?type=identity')).body.services[0].id;
  const person = await cloud.person(admin, 'limited');
  const register = (more: object) =>
    post('registered_limits', { registered_limits: [{ service_id: serviceId, resource_name: 'cores', default_limit: 10, ...more }] });
  const registered = await register({});
  assert.equal(registered.status, 201);
  const [first] = registered.body.registered_limits;
  assert.deepEqual(first, {
    id: first.id,
    service_id: serviceId,
    region_id: null,
    resource_name: 'cores',
    default_limit: 10,
    description: null,
    links: { self: `${cloud.url}/v3/registered_limits/${first.id}` },
  });
  assert.equal((await register({})).status, 409);
  assert.equal((await register({ region_id: 'RegionOne' })).status, 201);
  assert.equal((await register({ resource_name: 'x', default_limit: -2 })).status, 400);
  assert.equal((await register({ resource_name: 'x', service_id: '0'.repeat(32) })).status, 400);
  const limit = (more: object) => post('limits', { limits: [{ service_id: serviceId, resource_name: 'cores', resource_limit: 5, ...more }] });
  const made = await limit({ project_id: person.projectId });
  assert.equal(made.status, 201);
  assert.equal((await limit({ project_id: person.projectId })).status, 409);
  assert.equal((await limit({ project_id: person.projectId, resource_name: 'ram' })).status, 403);
  assert.equal((await limit({})).status, 400);
  assert.equal((await limit({ project_id: 'default' })).body.limits[0].domain_id, 'default');
  const { id } = made.body.limits[0];
  assert.deepEqual(
    (await cloud.expect(200, person.token, 'GET', '/v3/limits')).body.limits.map((each: { id: string }) => each.id),
    [id],
  );
  assert.equal((await cloud.expect(200, person.token, 'GET', `/v3/limits/${id}`)).body.limit.resource_limit, 5);
  const stranger = await cloud.person(admin, 'unlimited');
  assert.deepEqual((await cloud.expect(200, stranger.token, 'GET', '/v3/limits')).body.limits, []);
  assert.equal((await cloud.call(stranger.token, 'GET', `/v3/limits/${id}`)).status, 403);
  assert.equal((await cloud.expect(200, admin, 'PATCH', `/v3/limits/${id}`, { limit: { resource_limit: 0 } })).body.limit.resource_limit, 0);
  assert.equal((await cloud.call(admin, 'DELETE', `/v3/registered_limits/${first.id}`)).status, 403, 'it is overridden');
  await cloud.expect(204, admin, 'DELETE', `/v3/projects/${person.projectId}`);
  assert.equal((await cloud.call(admin, 'GET', `/v3/limits/${id}`)).status, 404);
  assert.equal((await cloud.expect(200, admin, 'GET', '/v3/limits/model')).body.model.name, 'flat');
});
