import { allStaged, dataKeys } from '../store/locations.ts';
import { unfinishedTasks } from '../store/tasks.ts';
import type { GlanceApp } from './app.ts';

/** A task's files begin with its id. */
const TASK_ID_LENGTH = 36;

/** At the start: what no row names is removed from stores, staging and cache; the queue of the cache goes on. */
export async function startData(app: GlanceApp): Promise<void> {
  const db = app.env.store.read;
  const keys = await dataKeys(db);
  for (const store of app.stores.all) await store.prepare(keys);
  const staged = new Set((await allStaged(db)).map((row) => row.file));
  const tasks = new Set((await unfinishedTasks(db)).map((row) => row.id));
  await app.staging.prepare((file) => staged.has(file) || tasks.has(file.slice(0, TASK_ID_LENGTH)));
  await app.cache.clean();
  app.cache.work();
}
