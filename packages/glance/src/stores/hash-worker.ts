import { createHash, type Hash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';

/** What the thread is told; every `update` and `digest` is answered with its number. */
export type HashOrder =
  | { readonly begin: number; readonly algorithm: string }
  | { readonly update: number; readonly ticket: number; readonly block: Uint8Array }
  | { readonly digest: number; readonly ticket: number }
  | { readonly drop: number };

const hashes = new Map<number, Hash>();
parentPort?.on('message', (order: HashOrder) => {
  if ('begin' in order) hashes.set(order.begin, createHash(order.algorithm));
  else if ('update' in order) {
    hashes.get(order.update)?.update(order.block);
    parentPort?.postMessage({ ticket: order.ticket });
  } else if ('digest' in order) {
    parentPort?.postMessage({ ticket: order.ticket, hex: hashes.get(order.digest)?.digest('hex') });
    hashes.delete(order.digest);
  } else hashes.delete(order.drop);
});
