import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fernetDecrypt, fernetEncrypt, fernetKey, newFernetKeyText } from './fernet.ts';

const KEY_TEXT = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=';
const iv = Buffer.from(Array.from({ length: 16 }, (_, i) => i));

test("the specification's own example is written and read", () => {
  const key = fernetKey('cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=');
  const token = 'gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==';
  assert.equal(fernetEncrypt(key, Buffer.from('hello'), 499162800, iv), token);
  assert.deepEqual(fernetDecrypt([key], token), { data: Buffer.from('hello'), atSec: 499162800 });
});

test('a token is read by any of the keys, with or without padding', () => {
  const [a, b] = [fernetKey(KEY_TEXT), fernetKey(newFernetKeyText((n) => Buffer.alloc(n, 7)))];
  const token = fernetEncrypt(b, Buffer.from('x'), 1, iv);
  assert.equal(fernetDecrypt([a, b], token)?.data.toString(), 'x');
  assert.equal(fernetDecrypt([a, b], token.replace(/=+$/, ''))?.data.toString(), 'x');
  assert.equal(fernetDecrypt([a], token), undefined);
});

test('every changed byte makes a token unreadable', () => {
  const key = fernetKey(KEY_TEXT);
  const token = Buffer.from(fernetEncrypt(key, Buffer.from('secret'), 1, iv), 'base64url');
  for (let i = 0; i < token.length; i++) {
    const changed = Buffer.from(token);
    changed[i] = (changed[i] as number) ^ 1;
    assert.equal(fernetDecrypt([key], changed.toString('base64url')), undefined, `byte ${i}`);
  }
});

test('text that is no token is not one', () => {
  const key = fernetKey(KEY_TEXT);
  for (const text of ['', 'gAAAAA', 'x'.repeat(500), 'gAAAAA bad', 'ü', '../../etc/passwd', `${fernetEncrypt(key, Buffer.from('a'), 1, iv)}\n`]) {
    assert.equal(fernetDecrypt([key], text), undefined);
  }
});

test('a key of another length is refused', () => {
  assert.throws(() => fernetKey('short'), RangeError);
});
