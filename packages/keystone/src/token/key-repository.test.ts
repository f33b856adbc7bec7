import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { systemIds } from '@cairn/kit/ids/ids';
import { fernetDecrypt, fernetEncrypt } from './fernet.ts';
import { KeyRepository } from './key-repository.ts';

const root = mkdtempSync(join(tmpdir(), 'cairn-keys-'));
after(() => rmSync(root, { recursive: true, force: true }));

let nowMs = 1_000_000;
const clock = { nowMs: () => nowMs, sleep: async () => {}, after: () => ({ cancel: () => {} }) };
let made = 0;
const repository = (directory = join(root, String(made++))): { keys: KeyRepository; directory: string } => ({
  directory,
  keys: new KeyRepository({ directory, maxActiveKeys: 3, clock, ids: systemIds }),
});
const iv = Buffer.alloc(16);

test('a new repository has a staged key 0 and a primary key 1, readable by the owner alone', () => {
  const { keys, directory } = repository();
  assert.deepEqual(readdirSync(directory).toSorted(), ['0', '1']);
  assert.equal(keys.primary().text, readFileSync(join(directory, '1'), 'utf8').trim());
  assert.equal(statSync(directory).mode & 0o777, 0o700);
  assert.equal(statSync(join(directory, '0')).mode & 0o777, 0o600);
});

test('rotation makes the staged key primary and drops the oldest beyond three', () => {
  const { keys, directory } = repository();
  const staged = readFileSync(join(directory, '0'), 'utf8').trim();
  const first = keys.primary();
  keys.rotate();
  assert.equal(keys.primary().text, staged);
  assert.deepEqual(readdirSync(directory).toSorted(), ['0', '1', '2']);
  keys.rotate();
  assert.deepEqual(readdirSync(directory).toSorted(), ['0', '2', '3']);
  assert.equal(fernetDecrypt(keys.keys(), fernetEncrypt(first, Buffer.from('x'), 1, iv)), undefined, 'the first key is gone');
});

test('a rotation by another process is seen within a second, and changes the generation', () => {
  const { keys, directory } = repository();
  const other = repository(directory).keys;
  const generation = keys.generation;
  other.rotate();
  nowMs += 1001;
  assert.equal(keys.primary().text, other.primary().text);
  assert.notEqual(keys.generation, generation);
});

test('a repository that is there already is taken as it is', () => {
  const { keys, directory } = repository();
  assert.equal(repository(directory).keys.primary().text, keys.primary().text);
});
