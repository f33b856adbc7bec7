import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { on } from '@cairn/kit/store/store';
import { testContext } from '@cairn/kit/testing/world';
import { Cloud } from '../cloud.fixture.ts';

/** Statuses that are left again by themselves, with the sagas that see to it (each step of which has a deadline). */
const OWNERS: Readonly<Record<string, readonly string[]>> = {
  creating: ['cinder.volume.create', 'cinder.snapshot.create', 'cinder.backup.create', 'cinder.group.settle'],
  deleting: ['cinder.volume.delete', 'cinder.snapshot.delete', 'cinder.backup.delete', 'cinder.group.settle'],
  downloading: ['cinder.volume.create', 'cinder.volume.reimage'],
  uploading: ['cinder.volume.upload'],
  extending: ['cinder.volume.extend'],
  'backing-up': ['cinder.backup.create'],
  restoring: ['cinder.backup.restore', 'cinder.volume.revert'],
  'restoring-backup': ['cinder.backup.restore'],
  reverting: ['cinder.volume.revert'],
  retyping: ['cinder.volume.migrate'],
  maintenance: ['cinder.volume.migrate'],
  starting: ['cinder.volume.migrate'],
  migrating: ['cinder.volume.migrate'],
};
/** Statuses that wait for whoever asked for them to go on: an attachment to be completed or ended (nova's own by nova's sagas), a transfer to be accepted. */
const CALLERS = ['reserved', 'attaching', 'detaching', 'awaiting-transfer'];
const LASTING = ['available', 'in-use', 'error', 'error_deleting', 'error_extending', 'error_restoring', 'deleted', 'success', 'unmanaged'];
/** Names of fields of lists, in schemas. */
const NO_STATUS = ['status', 'text'];

test('every status that is written lasts, waits for its caller, or is owned by a saga that there is', async () => {
  const root = join(import.meta.dirname, '..');
  for (const folder of ['app', 'sagas', 'store'])
    for (const name of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.ts') || name.endsWith('.test.ts')) continue;
      for (const [, status = ''] of readFileSync(join(root, folder, name), 'utf8').matchAll(/\b(?:migration_)?status: '([a-z_-]+)'/g))
        assert.ok([...Object.keys(OWNERS), ...CALLERS, ...LASTING, ...NO_STATUS].includes(status), `${folder}/${name}: ${status} has no owner`);
    }
  const cloud = await Cloud.start();
  try {
    const names = cloud.cinder.sagas.map((saga) => saga.name);
    for (const owner of Object.values(OWNERS).flat()) assert.ok(names.includes(owner), owner);
    for (const saga of cloud.cinder.sagas)
      assert.ok(saga.onFailed || saga.onDone || ['cinder.disk.remove', 'cinder.disk.unserve'].includes(saga.name), `${saga.name} ends without a word`);
  } finally {
    await cloud.close();
  }
});

test('through every action: what is in such a status has an unfinished saga that owns it, at every call of a host', async () => {
  const wrong: unknown[] = [];
  const seen = new Set<string>();
  let check = async (): Promise<void> => {};
  const cloud = await Cloud.start({
    hosts: ['host1', 'host2'],
    fault: async () => await check().catch((error: unknown) => void wrong.push(error)),
  });
  const { read } = cloud.world.env.store;
  const tables = ['cinder_volume', 'cinder_snapshot', 'cinder_backup', 'cinder_group', 'cinder_group_snapshot'] as const;
  type Row = { id: string; status: string; migration_status?: string | null };
  type Tables = Record<(typeof tables)[number], Row> & { kit_saga: { name: string; params: string; finished_at_ms: number | null } };
  check = async () => {
    for (const table of tables)
      for (const { id, status, migration_status: moving } of await on<Tables>(read).selectFrom(table).selectAll().execute())
        for (const one of [status, ...(moving ? [moving] : [])]) {
          if (OWNERS[one] === undefined) continue;
          seen.add(one);
          const sagas = await on<Tables>(read)
            .selectFrom('kit_saga')
            .select('name')
            .where('params', 'like', `%${id}%`)
            .where('finished_at_ms', 'is', null)
            .execute();
          const now = await on<Tables>(read).selectFrom(table).selectAll().where('id', '=', id).executeTakeFirst();
          if (now?.status !== status || (now.migration_status ?? null) !== (moving ?? null)) continue;
          assert.ok(
            sagas.some(({ name }) => OWNERS[one]?.includes(name)),
            `${table} ${one}: owned by none of ${JSON.stringify(sagas.map(({ name }) => name))}`,
          );
        }
  };
  try {
    const post = async (path: string, body: object, key?: string, who = 'member'): Promise<string> => {
      const answer = await cloud.call(who, 'POST', path, body);
      assert.ok(answer.status < 300, `${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
      await check();
      await cloud.settle();
      return key === undefined ? '' : (answer.body[key].id as string);
    };
    const image = await cloud.image(testContext());
    const id = await post('/volumes', { volume: { size: 1, imageRef: image } }, 'volume');
    await post(`/volumes/${id}/action`, { 'os-extend': { new_size: 2 } });
    const snapshot = await post('/snapshots', { snapshot: { volume_id: id } }, 'snapshot');
    await post(`/volumes/${id}/action`, { revert: { snapshot_id: snapshot } });
    await post(`/volumes/${id}/action`, { 'os-volume_upload_image': { image_name: 'up' } });
    const backup = await post('/backups', { backup: { volume_id: id } }, 'backup');
    const restored = await post('/volumes', { volume: { size: 2 } }, 'volume');
    const restore = await cloud.call('member', 'POST', `/backups/${backup}/restore`, { restore: { volume_id: restored } });
    assert.equal(restore.status, 202);
    await check();
    await cloud.settle();
    await post(`/volumes/${restored}/action`, { 'os-reimage': { image_id: image } });
    const at = (await cloud.show('admin', `/volumes/${restored}`)).volume['os-vol-host-attr:host'] as string;
    const other = at.startsWith('host1') ? at.replace('host1', 'host2') : at.replace('host2', 'host1');
    await post(`/volumes/${restored}/action`, { 'os-migrate_volume': { host: other, lock_volume: true } }, undefined, 'admin');
    for (const path of [`/snapshots/${snapshot}`, `/backups/${backup}`, `/volumes/${restored}`]) {
      assert.equal((await cloud.call('member', 'DELETE', path)).status, 202, path);
      await check();
      await cloud.settle();
    }
    assert.deepEqual(wrong, []);
    // a type that asks for another back end is retyped by the same saga that moves (moves.test.ts)
    // (and says that it starts for a moment alone)
    const unseen = Object.keys(OWNERS).filter((one) => !seen.has(one) && !['retyping', 'starting'].includes(one));
    assert.deepEqual(unseen, []);
    await check();
    for (const table of tables)
      for (const row of await on<Tables>(read).selectFrom(table).selectAll().execute())
        assert.ok(LASTING.includes(row.status), `${table} ${row.id} is left ${row.status}`);
  } finally {
    await cloud.close();
  }
});
