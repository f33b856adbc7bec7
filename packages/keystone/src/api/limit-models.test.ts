import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { TestCloud } from '../testing/cloud.ts';

let cloud: TestCloud;
let admin: string;
let service_id: string;
before(async () => {
  cloud = await TestCloud.start({ keystone: { limitModel: 'strict_two_level' } });
  admin = await cloud.admin();
  service_id = (await cloud.expect(201, admin, 'POST', '/v3/services', { service: { type: 'limited', name: 'limited' } })).body.service.id;
  await cloud.expect(201, admin, 'POST', '/v3/registered_limits', { registered_limits: [{ service_id, resource_name: 'cores', default_limit: 10 }] });
});
after(() => cloud.close());

const domainOf = async (name: string): Promise<string> => (await cloud.expect(201, admin, 'POST', '/v3/domains', { domain: { name } })).body.domain.id;
const projectOf = async (name: string, domain_id: string, parent_id = domain_id): Promise<string> =>
  (await cloud.expect(201, admin, 'POST', '/v3/projects', { project: { name, domain_id, parent_id } })).body.project.id;
const limit = (owner: object, resource_limit: number) => ({ ...owner, service_id, resource_name: 'cores', resource_limit });
const make = (...limits: object[]) => cloud.call(admin, 'POST', '/v3/limits', { limits });

test('the model in force is told', async () => {
  assert.deepEqual((await cloud.expect(200, admin, 'GET', '/v3/limits/model')).body, {
    model: { name: 'strict_two_level', description: 'This model requires project hierarchy never exceeds a depth of two' },
  });
  const other = await TestCloud.start();
  try {
    assert.equal((await other.expect(200, await other.admin(), 'GET', '/v3/limits/model')).body.model.name, 'flat');
  } finally {
    await other.close();
  }
});

test('a project may not have more than its domain, whose default is the registered one', async () => {
  const domain = await domainOf('above');
  const project = await projectOf('below', domain);
  const refused = await make(limit({ project_id: project }, 11));
  assert.equal(refused.status, 403);
  assert.equal(
    refused.body.error.message,
    `Invalid resource limit: The resource limit (project_id: ${project}, resource_name: cores, resource_limit: 11, service_id: ${service_id}, region_id: None) doesn't satisfy current hierarchy model..`,
  );
  assert.equal((await make(limit({ domain_id: domain }, 20))).status, 201);
  const made = await make(limit({ project_id: project }, 20));
  assert.equal(made.status, 201);
  const at = `/v3/limits/${made.body.limits[0].id}`;
  await cloud.expect(403, admin, 'PATCH', at, { limit: { resource_limit: 21 } });
  await cloud.expect(200, admin, 'PATCH', at, { limit: { resource_limit: 15 } });
  const own = (await cloud.expect(200, admin, 'GET', `/v3/limits?domain_id=${domain}`)).body.limits[0];
  await cloud.expect(403, admin, 'PATCH', `/v3/limits/${own.id}`, { limit: { resource_limit: 14 } });
  await cloud.expect(200, admin, 'PATCH', `/v3/limits/${own.id}`, { limit: { resource_limit: 15 } });
});

test('limits made together are checked against each other, and none is made where one does not fit', async () => {
  const domain = await domainOf('together');
  const project = await projectOf('one', domain);
  assert.equal((await make(limit({ domain_id: domain }, 5), limit({ project_id: project }, 6))).status, 403);
  assert.deepEqual((await cloud.expect(200, admin, 'GET', `/v3/limits?domain_id=${domain}`)).body.limits, []);
  assert.equal((await make(limit({ domain_id: domain }, 30), limit({ project_id: project }, 25))).status, 201);
});

test('a project that acts as domain is limited as the domain that it is', async () => {
  const domain = await domainOf('acting');
  const project = await projectOf('inside', domain);
  assert.equal((await make(limit({ project_id: project }, 9))).status, 201);
  assert.equal((await make(limit({ project_id: domain }, 8))).status, 403, 'smaller than the child');
  const made = await make(limit({ project_id: domain }, 9));
  assert.deepEqual([made.status, made.body.limits[0].domain_id, made.body.limits[0].project_id], [201, domain, null]);
});

test('trees of projects are no deeper than the model allows', async () => {
  const domain = await domainOf('deep');
  const second = await projectOf('second', domain, await projectOf('first', domain));
  const refused = await cloud.expect(403, admin, 'POST', '/v3/projects', { project: { name: 'third', domain_id: domain, parent_id: second } });
  assert.equal(refused.body.error.message, `Max hierarchy depth reached for ${second} branch.`);
});
