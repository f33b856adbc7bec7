import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { engines } from '@cairn/kit/store/testing';
import { placementWorld } from '../testing/placement-world.ts';

for (const engine of engines()) {
  test(`${engine}: hostile input gets a 4xx or an empty answer, never a 500`, async (t) => {
    const { call, front, close } = await placementWorld(engine);
    t.after(close);
    const uuid = randomUUID();
    assert.equal((await call('POST', '/resource_providers', { name: 'rp', uuid })).status, 200);
    const rp = `/resource_providers/${uuid}`;
    const cases: readonly [number, string, string, unknown?][] = [
      [404, 'GET', '/resource_providers/%00'],
      [404, 'GET', `${rp}/inventories/%00`],
      [404, 'GET', '/traits/%00'],
      [400, 'GET', '/resource_providers?name=%00'],
      [400, 'GET', '/usages?project_id=%00'],
      [200, 'GET', '/resource_providers?resources=VCPU:99999999999999999999999999'],
      [400, 'GET', '/resource_providers?resources=VCPU:1e3'],
      [200, 'GET', '/allocation_candidates?resources=VCPU:1&limit=99999999999999999999999999'],
      [400, 'GET', '/allocation_candidates?resources=VCPU:1&limit=0'],
      [400, 'GET', '/allocation_candidates?resources=__proto__:1'],
      [400, 'GET', '/resource_providers?__proto__=1'],
      [
        400,
        'PUT',
        `${rp}/inventories`,
        { resource_provider_generation: 0, inventories: Object.fromEntries(Array.from({ length: 40_000 }, (_, i) => [`X${i}`, { total: 1 }])) },
      ],
      [400, 'PUT', `${rp}/traits`, { resource_provider_generation: 0, traits: Array.from({ length: 90_000 }, (_, i) => `X${i}`) }],
      [200, 'PUT', `${rp}/inventories`, { resource_provider_generation: 0, inventories: { VCPU: { total: 2 ** 31 - 1, allocation_ratio: 3.4e38 } } }],
      [200, 'PUT', `${rp}/aggregates`, { resource_provider_generation: 1, aggregates: Array.from({ length: 20_000 }, () => randomUUID()) }],
      [
        409,
        'PUT',
        `/allocations/${randomUUID()}`,
        { allocations: { [uuid]: { resources: { VCPU: 1e300 } } }, project_id: 'p', user_id: 'u', consumer_generation: null, consumer_type: 'T' },
      ],
      [409, 'PUT', `/allocations/${randomUUID()}`, { allocations: {}, project_id: 'p', user_id: 'u', consumer_generation: 1e300, consumer_type: 'T' }],
      [400, 'PUT', `/allocations/${'-'.repeat(36)}`, { allocations: {}, project_id: 'p', user_id: 'u', consumer_generation: null, consumer_type: 'T' }],
      [400, 'POST', '/resource_providers', []],
    ];
    for (const [status, method, path, body] of cases) {
      const answer = await call(method, path, body);
      assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer.body).slice(0, 300)}`);
    }
    const broken = await front.call('admin', 'POST', '/placement/resource_providers', '{"', { 'content-type': 'application/json' });
    assert.match(broken.body.errors[0].detail, /Malformed JSON/);
    assert.deepEqual((await call('GET', `${rp}/usages`)).body.usages, { VCPU: 0 });
  });

  test(`${engine}: the envelope has webob's sentence, the code from 1.23 on, and the request's id; answers say their microversion`, async (t) => {
    const { call, front, close } = await placementWorld(engine);
    t.after(close);
    const missing = await call('GET', '/resource_providers/none', undefined, '1.23');
    assert.deepEqual(missing.body, {
      errors: [
        {
          status: 404,
          title: 'Not Found',
          detail: 'The resource could not be found.\n\n No resource provider with uuid none found  ',
          code: 'placement.undefined_code',
          request_id: missing.headers.get('x-openstack-request-id'),
        },
      ],
    });
    assert.equal(missing.headers.get('openstack-api-version'), 'placement 1.23');
    assert.equal(missing.headers.get('vary'), 'openstack-api-version');
    assert.equal((await call('GET', '/resource_providers/none', undefined, '1.22')).body.errors[0].code, undefined);
    const made = await call('POST', '/resource_providers', { name: 'rp' }, '1.19');
    assert.equal(made.status, 201);
    assert.equal(made.body, '');
    const location = made.headers.get('location') ?? '';
    assert.ok(location.startsWith(`${front.url}/placement/resource_providers/`));
    const shown = await call('GET', location.slice(`${front.url}/placement`.length));
    assert.equal(shown.body.links[0].href, new URL(location).pathname);
    const other = await front.call('member', 'GET', '/placement/resource_providers');
    assert.match(
      other.body.errors[0].detail,
      /^Access was denied to this resource\.\n\n Policy does not allow placement:resource_providers:list to be performed\. {2}$/,
    );
  });
}
