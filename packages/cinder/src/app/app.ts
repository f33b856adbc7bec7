import { createSagas, type CinderSagas } from '../sagas/index.ts';
import type { CinderDeps } from './deps.ts';
import { type BackupStore, DirectoryStore } from '../backups/store.ts';
import { LogLevels } from './log-levels.ts';
import { Pools } from './pools.ts';

/** What cinder's operations, rules and sagas work with. */
export interface CinderApp {
  readonly deps: CinderDeps;
  readonly pools: Pools;
  readonly sagas: CinderSagas;
  readonly logLevels: LogLevels;
  /** Where backups go; absent where the cloud has no place for them. */
  readonly backups: BackupStore | undefined;
}

export function createCinderApp(deps: CinderDeps): CinderApp {
  const pools = new Pools(deps);
  const directory = deps.options?.backupsDir;
  const backups = directory === undefined ? undefined : new DirectoryStore(directory);
  return { deps, pools, backups, logLevels: new LogLevels(), sagas: createSagas(deps, pools, backups) };
}
