import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as library from '@node-rs/bcrypt';
import { createPasswords } from './passwords.ts';

let nowMs = 0;
const clock = { nowMs: () => nowMs, sleep: async () => {}, after: () => ({ cancel: () => {} }) };
/** The costs of the verifications so far: the work that a caller waits for. */
const work: number[] = [];
const bcrypt = {
  hash: library.hash,
  verify: (password: library.Password, stored: string | Uint8Array) => {
    work.push(library.parseOptions(stored).cost);
    return library.verify(password, stored);
  },
};
const passwords = createPasswords({ clock, cost: 6, proofTtlMs: 1000, bcrypt });

/** The verifications that a check takes. */
async function workOf(check: () => Promise<boolean>): Promise<{ result: boolean; costs: number[] }> {
  const before = work.length;
  const result = await check();
  return { result, costs: work.slice(before) };
}

test('the stored hash is bcrypt of the configured cost', async () => {
  assert.match(await passwords.hash('secret'), /^\$2b\$06\$/);
});

test('a password is verified, a wrong one is not', async () => {
  const stored = await passwords.hash('secret');
  assert.deepEqual(await workOf(() => passwords.verify('user:1', stored, 'secret')), { result: true, costs: [6] });
  assert.deepEqual(await workOf(() => passwords.verify('user:1', stored, 'Secret')), { result: false, costs: [6] });
});

test('a proof spares the second bcrypt, is bound to the stored hash and the owner, and ends in time', async () => {
  const [stored, other] = [await passwords.hash('secret'), await passwords.hash('changed')];
  assert.deepEqual(await workOf(() => passwords.verify('user:2', stored, 'secret')), { result: true, costs: [6] });
  assert.deepEqual(await workOf(() => passwords.verify('user:2', stored, 'secret')), { result: true, costs: [] });
  assert.deepEqual(await workOf(() => passwords.verify('user:2', other, 'secret')), { result: false, costs: [6] }, 'the stored hash was changed');
  assert.deepEqual(await workOf(() => passwords.verify('user:3', stored, 'secret')), { result: true, costs: [6] }, 'another owner');
  nowMs += 1001;
  assert.deepEqual(await workOf(() => passwords.verify('user:2', stored, 'secret')), { result: true, costs: [6] }, 'the proof is too old');
});

test('a wrong password costs a bcrypt although a proof is there, and leaves it', async () => {
  const stored = await passwords.hash('secret');
  await passwords.verify('user:4', stored, 'secret');
  assert.deepEqual(await workOf(() => passwords.verify('user:4', stored, 'wrong')), { result: false, costs: [6] });
  assert.deepEqual(await workOf(() => passwords.verify('user:4', stored, 'secret')), { result: true, costs: [] });
});

test('nobody there, and nobody with a password, cost what a wrong password costs', async () => {
  assert.deepEqual(await workOf(() => passwords.verify('nobody', undefined, 'x')), { result: false, costs: [6] });
  assert.deepEqual(await workOf(() => passwords.verify('user:5', null, 'x')), { result: false, costs: [6] });
  const stored = await passwords.hash('x');
  assert.deepEqual(await workOf(() => passwords.verify('user:5', stored, undefined)), { result: false, costs: [6] });
});

test('without a time to live there is no proof', async () => {
  const wary = createPasswords({ clock, cost: 4, proofTtlMs: 0, bcrypt });
  const stored = await wary.hash('secret');
  await wary.verify('user:6', stored, 'secret');
  assert.deepEqual(await workOf(() => wary.verify('user:6', stored, 'secret')), { result: true, costs: [4] });
});

test('what bcrypt does not read does not count, as upstream has it', async () => {
  const stored = await passwords.hash('x'.repeat(80));
  assert.equal(await passwords.verify('user:7', stored, `${'x'.repeat(72)}other`), true);
  assert.equal(await passwords.verify('user:7', stored, 'x'.repeat(71)), false);
});
