import type { Tx } from '@cairn/kit/store/store';
import type { NeutronApp } from './deps.ts';

/**
 * The service as it is inside of one transaction: whatever its parts read and write is part of that. So what several calls of the API make is made
 * by their own rules, all or nothing.
 */
export function within(app: NeutronApp, tx: Tx): NeutronApp {
  const store = Object.assign(Object.create(app.env.store) as NeutronApp['env']['store'], {});
  Object.defineProperties(store, { read: { value: tx }, write: { value: (work: (inner: Tx) => Promise<unknown>) => work(tx) } });
  const env = Object.assign(Object.create(app.env) as NeutronApp['env'], {});
  Object.defineProperty(env, 'store', { value: store });
  return { ...app, env };
}
