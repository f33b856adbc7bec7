import { createSagas, type CinderSagas } from '../sagas/index.ts';
import type { CinderDeps } from './deps.ts';
import { BackupDrivers } from '../backups/drivers.ts';
import { LogLevels } from './log-levels.ts';
import { Pools } from './pools.ts';

/** What cinder's operations, rules and sagas work with. */
export interface CinderApp {
  readonly deps: CinderDeps;
  readonly pools: Pools;
  readonly sagas: CinderSagas;
  readonly logLevels: LogLevels;
  /** Where backups go, and where those that were made before are. */
  readonly backups: BackupDrivers;
}

export function createCinderApp(deps: CinderDeps): CinderApp {
  const pools = new Pools(deps);
  const backups = new BackupDrivers(deps);
  return { deps, pools, backups, logLevels: new LogLevels(), sagas: createSagas(deps, pools, backups) };
}
