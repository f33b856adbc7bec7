/**
 * The victim of the kill test: writes rows from several callers until it is killed, and prints each id once its write was acknowledged.
 * Arguments: the database file and a prefix for the ids.
 */
import { writeSync } from 'node:fs';
import { on } from '../store.ts';
import { openSqliteStore } from './store.ts';

const [path, prefix] = process.argv.slice(2) as [string, string];
const store = openSqliteStore({ path, checkpointFrames: 40 });

async function writer(caller: number): Promise<never> {
  for (let i = 0; ; i += 1) {
    const id = `${prefix}-${caller}-${i}`;
    await store.write(async (tx) => {
      const rows = on<{ row: { id: string; filler: string } }>(tx);
      await rows
        .insertInto('row')
        .values({ id, filler: 'x'.repeat(200) })
        .execute();
      if (i % 5 === 4)
        await rows
          .updateTable('row')
          .set({ filler: 'y'.repeat(300) })
          .where('id', '=', `${prefix}-${caller}-${i - 3}`)
          .execute();
    });
    writeSync(1, `${id}\n`); // at once: a buffered line would be lost with the process
  }
}

await Promise.all([0, 1, 2, 3].map(writer));
