import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CompiledQuery, type KyselyPlugin, SqliteQueryCompiler } from 'kysely';
import type { Db, Tx } from '../store/store.ts';
import { Bench } from './engine-testing.ts';
import { historyOf, running } from './history.ts';
import { expired, pendingInTurn, releaseAll, renew, takeExpired, takePending } from './leases.ts';
import { deleteFinished, hasUnfinished, heldBy, nextOfSubject, sagaById, stepsOf, unfinishedOfSubject, updateStep } from './store.ts';

/** A handle that keeps the texts of the statements sent through it: those that are built, and those that are made once. */
function spy<D extends Db>(db: D): { db: D; texts: Set<string> } {
  const texts = new Set<string>();
  const compiler = new SqliteQueryCompiler();
  const plugin: KyselyPlugin = {
    transformQuery: ({ node }) => {
      texts.add(compiler.compileQuery(node as never, { queryId: 'q' } as never).sql);
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  const kysely = db.kysely.withPlugin(plugin);
  const executor = kysely.getExecutor();
  const execute = executor.executeQuery.bind(executor);
  executor.executeQuery = (query) => {
    texts.add(query.sql);
    return execute(query);
  };
  kysely.getExecutor = () => executor;
  return { db: { ...db, engine: db.engine, kysely }, texts };
}

test('every query of the engine is an index lookup, and none sorts or scans the history', async () => {
  const bench = await Bench.open();
  const lease = { owner: 'me', untilMs: 1, nowMs: 0, exclusive: false };
  const seen = await bench.store.write(async (tx: Tx) => {
    const { db, texts } = spy(tx);
    await hasUnfinished(db, 's');
    await nextOfSubject(db, 's');
    await unfinishedOfSubject(db, 's');
    await sagaById(db, 'i');
    await stepsOf(db, ['i', 'j']);
    await heldBy(db, 'i', 'me');
    await updateStep(db, 'i', 0, { state: 'done' });
    await pendingInTurn(db, ['n'], 10);
    await takePending(db, ['i'], lease, () => 'x');
    await expired(db, ['n'], [], lease, 10);
    await takeExpired(db, ['i'], lease);
    await renew(db, ['i'], lease);
    await releaseAll(db, 'me');
    await deleteFinished(db, 1, 10);
    await historyOf(db, { subject: 's' }, { limit: 10 });
    await historyOf(db, { requestId: 'r' }, { limit: 10, beforeSeq: 5 });
    await running(db);
    return texts;
  });
  assert.ok(seen.size >= 14);
  for (const sql of seen) {
    const places = Array.from({ length: sql.split('?').length - 1 }, () => null);
    const { rows } = await bench.store.read.kysely.executeQuery<{ detail: string }>(CompiledQuery.raw(`explain query plan ${sql}`, places));
    for (const { detail } of rows) {
      // the index of unfinished sagas is as small as their number
      assert.ok(!detail.startsWith('SCAN') || /kit_saga_(unfinished|turn|work)/.test(detail), `${sql}\n${detail}`);
    }
    // not the index of the history, whose subjects may have had any number of sagas
    if (/"subject" = \?.*"finished_at_ms" is null/.test(sql)) assert.match(rows.map((row) => row.detail).join(), /kit_saga_turn/, sql);
    const sorts = rows.some((row) => /TEMP B-TREE FOR ORDER BY/.test(row.detail));
    assert.ok(!sorts || /lease_until_ms/.test(sql), `sorts: ${sql}\n${rows.map((row) => row.detail).join('\n')}`);
  }
  await bench.close();
});
