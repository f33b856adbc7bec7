import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { on } from '@cairn/kit/store/store';
import { sql } from 'kysely';
import { TASK_DEADLINE_MS, type TaskState } from '../app/server-states.ts';
import type { NovaTables } from '../store/tables.ts';
import { admin, IMAGE, member, NETWORK, TestWorld } from '../testing/cloud.ts';

/** Who ends each task. The type says that no task state is without. */
const OWNERS: Readonly<Record<TaskState, readonly string[]>> = {
  scheduling: ['nova.server.create'],
  networking: ['nova.server.create'],
  block_device_mapping: ['nova.server.create'],
  spawning: ['nova.server.create'],
  image_snapshot_pending: ['nova.server.create_image', 'nova.server.create_volume_image'],
  image_uploading: ['nova.server.create_image', 'nova.server.create_backup'],
  image_backup: ['nova.server.create_backup'],
  rebooting: ['nova.server.soft_reboot'],
  rebooting_hard: ['nova.server.hard_reboot'],
  pausing: ['nova.server.pause'],
  unpausing: ['nova.server.unpause'],
  suspending: ['nova.server.suspend'],
  resuming: ['nova.server.resume'],
  resize_prep: ['nova.server.resize'],
  resize_migrating: ['nova.server.resize'],
  resize_finish: ['nova.server.resize'],
  resize_reverting: ['nova.server.revert_resize'],
  migrating: ['nova.server.live_migrate'],
  'powering-off': ['nova.server.stop'],
  'powering-on': ['nova.server.start'],
  rescuing: ['nova.server.rescue'],
  unrescuing: ['nova.server.unrescue'],
  rebuilding: ['nova.server.rebuild', 'nova.server.evacuate'],
  rebuild_block_device_mapping: ['nova.server.rebuild', 'nova.server.evacuate'],
  rebuild_spawning: ['nova.server.rebuild', 'nova.server.evacuate'],
  shelving: ['nova.server.shelve'],
  shelving_image_uploading: ['nova.server.shelve'],
  shelving_offloading: ['nova.server.shelve', 'nova.server.shelve_offload'],
  unshelving: ['nova.server.unshelve', 'nova.server.unshelve_here'],
  'soft-deleting': ['nova.server.soft_delete'],
  restoring: ['nova.server.restore'],
  updating_password: ['nova.server.change_password'],
  deleting: ['nova.server.delete'],
};
const states = Object.keys(TASK_DEADLINE_MS) as TaskState[];
const DEFAULT_STEP_MS = 60_000;

test('every task has a deadline, and that is past those of the sagas that own it', async () => {
  const world = await TestWorld.open({ hosts: [] });
  const { nova, ...cloud } = await world.boot();
  try {
    const sagas = new Map(nova.sagas.map((saga) => [saga.name, saga]));
    const short: string[] = [];
    for (const state of states)
      for (const owner of OWNERS[state]) {
        const saga = sagas.get(owner);
        assert.ok(saga, `${state}: there is no saga ${owner}; there are ${[...sagas.keys()].sort().join(', ')}`);
        const longest = saga.steps.reduce((sum, step) => sum + (step.deadlineMs ?? DEFAULT_STEP_MS), 0);
        if (TASK_DEADLINE_MS[state] <= longest) short.push(`${state}: ${TASK_DEADLINE_MS[state]} ms, but ${owner} may take ${longest} ms`);
      }
    assert.deepEqual(short, []);
  } finally {
    await nova.stop();
    await cloud.engine.close();
    await cloud.outbox.close();
    await world.close();
  }
});

test('no task state is written that has no deadline', () => {
  const root = join(import.meta.dirname, '..');
  const written = new Set<string>();
  for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts') || name.endsWith('.test.ts')) continue;
    for (const [, state] of readFileSync(join(root, name), 'utf8').matchAll(/\btask_?[sS]tate: '([^']+)'/g)) written.add(state as string);
  }
  assert.deepEqual([...written].filter((state) => !Object.hasOwn(TASK_DEADLINE_MS, state)).sort(), []);
});

test('through every action: a server in a task has a deadline and an unfinished saga that owns that task, at every step', async () => {
  const world = await TestWorld.open({
    engine: 'sqlite',
    hosts: [{ name: 'h1' }, { name: 'h2' }],
    options: { quotaDefaults: {}, resizeToSameHost: false, reclaimServerMs: 60_000, shelvedOffloadMs: -1 },
  });
  // what is written within a transaction, and in it changed again, is seen by the database alone
  await world.store.write(async (tx) => {
    await sql`CREATE TABLE IF NOT EXISTS test_task (state TEXT, deadline_at_ms INTEGER)`.execute(tx.kysely);
    for (const event of ['INSERT', 'UPDATE OF task_state'])
      await sql`${sql.raw(`CREATE TRIGGER test_task_${event.slice(0, 6)} AFTER ${event} ON nova_server WHEN NEW.task_state IS NOT NULL
        BEGIN INSERT INTO test_task VALUES (NEW.task_state, NEW.task_deadline_at_ms); END`)}`.execute(tx.kysely);
  });
  const inTask = async (): Promise<void> => {
    const rows = await on<NovaTables>(world.store.read)
      .selectFrom('nova_server')
      .select(['id', 'task_state', 'task_deadline_at_ms'])
      .where('task_state', 'is not', null)
      .execute();
    for (const { id, task_state: state } of rows) {
      const sagas = await on<{ kit_saga: { name: string; subject: string; finished_at_ms: number | null } }>(world.store.read)
        .selectFrom('kit_saga')
        .select('name')
        .where('subject', '=', `server:${id}`)
        .where('finished_at_ms', 'is', null)
        .execute();
      // what ended between the two reads has no task any more
      const now = await on<NovaTables>(world.store.read).selectFrom('nova_server').select('task_state').where('id', '=', id).executeTakeFirst();
      if (now?.task_state !== state) continue;
      const owners: readonly string[] = OWNERS[state as TaskState] ?? [];
      assert.ok(
        sagas.some(({ name }) => owners.includes(name)),
        `${state} is owned by none of ${JSON.stringify(sagas.map(({ name }) => name))}`,
      );
    }
  };
  const wrong: unknown[] = [];
  const cloud = await world.boot({ probe: async () => await inTask().catch((error: unknown) => void wrong.push(error)) });
  try {
    await cloud.glance.addImage({ id: IMAGE, name: 'cirros', properties: { hw_qemu_guest_agent: 'yes' } });
    const act = async (id: string, body: object, ctx = admin()): Promise<void> => {
      await cloud.ok(ctx, 'POST', `/servers/${id}/action`, body);
      await inTask();
      await cloud.settle();
      const row = await on<NovaTables>(world.store.read)
        .selectFrom('nova_server')
        .select(['task_state', 'task_deadline_at_ms'])
        .where('id', '=', id)
        .executeTakeFirst();
      assert.equal(row?.task_state, null, JSON.stringify(body));
    };
    const id = await cloud.create(member(), { networks: [{ uuid: NETWORK }] });
    for (const body of [
      { reboot: { type: 'SOFT' } },
      { reboot: { type: 'HARD' } },
      { pause: null },
      { unpause: null },
      { suspend: null },
      { resume: null },
      { 'os-stop': null },
      { 'os-start': null },
      { createImage: { name: 'i' } },
      { createBackup: { name: 'b', backup_type: 'daily', rotation: 1 } },
      { rescue: {} },
      { unrescue: null },
      { rebuild: { imageRef: IMAGE } },
      { resize: { flavorRef: '2' } },
      { revertResize: null },
      { migrate: null },
      { confirmResize: null },
      { 'os-migrateLive': { host: null, block_migration: 'auto' } },
      { shelve: null },
      { unshelve: null },
      { shelve: null },
      { shelveOffload: null },
      { unshelve: null },
      { changePassword: { adminPass: 'another' } },
    ])
      await act(id, body);
    await cloud.ok(member(), 'DELETE', `/servers/${id}`);
    await cloud.settle();
    await act(id, { restore: null });
    await cloud.ok(member(), 'DELETE', `/servers/${id}`);
    await cloud.settle();
    await act(id, { forceDelete: null }).catch(() => {});
    await cloud.settle();
    assert.deepEqual(wrong, []);
    const seen = await on<{ test_task: { state: string; deadline_at_ms: number | null } }>(world.store.read).selectFrom('test_task').selectAll().execute();
    assert.deepEqual(
      seen.filter((one) => one.deadline_at_ms === null),
      [],
      'each has a deadline',
    );
    const known = new Set(seen.map(({ state }) => state));
    assert.deepEqual(
      states.filter((state) => !known.has(state)),
      [],
      'and each that is known is passed through, else it is none of ours',
    );
  } finally {
    await cloud.close();
  }
});
