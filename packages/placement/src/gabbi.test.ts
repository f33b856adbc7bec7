import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import type { HttpService } from '@cairn/kit/http/service';
import type { PolicyRule } from '@cairn/kit/policy/policy';
import { engines } from '@cairn/kit/store/testing';
import { TestFront, testContext, testWorld } from '@cairn/kit/testing/world';
import { placementPolicies } from './policies.ts';
import { createPlacement } from './service.ts';
import { placementMigrations } from './store/migrations/index.ts';
import { Builder, FIXTURES } from './testing/fixtures.ts';
import { type GabbiWorld, readGabbi, runGabbi } from './testing/gabbi.ts';

/** Upstream's declarative tests lie beside the project, not in it. */
const FOLDER = resolve(import.meta.dirname, '../../../../shared/gabbi/placement');

/** Upstream's old defaults, which most fixtures run under: admins pass every rule. */
const legacy = (rule: PolicyRule): PolicyRule =>
  rule.name === 'service_api' || rule.name === 'project_reader_api' ? { ...rule, check: `(${rule.check}) or role:admin` } : rule;
const open = (rule: PolicyRule): PolicyRule => (rule.name === 'admin_api' ? rule : { ...rule, check: '@' });
const policiesFor = (fixtures: readonly string[]): readonly PolicyRule[] =>
  fixtures.includes('SecureRBACPolicyFixture') ? placementPolicies : placementPolicies.map(fixtures.includes('OpenPolicyFixture') ? open : legacy);

/** Names a caller for what the file's headers say, as upstream's test middleware does: `user:project` as token, roles and scope in headers. */
function callerFor(front: TestFront, headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { 'x-auth-token': token, 'x-roles': roles, 'x-project-id': project, 'openstack-system-scope': scope, ...rest } = headers;
  if (token === undefined) return rest;
  const [userId = '', ownProject] = token.split(':');
  const { projectId: _, ...base } = testContext({ userId, userName: userId, roles: roles?.split(',') ?? (userId === 'admin' ? ['admin'] : []) });
  const name = Buffer.from(JSON.stringify([token, roles, project, scope])).toString('base64url');
  front.as(name, { ...base, ...(scope ? { systemScope: 'all' as const } : { projectId: project ?? ownProject ?? userId }) });
  return { ...rest, 'x-auth-token': name };
}

if (!existsSync(FOLDER)) {
  test("upstream's gabbi files", { skip: 'there is no ../shared/gabbi/placement beside the project' }, () => {});
} else {
  const names = readdirSync(FOLDER)
    .filter((file) => file.endsWith('.yaml'))
    .toSorted();
  for (const [engine, name] of engines().flatMap((engine) => names.map((name) => [engine, name] as const))) {
    test(`${engine}: gabbi ${name}`, async (t) => {
      const file = readGabbi(readFileSync(join(FOLDER, name), 'utf8'));
      const world = await testWorld({ engine, migrations: [placementMigrations] });
      const placement = createPlacement({ env: world.env });
      // links and locations in the files are those of a service at the root of its port
      const front = await TestFront.start(world.env, [{ ...placement.http, prefix: '' as '/', policies: policiesFor(file.fixtures) } as HttpService], {
        ...(file.fixtures.includes('CORSFixture') && { cors: { allowedOrigins: ['http://valid.example.com'], allowHeaders: ['openstack-api-version'] } }),
      });
      t.after(async () => {
        await front.close();
        await world.close();
      });
      const build = new Builder(placement.app);
      for (const fixture of file.fixtures) {
        const make = FIXTURES[fixture];
        assert.ok(make, `there is no equivalent of fixture ${fixture}`);
        await make(build);
      }
      const gabbi: GabbiWorld = { url: front.url, environ: build.environ, prepareHeaders: (headers) => callerFor(front, headers) };
      const failures = await runGabbi(file, gabbi);
      t.diagnostic(`${name}: ${file.steps.length - failures.size} of ${file.steps.length} steps`);
      assert.equal(failures.size, 0, [...failures].map(([step, error]) => `\n--- ${step}\n${error.message}`).join('\n'));
    });
  }
}
