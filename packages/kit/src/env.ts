import type { Bus } from './bus/bus.ts';
import type { Clock } from './clock/clock.ts';
import type { Events } from './events/events.ts';
import type { Ids } from './ids/ids.ts';
import type { Logger } from './log/log.ts';
import type { Sagas } from './saga/saga.ts';
import type { Store } from './store/store.ts';

/** What every service's app is built with: time, chance and the outside as arguments, so that a whole cloud runs inside one test. */
export interface Env {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  readonly store: Store;
  readonly sagas: Sagas;
  readonly events: Events;
  readonly bus: Bus;
}
