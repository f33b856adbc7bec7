import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { engines } from '@cairn/kit/store/testing';
import { TestCloud } from '../support/cloud.ts';

/** Found in a log, it would be nobody else's. */
const PASSWORD = 'pAssw0rd-of-alice-and-mallory';

for (const engine of engines())
  describe(`a cloud on ${engine}`, () => {
    let cloud: TestCloud;
    let member = '';
    let other = '';
    let image = '';
    let network = '';
    before(async () => {
      cloud = await TestCloud.start({ engine });
      for (const name of ['alice', 'mallory']) {
        const { project } = await cloud.ok('POST', '/identity/v3/projects', { project: { name } });
        const { user } = await cloud.ok('POST', '/identity/v3/users', { user: { name, password: PASSWORD } });
        const { roles } = await cloud.ok('GET', '/identity/v3/roles?name=member');
        await cloud.ok('PUT', `/identity/v3/projects/${project.id}/users/${user.id}/roles/${roles[0].id}`);
      }
      member = await cloud.login('alice', PASSWORD, 'alice');
      other = await cloud.login('mallory', PASSWORD, 'mallory');
      image = (await cloud.ok('GET', '/image/v2/images?name=cirros')).images[0].id;
      network = (await cloud.ok('POST', '/network/v2.0/networks', { network: { name: 'n' } }, { token: member })).network.id;
      await cloud.ok('POST', '/network/v2.0/subnets', { subnet: { network_id: network, cidr: '10.9.0.0/24', ip_version: 4 } }, { token: member });
    });
    after(() => cloud.stop());

    const as = {
      get token() {
        return member;
      },
    };
    const boot = async (body: object = {}, flavor = '42') =>
      (
        await cloud.ok(
          'POST',
          '/compute/v2.1/servers',
          { server: { name: 's', imageRef: image, flavorRef: flavor, networks: [{ uuid: network }], ...body } },
          as,
        )
      ).server.id as string;
    const show = async (id: string) => (await cloud.call('GET', `/compute/v2.1/servers/${id}`, undefined, as)).body.server;
    const settle = async (id: string): Promise<string> => {
      let status = '';
      await cloud.until(`server ${id}`, async () => {
        status = (await show(id)).status;
        return status !== 'BUILD';
      });
      return status;
    };
    const remove = async (id: string): Promise<void> => {
      await cloud.ok('DELETE', `/compute/v2.1/servers/${id}`, undefined, as);
      await cloud.until('deletion', async () => (await cloud.call('GET', `/compute/v2.1/servers/${id}`, undefined, as)).status === 404);
    };

    test('a project without networks gets one by itself, of the pool that every new cloud has', async () => {
      const theirs = { token: other };
      await cloud.ok('GET', '/network/v2.0/auto-allocated-topology/None?fields=dry-run', undefined, theirs);
      const body = { server: { name: 'auto', imageRef: image, flavorRef: '42', networks: 'auto' } };
      const { server } = await cloud.ok('POST', '/compute/v2.1/servers', body, { ...theirs, headers: { 'openstack-api-version': 'compute 2.37' } });
      const path = `/compute/v2.1/servers/${server.id}`;
      await cloud.until('the server', async () => (await cloud.call('GET', path, undefined, theirs)).body.server.status === 'ACTIVE');
      const { addresses } = (await cloud.ok('GET', path, undefined, theirs)).server;
      assert.match(addresses.auto_allocated_network[0].addr, /^10\.192\./);
      await cloud.ok('DELETE', path, undefined, theirs);
      await cloud.until('its end', async () => (await cloud.call('GET', path, undefined, theirs)).status === 404);
      await cloud.ok('DELETE', '/network/v2.0/auto-allocated-topology/None', undefined, theirs);
    });
    /** What the project has: the same before and after a life, or something leaked. */
    const possessions = async (): Promise<object> => ({
      ports: (await cloud.ok('GET', '/network/v2.0/ports', undefined, as)).ports.filter((p: { device_owner: string }) => p.device_owner.startsWith('compute'))
        .length,
      volumes: (await cloud.ok('GET', '/volume/v3/volumes', undefined, as)).volumes.length,
      used: (({ totalInstancesUsed, totalCoresUsed, totalRAMUsed }) => ({ totalInstancesUsed, totalCoresUsed, totalRAMUsed }))(
        (await cloud.ok('GET', '/compute/v2.1/limits', undefined, as)).limits.absolute,
      ),
      vcpus: (await cloud.ok('GET', '/compute/v2.1/os-hypervisors/detail')).hypervisors.map((h: { vcpus_used: number }) => h.vcpus_used),
    });

    test('a server is built, used and removed, and nothing of it is left', async () => {
      const start = await possessions();
      const id = await boot({ metadata: { role: 'x' } });
      assert.equal(await settle(id), 'ACTIVE');
      const server = await show(id);
      assert.equal(server.addresses.n[0].addr.startsWith('10.9.0.'), true);
      const { volume } = await cloud.ok('POST', '/volume/v3/volumes', { volume: { size: 1, name: 'v' } }, as);
      const status = async () => (await cloud.ok('GET', `/volume/v3/volumes/${volume.id}`, undefined, as)).volume.status;
      await cloud.until('volume', async () => (await status()) === 'available');
      await cloud.ok('POST', `/compute/v2.1/servers/${id}/os-volume_attachments`, { volumeAttachment: { volumeId: volume.id } }, as);
      await cloud.until('attached', async () => (await status()) === 'in-use');
      assert.equal((await cloud.call('DELETE', `/volume/v3/volumes/${volume.id}`, undefined, as)).status, 400);
      await cloud.ok('DELETE', `/compute/v2.1/servers/${id}/os-volume_attachments/${volume.id}`, undefined, as);
      await cloud.until('detached', async () => (await status()) === 'available');
      for (const [action, wanted] of [
        [{ 'os-stop': null }, 'SHUTOFF'],
        [{ 'os-start': null }, 'ACTIVE'],
        [{ reboot: { type: 'HARD' } }, 'ACTIVE'],
      ] as const) {
        await cloud.ok('POST', `/compute/v2.1/servers/${id}/action`, action, as);
        await cloud.until(JSON.stringify(action), async () => (await show(id)).status === wanted);
      }
      const { instanceActions } = await cloud.ok('GET', `/compute/v2.1/servers/${id}/os-instance-actions`, undefined, as);
      assert.deepEqual(instanceActions.map((a: { action: string }) => a.action).sort(), [
        'attach_volume',
        'create',
        'detach_volume',
        'reboot',
        'start',
        'stop',
      ]);
      await remove(id);
      await cloud.ok('DELETE', `/volume/v3/volumes/${volume.id}`, undefined, as);
      await cloud.until('volume gone', async () => (await cloud.call('GET', `/volume/v3/volumes/${volume.id}`, undefined, as)).status === 404);
      assert.deepEqual(await possessions(), start);
    });

    test('a server that fits nowhere says by how much the nearest host missed', async () => {
      const start = await possessions();
      await cloud.ok('POST', '/compute/v2.1/flavors', { flavor: { id: 'huge', name: 'huge', ram: 300_000, vcpus: 1, disk: 1 } });
      const { project } = (await cloud.ok('GET', '/identity/v3/projects?name=alice')).projects.map((p: object) => ({ project: p }))[0];
      await cloud.ok('PUT', `/compute/v2.1/os-quota-sets/${project.id}`, { quota_set: { ram: -1 } });
      const id = await boot({}, 'huge');
      assert.equal(await settle(id), 'ERROR');
      const { fault } = await show(id);
      assert.match(fault.message, /No valid host/);
      assert.match(fault.message, /300000 MB.*26\d{4} MB/);
      await remove(id);
      assert.deepEqual(await possessions(), start);
    });

    test('deleting a server that is being built cancels the build and leaves nothing', async () => {
      const start = await possessions();
      const ids = await Promise.all(Array.from({ length: 8 }, () => boot()));
      await Promise.all(ids.map(remove));
      assert.deepEqual(await possessions(), start);
    });

    test('a server on a volume that is deleted before its resize is confirmed leaves no claim', async () => {
      const start = await possessions();
      const root = { boot_index: 0, uuid: image, source_type: 'image', destination_type: 'volume', volume_size: 1, delete_on_termination: true };
      const { server } = await cloud.ok(
        'POST',
        '/compute/v2.1/servers',
        { server: { name: 's', flavorRef: '42', networks: [{ uuid: network }], block_device_mapping_v2: [root] } },
        as,
      );
      assert.equal(await settle(server.id), 'ACTIVE');
      await cloud.ok('POST', `/compute/v2.1/servers/${server.id}/action`, { resize: { flavorRef: '84' } }, as);
      await cloud.until('resized', async () => (await show(server.id)).status === 'VERIFY_RESIZE');
      await remove(server.id);
      await cloud.until('volume gone', async () => (await cloud.ok('GET', '/volume/v3/volumes', undefined, as)).volumes.length === 0);
      assert.deepEqual(await possessions(), start);
      const { resource_providers: providers } = await cloud.ok('GET', '/placement/resource_providers');
      for (const { uuid } of providers)
        assert.deepEqual((await cloud.ok('GET', `/placement/resource_providers/${uuid}/allocations`)).allocations, {}, 'allocations');
    });

    test("other projects' things are not there", async () => {
      const id = await boot();
      await settle(id);
      for (const [method, path, body] of [
        ['GET', `/compute/v2.1/servers/${id}`],
        ['DELETE', `/compute/v2.1/servers/${id}`],
        ['POST', `/compute/v2.1/servers/${id}/action`, { reboot: { type: 'HARD' } }],
        ['GET', `/compute/v2.1/servers/${id}/os-instance-actions`],
        ['GET', `/network/v2.0/networks/${network}`],
        ['DELETE', `/network/v2.0/networks/${network}`],
      ] as const)
        assert.equal((await cloud.call(method, path, body, { token: other })).status, 404, `${method} ${path}`);
      assert.deepEqual((await cloud.ok('GET', '/compute/v2.1/servers', undefined, { token: other })).servers, []);
      await remove(id);
    });

    test('identity headers from outside change nothing on any service', async () => {
      for (const path of [
        '/compute/v2.1/servers',
        '/network/v2.0/networks',
        '/image/v2/images',
        '/volume/v3/volumes',
        '/placement/resource_providers',
        '/identity/v3/users',
      ]) {
        const answer = await cloud.call('GET', path, undefined, {
          token: '',
          headers: {
            'x-roles': 'admin',
            'x-user-id': 'x',
            'x-project-id': 'y',
            'x-identity-status': 'Confirmed',
            'x-is-admin-project': 'True',
            'x-service-token': 'z',
          },
        });
        assert.equal(answer.status, 401, path);
      }
    });

    test('health, readiness, metrics and the index answer without a token', async () => {
      for (const path of ['/', '/healthz', '/readyz', '/metrics', '/openapi.json'])
        assert.equal((await cloud.call('GET', path, undefined, { token: '' })).status, 200, path);
    });

    test('nothing secret is in the logs, at any level', async () => {
      const { server } = await cloud.ok(
        'POST',
        '/compute/v2.1/servers',
        {
          server: {
            name: 's',
            imageRef: image,
            flavorRef: '42',
            networks: [{ uuid: network }],
            adminPass: 'aDmin-pass-of-a-server',
            user_data: Buffer.from('secret-in-user-data').toString('base64'),
          },
        },
        as,
      );
      await settle(server.id);
      const keypair = await cloud.ok('POST', '/compute/v2.1/os-keypairs', { keypair: { name: 'k' } }, as);
      await cloud.call('POST', '/identity/v3/auth/tokens', {
        auth: { identity: { methods: ['password'], password: { user: { name: 'alice', domain: { id: 'default' }, password: 'wr0ng-passw0rd' } } } },
      });
      await remove(server.id);
      const { adminPassword } = JSON.parse(readFileSync(join(cloud.data, 'secrets.json'), 'utf8')) as { adminPassword: string };
      const secrets = { PASSWORD, member, other, adminPassword, privateKey: keypair.keypair.private_key.split('\n')[1], adminPass: server.adminPass };
      const texts = ['wr0ng-passw0rd', 'aDmin-pass-of-a-server', Buffer.from('secret-in-user-data').toString('base64'), ...Object.values(secrets)];
      const logs = readdirSync(join(cloud.data, 'log')).map((name) => readFileSync(join(cloud.data, 'log', name), 'utf8'));
      // one line per request says who did what, reads included at this level
      for (const line of ['POST /compute/v2.1/servers', `GET /compute/v2.1/servers/${server.id}`]) assert.ok(logs.join('').includes(`"msg":"${line}"`), line);
      for (const text of texts) assert.ok(text.length > 8 && !logs.some((log) => log.includes(text)), `a log holds ${text}`);
    });
  });
