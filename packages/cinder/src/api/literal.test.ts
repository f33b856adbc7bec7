import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseLiteral } from './literal.ts';

for (const [text, value] of [
  ["{'a': 'b'}", { a: 'b' }],
  ['{"a": "b", "c": 1,}', { a: 'b', c: 1 }],
  ["['x', 'y']", ['x', 'y']],
  ['(1, 2.5)', [1, 2.5]],
  ['True', true],
  ['None', null],
  [' 12 ', 12],
  ['-3', -3],
  ["'it\\'s'", "it's"],
  ['{}', {}],
  ['available', undefined],
  ["{'a': }", undefined],
  ["{'a'", undefined],
  ['12abc', undefined],
  ['', undefined],
  ['[[[[[[[[[[1]]]]]]]]]]', undefined],
] as const)
  test(`the literal ${text || '(nothing)'}`, () => assert.deepEqual(parseLiteral(text), value));
