import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { HttpService } from '@cairn/kit/http/service';
import { engines } from '@cairn/kit/store/testing';
import { TestFront, testContext, testWorld, type World } from '@cairn/kit/testing/world';
import { loadCatalogue } from './app/metadef-catalogue.ts';
import { defaultGlanceOptions } from './options.ts';
import { createGlance, type GlanceService } from './service.ts';
import { glanceMigrations } from './store/migrations/index.ts';

const NAMESPACES = '/image/v2/metadefs/namespaces';
const property = (title: string, more: object = {}) => ({ title, type: 'string', ...more });

for (const engine of engines()) {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-metadefs-'));
  let world: World;
  let front: TestFront;
  let glance: GlanceService;
  const call = (method: string, path: string, body?: unknown, who = 'admin', headers = {}) =>
    front.call(who, method, NAMESPACES + path, body, { accept: 'application/json', ...headers });
  const made = async (namespace: string, more: object = {}) => {
    const answer = await call('POST', '', { namespace, ...more });
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
    return answer.body;
  };
  before(async () => {
    world = await testWorld({ engine, migrations: [glanceMigrations] });
    glance = createGlance({ env: world.env, options: { ...defaultGlanceOptions, imagesDir: folder } });
    await glance.start();
    front = await TestFront.start(world.env, [glance.http as HttpService]);
    front.as('other', testContext({ projectId: 'b0000000000000000000000000000002', userId: 'x' }));
    front.as('nobody', testContext({ roles: [] }));
  });
  after(async () => {
    await front.close();
    await world.close();
    rmSync(folder, { recursive: true });
  });

  test(`${engine}: the standard catalogue is there from the first start, and stays as admins leave it`, async () => {
    const seen = await call('GET', '?limit=100', undefined, 'member');
    assert.equal(seen.status, 200);
    const names = seen.body.namespaces.map((n: { namespace: string }) => n.namespace);
    for (const name of ['OS::Compute::Watchdog', 'CIM::ProcessorAllocationSettingData', 'OS::Glance::Signatures', 'OS::Software::DBMS'])
      assert.ok(names.includes(name), name);
    const { body } = await call('GET', '/OS::Compute::Watchdog', undefined, 'member');
    assert.deepEqual(body.properties.watchdog_action.enum, ['disabled', 'reset', 'poweroff', 'pause', 'none']);
    assert.equal(body.protected, true);
    assert.equal(body.owner, 'admin');
    assert.deepEqual(body.resource_type_associations.map((a: { name: string; prefix: string }) => [a.name, a.prefix]).toSorted(), [
      ['OS::Cinder::Volume', 'hw_'],
      ['OS::Glance::Image', 'hw_'],
      ['OS::Nova::Flavor', 'hw:'],
    ]);
    assert.equal((await call('DELETE', '/OS::Compute::Watchdog')).status, 403);
    assert.equal((await call('PUT', '/OS::Compute::Watchdog', { namespace: 'OS::Compute::Watchdog', visibility: 'public', owner: 'admin' })).status, 200);
    assert.equal((await call('DELETE', '/OS::Compute::Watchdog')).status, 204);
    assert.equal(await loadCatalogue(glance.app.metadefs), 0);
    assert.equal((await call('GET', '/OS::Compute::Watchdog')).status, 404);
  });

  test(`${engine}: a namespace lives with all that it holds`, async () => {
    const created = await call('POST', '', {
      namespace: 'My::Space',
      display_name: 'Mine',
      visibility: 'public',
      resource_type_associations: [{ name: 'OS::Glance::Image', prefix: 'my_' }],
      properties: { colour: property('Colour', { default: 'red', enum: ['red', 'blue'] }), count: { title: 'Count', type: 'integer', default: 5, minimum: 1 } },
      objects: [{ name: 'Box', required: ['side'], properties: { side: property('Side') } }],
      tags: [{ name: 'b' }, { name: 'a' }],
    });
    assert.equal(created.status, 201, JSON.stringify(created.body));
    assert.match(created.headers.get('location') ?? '', /\/v2\/metadefs\/namespaces\/My::Space$/);
    assert.equal(created.body.self, '/v2/metadefs/namespaces/My::Space');
    assert.equal(created.body.schema, '/v2/schemas/metadefs/namespace');
    assert.equal(created.body.owner, 'b00000000000000000000000000000ad');
    assert.equal(created.body.protected, false);
    assert.equal('description' in created.body, false);
    const shown = (await call('GET', '/My::Space', undefined, 'other')).body;
    assert.equal(shown.properties.count.default, '5');
    assert.deepEqual(shown.tags, [{ name: 'b' }, { name: 'a' }]);
    assert.deepEqual(shown.objects[0].required, ['side']);
    const prefixed = (await call('GET', '/My::Space?resource_type=OS::Glance::Image', undefined, 'other')).body;
    assert.deepEqual(Object.keys(prefixed.properties).toSorted(), ['my_colour', 'my_count']);
    assert.deepEqual(prefixed.objects[0].required, ['my_side']);
    assert.deepEqual(Object.keys(prefixed.objects[0].properties), ['my_side']);
    const renamed = await call('PUT', '/My::Space', { namespace: 'Their::Space', protected: true });
    assert.equal(renamed.status, 200);
    assert.equal(renamed.body.visibility, 'private');
    assert.equal('display_name' in renamed.body, false);
    assert.equal((await call('GET', '/Their::Space', undefined, 'other')).status, 404);
    assert.equal((await call('DELETE', '/Their::Space/objects')).status, 403);
    assert.equal((await call('PUT', '/Their::Space', { namespace: 'Their::Space' })).status, 200);
    for (const part of ['objects', 'properties', 'tags']) assert.equal((await call('DELETE', `/Their::Space/${part}`)).status, 204);
    const empty = (await call('GET', '/Their::Space')).body;
    for (const part of ['objects', 'properties', 'tags']) assert.equal(part in empty, false);
    assert.equal((await call('DELETE', '/Their::Space')).status, 204);
    assert.equal((await call('GET', '/Their::Space')).status, 404);
  });

  test(`${engine}: OSSA-2024-005: every way to a namespace asks policy: private ones are not found by others, public ones are not theirs to change`, async () => {
    for (const visibility of ['private', 'public']) {
      const name = `Guard${visibility}`;
      await made(name, {
        visibility,
        objects: [{ name: 'o' }],
        properties: { p: property('P') },
        tags: [{ name: 't' }],
        resource_type_associations: [{ name: 'R' }],
      });
      for (const [method, path, body] of [
        ['PUT', '', { namespace: name }],
        ['DELETE', ''],
        ['POST', '/objects', { name: 'x' }],
        ['DELETE', '/objects'],
        ['PUT', '/objects/o', { name: 'o' }],
        ['DELETE', '/objects/o'],
        ['POST', '/properties', { name: 'x', ...property('X') }],
        ['DELETE', '/properties'],
        ['PUT', '/properties/p', { name: 'p', ...property('P') }],
        ['DELETE', '/properties/p'],
        ['POST', '/tags', { tags: [{ name: 'x' }] }],
        ['DELETE', '/tags'],
        ['POST', '/tags/x', undefined],
        ['PUT', '/tags/t', { name: 'u' }],
        ['DELETE', '/tags/t'],
        ['POST', '/resource_types', { name: 'X' }],
        ['DELETE', '/resource_types/R'],
      ] as const)
        assert.equal((await call(method, `/${name}${path}`, body, 'other')).status, visibility === 'public' ? 403 : 404, `${visibility} ${method} ${path}`);
      for (const path of ['', '/objects', '/objects/o', '/properties', '/properties/p', '/tags', '/tags/t', '/resource_types']) {
        assert.equal((await call('GET', `/${name}${path}`, undefined, 'other')).status, visibility === 'public' ? 200 : 404, `${visibility} GET ${path}`);
        assert.equal((await call('GET', `/${name}${path}`, undefined, 'nobody')).status, 404, `without a role: ${visibility} GET ${path}`);
      }
      assert.equal((await call('POST', '', { namespace: `${name}2` }, 'other')).status, 403);
    }
  });

  test(`${engine}: objects, properties, tags and associations are added, shown, changed and removed by name`, async () => {
    await made('Parts');
    const object = await call('POST', '/Parts/objects', { name: 'Disk', description: 'a disk', properties: { size: { title: 'Size', type: 'integer' } } });
    assert.equal(object.status, 201);
    assert.equal('required' in object.body, false);
    assert.equal(object.body.self, '/v2/metadefs/namespaces/Parts/objects/Disk');
    assert.equal((await call('POST', '/Parts/objects', { name: 'Disk' })).status, 409);
    assert.deepEqual((await call('GET', '/Parts/objects/Disk')).body.required, []);
    assert.equal((await call('PUT', '/Parts/objects/Disk', { name: 'Plate', required: ['size'] })).status, 200);
    assert.equal((await call('GET', '/Parts/objects/Disk')).status, 404);
    const objects = (await call('GET', '/Parts/objects')).body;
    assert.deepEqual([objects.objects[0].name, objects.objects[0].properties, objects.schema], ['Plate', {}, 'v2/schemas/metadefs/objects']);
    assert.equal((await call('GET', '/Parts/objects?limit=0')).status, 400);

    assert.equal(
      (await call('POST', '/Parts/properties', { name: 'speed', ...property('Speed', { operators: ['<or>'], readonly: true }) })).body.name,
      'speed',
    );
    assert.equal((await call('POST', '/Parts/properties', property('No name'))).status, 400);
    assert.equal((await call('POST', '/Parts/properties', { name: 'n', ...property('N', { nonsense: 1 }) })).status, 400);
    assert.equal((await call('PUT', '/Parts/properties/speed', { name: 'pace', ...property('Pace') })).body.title, 'Pace');
    assert.deepEqual(Object.keys((await call('GET', '/Parts/properties')).body.properties), ['pace']);
    assert.equal((await call('POST', '/Parts/resource_types', { name: 'OS::Nova::Flavor', prefix: 'f:' })).body.prefix, 'f:');
    assert.equal((await call('POST', '/Parts/resource_types', { name: 'OS::Nova::Flavor' })).status, 409);
    assert.equal((await call('GET', '/Parts/properties/f:pace?resource_type=OS::Nova::Flavor')).body.name, 'pace');
    assert.equal((await call('GET', '/Parts/properties/pace?resource_type=OS::Nova::Flavor')).status, 404);
    assert.equal((await call('GET', '/Parts/properties/pace?resource_type=None')).status, 404);
    assert.equal((await call('DELETE', '/Parts/properties/pace')).status, 204);
    assert.equal((await call('DELETE', '/Parts/properties/pace')).status, 404);
    assert.equal((await call('DELETE', '/Parts/resource_types/OS::Nova::Flavor')).status, 204);
    assert.match((await call('DELETE', '/Parts/resource_types/OS::Nova::Flavor')).body.message, /Failed to find resource type OS::Nova::Flavor to delete/);
    const types = (await front.call('member', 'GET', '/image/v2/metadefs/resource_types')).body.resource_types;
    assert.ok(types.some((type: { name: string }) => type.name === 'OS::Nova::Flavor'));
  });

  test(`${engine}: tags are set, appended and paged`, async () => {
    await made('Tagged');
    const tagged = async () => (await call('GET', '/Tagged/tags?sort_key=name&sort_dir=asc')).body.tags.map((t: { name: string }) => t.name);
    assert.deepEqual((await call('POST', '/Tagged/tags', { tags: [{ name: 'a' }, { name: 'b' }] })).body, { tags: [{ name: 'a' }, { name: 'b' }] });
    assert.equal((await call('POST', '/Tagged/tags', { tags: [{ name: 'c' }] })).status, 201);
    assert.deepEqual(await tagged(), ['c']);
    assert.equal((await call('POST', '/Tagged/tags', { tags: [{ name: 'd' }, { name: 'e' }] }, 'admin', { 'x-openstack-append': 'True' })).status, 201);
    assert.deepEqual(await tagged(), ['c', 'd', 'e']);
    assert.equal((await call('POST', '/Tagged/tags', { tags: [{ name: 'x' }, { name: 'x' }] })).status, 409);
    assert.deepEqual(await tagged(), ['c', 'd', 'e']);
    assert.deepEqual((await call('GET', '/Tagged/tags?sort_key=name&sort_dir=asc&limit=1&marker=c')).body.tags, [{ name: 'd' }]);
    assert.equal((await call('POST', '/Tagged/tags/f')).status, 201);
    assert.equal((await call('POST', '/Tagged/tags/f')).status, 409);
    assert.equal((await call('POST', `/Tagged/tags/${'x'.repeat(81)}`)).status, 400);
    assert.equal((await call('PUT', '/Tagged/tags/f', { name: 'g' })).body.name, 'g');
    assert.equal((await call('PUT', '/Tagged/tags/g', { name: 'c' })).status, 409);
    assert.equal((await call('GET', '/Tagged/tags/f')).status, 404);
    assert.equal((await call('DELETE', '/Tagged/tags/g')).status, 204);
    assert.equal((await call('POST', '/Tagged/tags', { tags: [{ nome: 'x' }] })).status, 400);
  });

  test(`${engine}: lists are filtered, sorted and paged by name`, async () => {
    for (const name of ['L1', 'L2', 'L3'])
      await made(name, { resource_type_associations: [{ name: 'Only::Here' }], visibility: name === 'L2' ? 'private' : 'public' });
    const names = async (query: string, who = 'admin') =>
      (await call('GET', query, undefined, who)).body.namespaces.map((n: { namespace: string }) => n.namespace);
    assert.deepEqual(await names('?resource_types=Only::Here,Nothing&sort_key=namespace&sort_dir=asc'), ['L1', 'L2', 'L3']);
    assert.deepEqual(await names('?resource_types=Only::Here&sort_key=namespace&sort_dir=asc', 'member'), ['L1', 'L3']);
    assert.deepEqual(await names('?resource_types=Only::Here&visibility=private'), ['L2']);
    const page = (await call('GET', '?resource_types=Only::Here&sort_key=namespace&sort_dir=asc&limit=2')).body;
    assert.match(page.first, /^\/v2\/metadefs\/namespaces\?resource_types=/);
    assert.match(page.next, /marker=L2$/);
    assert.deepEqual(await names(page.next.slice('/v2/metadefs/namespaces'.length)), ['L3']);
    for (const query of ['?visibility=shared', '?sort_dir=up', '?sort_key=nope', '?limit=x', '?limit=-1'])
      assert.equal((await call('GET', query)).status, 400, query);
    assert.equal((await call('GET', '?marker=nope')).status, 404);
  });

  test(`${engine}: bad bodies are refused by what is wrong with them`, async () => {
    for (const [body, status, pattern] of [
      [{}, 400, /'namespace' is a required property/],
      [{ namespace: 'x'.repeat(81) }, 400, /too long/],
      [{ namespace: 'x', visibility: 'shared' }, 400, /not one of/],
      [{ namespace: 'x', nonsense: 1 }, 400, /Additional properties/],
      [{ namespace: 'x', self: 'y' }, 403, /'self' is read-only/],
      [{ namespace: 'x', properties: { p: { type: 'string' } } }, 400, /'title' is a required property/],
      [{ namespace: 'x', objects: [{}] }, 400, /'name' is a required property/],
      [{ namespace: 'x', tags: [{ name: 'a' }, { name: 'a' }] }, 409, /twice/],
      [[], 400, /not of type/],
    ] as const) {
      const answer = await call('POST', '', body);
      assert.equal(answer.status, status, JSON.stringify(body));
      assert.match(answer.body.message.replaceAll('&#x27;', "'"), pattern);
    }
    assert.equal((await call('GET', '/x')).status, 404);
    await made('Once');
    assert.match((await call('POST', '', { namespace: 'Once' })).body.message, /The metadata definition namespace=Once already exists/);
    assert.equal((await call('POST', '')).status, 400);
  });

  test(`${engine}: schemas are published`, async () => {
    for (const name of ['namespace', 'namespaces', 'object', 'objects', 'property', 'properties', 'resource_type', 'resource_types', 'tag', 'tags']) {
      const { status, body } = await front.call('member', 'GET', `/image/v2/schemas/metadefs/${name}`);
      assert.equal(status, 200, name);
      assert.equal(body.name, name.startsWith('resource_type') ? name.replace('resource_type', 'resource_type_association') : name);
      assert.ok(body.properties, name);
    }
  });
}
