import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SafeRegex } from './safe-regex.ts';

test('matches like the regular expressions of the language, on what it knows', () => {
  const patterns = [
    'web',
    '^web',
    'web$',
    '^web-[0-9]+$',
    'a.c',
    'a|b',
    '(ab)+c',
    'x{2}',
    'x{2,3}y',
    '^$',
    '',
    'a\\.b',
    '[^a-c]z',
    '\\d\\w\\s',
    '(?:a|bc)*d',
    '^(a?){3}b$',
    '[]x]',
    'a{0,2}b',
  ];
  const texts = ['', 'web', 'my-web-1', 'web-12', 'WEB', 'abc', 'aXc', 'ababc', 'xx', 'xxxy', 'xy', 'a.b', 'azb', 'dz', '1a ', 'aabcd', 'aab', ']', 'b'];
  for (const pattern of patterns) {
    const safe = new SafeRegex(pattern);
    const oracle = pattern === '[]x]' ? /[\]x]/i : new RegExp(pattern, 'i');
    for (const text of texts) assert.equal(safe.test(text), oracle.test(text), `${pattern} on ${JSON.stringify(text)}`);
  }
});

test('refuses what it does not understand', () => {
  for (const pattern of ['(', ')', '*a', '[a', 'a{3,1}', '(?=a)', '(?<n>a)', '\\1', 'a\\', '[z-a]', '('.repeat(60), 'a{999}{999}']) {
    assert.throws(() => new SafeRegex(pattern), SyntaxError, pattern);
  }
});

test('a hostile pattern costs no more than an honest one', () => {
  const started = performance.now();
  assert.equal(new SafeRegex('(a+)+$').test(`${'a'.repeat(250)}!`), false);
  assert.equal(new SafeRegex('(a|aa)*b').test('a'.repeat(255)), false);
  assert.ok(performance.now() - started < 20_000);
});
