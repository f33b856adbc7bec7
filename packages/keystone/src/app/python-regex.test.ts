import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compilePythonRegex } from './python-regex.ts';

const matches = (pattern: string, text: string): boolean | undefined => compilePythonRegex(pattern)?.(text);

test('a pattern matches at the start, as re.match', () => {
  assert.equal(matches('abc', 'abcd'), true);
  assert.equal(matches('abc', 'xabc'), false);
  assert.equal(matches('^(?=.*\\d)(?=.*[a-zA-Z]).{7,}$', 'abcdef1'), true);
  assert.equal(matches('^(?=.*\\d)(?=.*[a-zA-Z]).{7,}$', 'abcdefg'), false);
  assert.equal(matches('a|b', 'cb'), false);
});

test('what Python spells otherwise is understood', () => {
  assert.equal(matches('(?P<x>a)(?P=x)', 'aa'), true);
  assert.equal(matches('(?i)abc', 'ABC'), true);
  assert.equal(matches('\\Aab\\Z', 'ab'), true);
  assert.equal(matches('\\Aab\\Z', 'abc'), false);
  assert.equal(matches('a\\_b', 'a_b'), true, 'escapes that JavaScript’s strict reading refuses');
  assert.equal(matches('.', '😀'), true);
});

test('a pattern that is none, or in verbose form, is said to be so', () => {
  assert.equal(compilePythonRegex('('), undefined);
  assert.equal(compilePythonRegex('(?x) a b'), undefined);
});

test('the same pattern judges one text after another', () => {
  const judge = compilePythonRegex('a+');
  assert.deepEqual([judge?.('aa'), judge?.('aa'), judge?.('b'), judge?.('a')], [true, true, false, true]);
});
