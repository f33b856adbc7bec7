/*
 * The process that kill.test.ts kills. Its sagas keep their effects as files; arguments: the database, the folder of effects, how many sagas to start.
 * It writes a line to stdout for each saga that was acknowledged, and `idle` when nothing is left to do.
 */
import { writeSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../clock/clock.ts';
import { conflict } from '../errors/errors.ts';
import { systemIds } from '../ids/ids.ts';
import { silentLog } from '../log/log.ts';
import { openSqliteStore } from '../store/sqlite/store.ts';
import { SagaEngine } from './engine.ts';
import { sagaMigrations } from './migrations.ts';
import { defineSaga, type SagaStep } from './saga.ts';

const [, , database, effects, count] = process.argv as [string, string, string, string, string];

const step = (name: string): SagaStep<{ fails: boolean }, unknown> => ({
  name,
  do: async ({ sagaId, params }) => {
    await sleep(1);
    await writeFile(join(effects, `${sagaId}.${name}`), '');
    if (params.fails && name === 'd') throw conflict('This one fails.');
  },
  undo: async ({ sagaId }) => {
    await sleep(1);
    await rm(join(effects, `${sagaId}.${name}`), { force: true });
  },
});
const saga = defineSaga<{ fails: boolean }, unknown>({ name: 'kill.demo', steps: ['a', 'b', 'c', 'd'].map(step) });

const store = openSqliteStore({ path: database });
await store.migrate([sagaMigrations]);
const engine = new SagaEngine({ store, clock: systemClock, ids: systemIds, log: silentLog, exclusive: true, concurrency: 8 });
engine.register([saga], {});
await engine.open();
for (let i = 0; i < Number(count); i += 1) {
  const fails = i % 3 === 0;
  const id = await store.write((tx) => engine.start(tx, saga, { fails }, { subject: `s${i % 5}`, requestId: 'r' }));
  writeSync(1, `${fails ? 'fails' : 'works'} ${id}\n`);
}
await engine.idle();
writeSync(1, 'idle\n');
await engine.close();
await store.close();
