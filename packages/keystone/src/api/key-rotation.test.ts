import assert from 'node:assert/strict';
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Clock } from '@cairn/kit/clock/clock';
import { systemClock } from '@cairn/kit/clock/clock';
import { on } from '@cairn/kit/store/store';
import { createKeystone } from '../service.ts';
import type { KeystoneTables } from '../store/tables.ts';
import { ADMIN_PASSWORD, TestCloud } from '../testing/cloud.ts';

for (const tokenProvider of ['fernet', 'jws'] as const) {
  describe(`tokens of ${tokenProvider}`, () => {
    let cloud: TestCloud;
    let aheadMs = 0;
    const clock: Clock = { ...systemClock, nowMs: () => Date.now() + aheadMs };
    before(async () => {
      cloud = await TestCloud.start({ clock, keystone: { tokenProvider, tokenLifetimeSec: 600, allowExpiredWindowSec: 60 } });
    });
    after(() => cloud.close());

    const issue = (): Promise<string> => cloud.tokenOf({ name: 'admin', domain: { id: 'default' }, password: ADMIN_PASSWORD }, { system: { all: true } });

    test('have the form of their kind', async () => {
      const token = await cloud.admin();
      assert.match(token, tokenProvider === 'fernet' ? /^gAAAAA[\w-]+$/ : /^eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9\.[\w-]+\.[\w-]{86}$/);
      await cloud.expect(200, token, 'GET', '/v3/users');
      await cloud.expect(200, token, 'GET', '/v3/auth/tokens', undefined, { 'x-subject-token': token });
      const other = `${token.slice(0, -2)}${token.endsWith('A') ? 'BB' : 'AA'}`;
      assert.equal((await cloud.call(other, 'GET', '/v3/users')).status, 401);
    });

    test('none is lost when keys are rotated under load, also by another process that has not looked yet', async () => {
      // a second process of the same cloud: the same database and the same directory, keys of its own in memory
      const other = createKeystone(cloud.world.env, { dataDir: cloud.dataDir, bcryptCost: 4, tokenProvider });
      const tokens: string[] = [];
      let failures = 0;
      let stop = false;
      const load = async (): Promise<void> => {
        while (!stop) {
          const token = await issue();
          tokens.push(token);
          for (const face of [other.face, cloud.keystone.face]) if (!(await face.authenticate(token, 'req-x'))) failures += 1;
          const earlier = tokens[Math.floor(Math.random() * tokens.length)] ?? token;
          if (!(await other.face.authenticate(earlier, 'req-x'))) failures += 1;
        }
      };
      const running = Array.from({ length: 4 }, load);
      const more = async (): Promise<void> => {
        for (const enough = tokens.length + 15; tokens.length < enough && !stop; ) await systemClock.sleep(5);
      };
      await Promise.race([more(), ...running]);
      await cloud.keystone.app.keys.rotate('tokens');
      await Promise.race([more(), ...running]);
      stop = true;
      await Promise.all(running);
      assert.equal(failures, 0);
      cloud.keystone.app.tokens.forget();
      for (const token of tokens) assert.ok(await cloud.keystone.face.authenticate(token, 'req-x'));
    });

    test('a rotation that would end tokens is refused, until it is forced or they have ended by themselves', async () => {
      const first = await issue();
      // until the next one would drop the key that made `first`
      for (let i = 0; i < 3; i++) {
        try {
          await cloud.keystone.app.keys.rotate('tokens');
        } catch (error) {
          assert.match((error as Error).message, /tokens that it made may be shown until/);
        }
      }
      cloud.keystone.app.tokens.forget();
      assert.ok(await cloud.keystone.face.authenticate(first, 'req-x'), 'nothing was lost without force');
      await assert.rejects(cloud.keystone.app.keys.rotate('tokens'), /Rotate later, allow more keys, or force it/);
      aheadMs = 700_000;
      await cloud.keystone.app.keys.rotate('tokens');
      aheadMs = 0;
      const second = await issue();
      for (let i = 0; i < 3; i++) await cloud.keystone.app.keys.rotate('tokens', { force: true });
      assert.equal(await cloud.keystone.face.authenticate(second, 'req-x'), undefined, 'its key is gone');
    });

    if (tokenProvider === 'jws') {
      test('private keys are readable by the owner alone', () => {
        const directory = join(cloud.dataDir, 'keystone', 'jws-keys');
        assert.deepEqual(readdirSync(join(directory, 'private')).toSorted(), ['private.pem', 'staged.pem']);
        assert.equal(statSync(join(directory, 'private')).mode & 0o777, 0o700);
        for (const name of ['private.pem', 'staged.pem']) assert.equal(statSync(join(directory, 'private', name)).mode & 0o777, 0o600);
        assert.equal(readdirSync(join(directory, 'public')).length, 3);
      });
    }
  });
}

test('stored credentials move to the next key, as often as wanted, and none is lost', async () => {
  const cloud = await TestCloud.start();
  try {
    const admin = await cloud.admin();
    const make = (i: number) =>
      cloud.expect(201, admin, 'POST', '/v3/credentials', { credential: { type: 'cert', blob: `secret ${i}`, user_id: cloud.ids.adminUserId } });
    for (let i = 0; i < 5; i++) await make(i);
    const hashes = async (): Promise<Set<string>> =>
      new Set((await on<KeystoneTables>(cloud.world.env.store.read).selectFrom('keystone_credential').select('key_hash').execute()).map((row) => row.key_hash));
    const seen = new Set<string>();
    for (let round = 0; round < 4; round++) {
      const before = await hashes();
      assert.equal(before.size, 1);
      for (const hash of before) seen.add(hash);
      const { reencrypted } = await cloud.keystone.app.keys.rotate('credentials');
      assert.equal(reencrypted, 5);
    }
    assert.equal(seen.size, 4, 'another key every time');
    const directory = join(cloud.dataDir, 'keystone', 'credential-keys');
    assert.equal(readdirSync(directory).length, 3, 'old keys go');
    const listed = await cloud.expect(200, admin, 'GET', '/v3/credentials');
    assert.deepEqual(
      listed.body.credentials.map((each: { blob: string }) => each.blob).toSorted(),
      [0, 1, 2, 3, 4].map((i) => `secret ${i}`),
    );
    // at rest there is no secret to be read
    const rows = await on<KeystoneTables>(cloud.world.env.store.read).selectFrom('keystone_credential').selectAll().execute();
    assert.ok(!JSON.stringify(rows).includes('secret 1'));
  } finally {
    await cloud.close();
    rmSync(cloud.dataDir, { recursive: true, force: true });
  }
});
