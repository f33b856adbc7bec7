import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { engines } from '@cairn/kit/store/testing';
import { ADMIN_PASSWORD, TestCloud } from '../testing/cloud.ts';

for (const engine of engines()) {
  describe(`${engine}: endpoint filters and policies of endpoints`, () => {
    let cloud: TestCloud;
    let admin: string;
    before(async () => {
      cloud = await TestCloud.start({ engine });
      admin = await cloud.admin();
      await cloud.expect(204, admin, 'PUT', `/v3/domains/default/users/${cloud.ids.adminUserId}/roles/${cloud.ids.roleIds.admin}`);
    });
    after(() => cloud.close());

    const FILTER = '/v3/OS-EP-FILTER';

    async function endpointOf(url: string, more: object = {}): Promise<{ id: string; service_id: string }> {
      const service = (await cloud.expect(201, admin, 'POST', '/v3/services', { service: { type: `t-${url}`, name: url } })).body.service;
      const body = { endpoint: { service_id: service.id, interface: 'public', url: `http://${url}`, ...more } };
      return (await cloud.expect(201, admin, 'POST', '/v3/endpoints', body)).body.endpoint;
    }

    /** Ids of the endpoints in the catalog of a new token. */
    async function seen(projectId: string): Promise<string[]> {
      const scope = projectId === '' ? { domain: { id: 'default' } } : { project: { id: projectId } };
      const login = await cloud.login({ name: 'admin', domain: { id: 'default' }, password: ADMIN_PASSWORD }, scope);
      assert.equal(login.status, 201);
      return login.body.token.catalog.flatMap((service: { endpoints: { id: string }[] }) => service.endpoints.map((endpoint) => endpoint.id)).toSorted();
    }

    async function projectOf(name: string): Promise<string> {
      const { id } = (await cloud.expect(201, admin, 'POST', '/v3/projects', { project: { name } })).body.project;
      await cloud.expect(204, admin, 'PUT', `/v3/projects/${id}/users/${cloud.ids.adminUserId}/roles/${cloud.ids.roleIds.admin}`);
      return id;
    }

    test('an endpoint chosen for a project is the only one that its catalog shows', async () => {
      const [one, two] = [await endpointOf('one'), await endpointOf('two')];
      const project = await projectOf('chosen');
      const everything = await seen(project);
      assert.ok(everything.includes(one.id) && everything.includes(two.id));
      const pair = `${FILTER}/projects/${project}/endpoints/${one.id}`;
      assert.match((await cloud.expect(404, admin, 'GET', pair)).body.error.message, /^Endpoint .* not found in project /);
      await cloud.expect(204, admin, 'PUT', pair);
      assert.equal(
        (await cloud.expect(409, admin, 'PUT', pair)).body.error.message,
        'Conflict occurred attempting to store project_endpoint - Duplicate entry.',
      );
      await cloud.expect(204, admin, 'GET', pair);
      await cloud.expect(204, admin, 'HEAD', pair);
      assert.deepEqual(await seen(project), [one.id]);
      assert.equal((await seen('')).includes(two.id), true, 'a domain has no filter');
      assert.deepEqual(
        (await cloud.expect(200, admin, 'GET', `${FILTER}/endpoints/${one.id}/projects`)).body.projects.map((each: { id: string }) => each.id),
        [project],
      );
      const listed = (await cloud.expect(200, admin, 'GET', `${FILTER}/projects/${project}/endpoints`)).body.endpoints;
      assert.deepEqual(
        listed.map((each: { id: string; region: unknown; links: { self: string } }) => [each.id, each.region, each.links.self]),
        [[one.id, null, `${cloud.url}/v3/endpoints/${one.id}`]],
      );
      await cloud.expect(200, admin, 'PATCH', `/v3/endpoints/${one.id}`, { endpoint: { enabled: false } });
      assert.deepEqual(await seen(project), [], 'chosen, but not enabled');
      await cloud.expect(204, admin, 'DELETE', pair);
      await cloud.expect(404, admin, 'DELETE', pair);
      assert.ok((await seen(project)).includes(two.id));
      for (const path of [`${FILTER}/projects/none/endpoints/${one.id}`, `${FILTER}/projects/${project}/endpoints/none`])
        await cloud.expect(404, admin, 'PUT', path);
    });

    test('what was chosen goes with the endpoint and with the project', async () => {
      const [one, two] = [await endpointOf('gone-one'), await endpointOf('gone-two')];
      const project = await projectOf('gone');
      for (const each of [one, two]) await cloud.expect(204, admin, 'PUT', `${FILTER}/projects/${project}/endpoints/${each.id}`);
      await cloud.expect(204, admin, 'DELETE', `/v3/endpoints/${one.id}`);
      assert.deepEqual(await seen(project), [two.id]);
      await cloud.expect(204, admin, 'DELETE', `/v3/projects/${project}`);
      assert.deepEqual((await cloud.expect(200, admin, 'GET', `${FILTER}/endpoints/${two.id}/projects`)).body.projects, []);
    });

    test('endpoint groups choose by attributes', async () => {
      await cloud.expect(201, admin, 'POST', '/v3/regions', { region: { id: 'group-region' } });
      const inside = await endpointOf('inside', { region_id: 'group-region' });
      await endpointOf('outside');
      const made = await cloud.expect(201, admin, 'POST', `${FILTER}/endpoint_groups`, {
        endpoint_group: { name: 'g', filters: { region_id: 'group-region' } },
      });
      const { id } = made.body.endpoint_group;
      assert.deepEqual(made.body.endpoint_group, {
        id,
        name: 'g',
        description: null,
        filters: { region_id: 'group-region' },
        links: { self: `${cloud.url}/v3/OS-EP-FILTER/endpoint_groups/${id}` },
      });
      const one = `${FILTER}/endpoint_groups/${id}`;
      assert.deepEqual((await cloud.expect(200, admin, 'GET', one)).body, made.body);
      assert.deepEqual((await cloud.expect(200, admin, 'GET', `${FILTER}/endpoint_groups?name=g`)).body.endpoint_groups, [made.body.endpoint_group]);
      assert.deepEqual((await cloud.expect(200, admin, 'GET', `${FILTER}/endpoint_groups?name=h`)).body.endpoint_groups, []);
      const ids = async (path: string, name: string) => (await cloud.expect(200, admin, 'GET', path)).body[name].map((each: { id: string }) => each.id);
      assert.deepEqual(await ids(`${one}/endpoints`, 'endpoints'), [inside.id]);

      const project = await projectOf('grouped');
      const pair = `${one}/projects/${project}`;
      assert.equal((await cloud.expect(404, admin, 'GET', pair)).body.error.message, 'Endpoint Group Project Association not found');
      await cloud.expect(204, admin, 'PUT', pair);
      await cloud.expect(409, admin, 'PUT', pair);
      assert.deepEqual((await cloud.expect(200, admin, 'GET', pair)).body, {
        project_endpoint_group: { endpoint_group_id: id, project_id: project, links: { self: `/OS-EP-FILTER/endpoint_groups/${id}/projects/${project}` } },
      });
      assert.deepEqual(await seen(project), [inside.id]);
      assert.deepEqual(await ids(`${one}/projects`, 'projects'), [project]);
      assert.deepEqual(await ids(`${FILTER}/projects/${project}/endpoint_groups`, 'endpoint_groups'), [id]);
      assert.deepEqual(await ids(`${FILTER}/projects/${project}/endpoints`, 'endpoints'), [inside.id]);
      const changed = await cloud.expect(200, admin, 'PATCH', one, { endpoint_group: { filters: { interface: 'admin' }, description: 'd' } });
      assert.deepEqual([changed.body.endpoint_group.filters, changed.body.endpoint_group.description], [{ interface: 'admin' }, 'd']);
      assert.ok(!(await seen(project)).includes(inside.id), 'a change of the group is a change of the catalog');
      await cloud.expect(204, admin, 'DELETE', pair);
      await cloud.expect(404, admin, 'DELETE', pair);
      await cloud.expect(204, admin, 'PUT', pair);
      await cloud.expect(204, admin, 'DELETE', one);
      await cloud.expect(404, admin, 'GET', one);
      assert.ok((await seen(project)).includes(inside.id));
    });

    test('endpoint groups that say nothing or something unknown are refused', async () => {
      for (const group of [
        { name: 'g' },
        { name: 'g', filters: {} },
        { name: 'g', filters: { enabled: true } },
        { name: 'g', filters: { colour: 'red' } },
        { name: 'g', filters: { interface: 'x' } },
      ]) {
        await cloud.expect(400, admin, 'POST', `${FILTER}/endpoint_groups`, { endpoint_group: group });
      }
      await cloud.expect(400, admin, 'GET', `${FILTER}/endpoint_groups?colour=red`);
      const { id } = (await cloud.expect(201, admin, 'POST', `${FILTER}/endpoint_groups`, { endpoint_group: { name: 'g', filters: { interface: 'admin' } } }))
        .body.endpoint_group;
      await cloud.expect(400, admin, 'PATCH', `${FILTER}/endpoint_groups/${id}`, { endpoint_group: {} });
      await cloud.expect(400, admin, 'PATCH', `${FILTER}/endpoint_groups/${id}`, { endpoint_group: { filters: { colour: 'red' } } });
    });

    test('policies of endpoints: the nearest one holds', async () => {
      for (const region of [{ id: 'up' }, { id: 'down', parent_region_id: 'up' }]) await cloud.expect(201, admin, 'POST', '/v3/regions', { region });
      const endpoint = await endpointOf('policed', { region_id: 'down' });
      const policy = async (type: string): Promise<string> =>
        (await cloud.expect(201, admin, 'POST', '/v3/policies', { policy: { type, blob: '{}' } })).body.policy.id;
      const [own, regional, general] = [await policy('own'), await policy('regional'), await policy('general')];
      const current = `/v3/endpoints/${endpoint.id}/OS-ENDPOINT-POLICY/policy`;
      assert.equal((await cloud.expect(404, admin, 'GET', current)).body.error.message, `No policy is associated with endpoint ${endpoint.id}.`);
      const at = {
        [general]: `/v3/policies/${general}/OS-ENDPOINT-POLICY/services/${endpoint.service_id}`,
        [regional]: `/v3/policies/${regional}/OS-ENDPOINT-POLICY/services/${endpoint.service_id}/regions/up`,
        [own]: `/v3/policies/${own}/OS-ENDPOINT-POLICY/endpoints/${endpoint.id}`,
      };
      for (const id of [general, regional, own]) {
        assert.equal((await cloud.expect(404, admin, 'GET', at[id] as string)).body.error.message, 'Could not find policy association.');
        await cloud.expect(204, admin, 'PUT', at[id] as string);
        await cloud.expect(204, admin, 'GET', at[id] as string);
        assert.equal((await cloud.expect(200, admin, 'GET', current)).body.policy.id, id);
        const listed = (await cloud.expect(200, admin, 'GET', `/v3/policies/${id}/OS-ENDPOINT-POLICY/endpoints`)).body.endpoints;
        assert.deepEqual([listed.length, listed[0].id, 'region' in listed[0]], [1, endpoint.id, false]);
      }
      const other = await policy('other');
      await cloud.expect(204, admin, 'PUT', (at[own] as string).replace(own, other));
      assert.equal((await cloud.expect(200, admin, 'GET', current)).body.policy.id, other, 'one policy per target: the second takes its place');
      await cloud.expect(204, admin, 'DELETE', (at[own] as string).replace(own, other));
      assert.equal((await cloud.expect(200, admin, 'GET', current)).body.policy.id, regional);
      await cloud.expect(204, admin, 'DELETE', `/v3/policies/${regional}`);
      assert.equal((await cloud.expect(200, admin, 'GET', current)).body.policy.id, general, 'what a policy was associated with goes with it');
      for (const path of ['endpoints/none', 'services/none', `services/${endpoint.service_id}/regions/none`]) {
        await cloud.expect(404, admin, 'PUT', `/v3/policies/${general}/OS-ENDPOINT-POLICY/${path}`);
      }
      await cloud.expect(404, admin, 'PUT', `/v3/policies/none/OS-ENDPOINT-POLICY/endpoints/${endpoint.id}`);
    });

    test('only an administrator chooses; a member sees nothing of it', async () => {
      const { token, projectId } = await cloud.person(admin, 'plain');
      for (const path of [`${FILTER}/endpoint_groups`, `${FILTER}/projects/${projectId}/endpoints`]) await cloud.expect(403, token, 'GET', path);
      await cloud.expect(403, token, 'PUT', `${FILTER}/projects/${projectId}/endpoints/x`);
    });
  });
}
