import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { ANYONE } from '@cairn/kit/http/operation';
import { testContext } from '@cairn/kit/testing/world';
import { placementWorld } from '../testing/placement-world.ts';

// Classes of upstream's security advisories, each by the number of the one that names it.

test('OSSA-2024-005, OSSA-2019-006: every call but the version document asks policy: members of projects get nothing, by none of them', async (t) => {
  const { call, placement, front, close } = await placementWorld('sqlite');
  t.after(close);
  front.as('nobody', testContext({ roles: [] }));
  const uuid = randomUUID();
  assert.equal((await call('POST', '/resource_providers', { name: 'rp', uuid })).status, 200);
  const before = (await call('GET', `/resource_providers/${uuid}`)).body;
  for (const operation of placement.http.operations) {
    if (operation.policy === ANYONE) continue;
    const path = operation.path.replaceAll(/\{(\w+)\*?\}/g, (_, name: string) =>
      name.includes('class') ? 'VCPU' : name.includes('name') ? 'HW_CPU_X86_SSE' : uuid,
    );
    const version = operation.until ?? '1.39';
    for (const who of ['member', 'nobody']) {
      // what a project uses is for its own readers to see
      const query = operation.path === '/usages' ? '?project_id=another' : operation.path === '/allocation_candidates' ? '?resources=VCPU:1' : '';
      const { status } = await call(operation.method, path + query, ['GET', 'DELETE'].includes(operation.method) ? undefined : {}, version, who);
      assert.equal(status, 403, `${operation.id} as ${who}: ${status}`);
    }
    assert.equal((await call(operation.method, path, undefined, version, 'a token that is none')).status, 401, operation.id);
  }
  assert.deepEqual((await call('GET', `/resource_providers/${uuid}`)).body, before);
});

test('OSSA-2026-001: identity headers from outside change nothing', async (t) => {
  const { front, close } = await placementWorld('sqlite');
  t.after(close);
  const forged = { 'x-roles': 'admin,service', 'x-user-id': 'root', 'x-project-id': 'p', 'x-identity-status': 'Confirmed', 'openstack-system-scope': 'all' };
  assert.equal((await front.call(undefined, 'GET', '/placement/resource_providers', undefined, forged)).status, 401);
  assert.equal((await front.call('member', 'GET', '/placement/resource_providers', undefined, forged)).status, 403);
  assert.equal((await front.call('member', 'POST', '/placement/resource_providers', { name: 'x' }, forged)).status, 403);
});
