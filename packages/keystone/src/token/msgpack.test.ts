import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Double, type Packable, pack, unpack } from './msgpack.ts';

// written by msgpack-python 1.0.3 with its defaults
const WRITTEN: readonly (readonly [Packable, string])[] = [
  [null, 'c0'],
  [true, 'c3'],
  [false, 'c2'],
  [0, '00'],
  [127, '7f'],
  [128, 'cc80'],
  [255, 'ccff'],
  [256, 'cd0100'],
  [65535, 'cdffff'],
  [65536, 'ce00010000'],
  [2 ** 32 - 1, 'ceffffffff'],
  [2 ** 32, 'cf0000000100000000'],
  [-1, 'ff'],
  [-32, 'e0'],
  [-33, 'd0df'],
  [-128, 'd080'],
  [-129, 'd1ff7f'],
  [-32768, 'd18000'],
  [-32769, 'd2ffff7fff'],
  [-(2 ** 31), 'd280000000'],
  [-(2 ** 31) - 1, 'd3ffffffff7fffffff'],
  [new Double(1.5), 'cb3ff8000000000000'],
  ['', 'a0'],
  ['a'.repeat(31), `bf${'61'.repeat(31)}`],
  ['a'.repeat(32), `d920${'61'.repeat(32)}`],
  ['é'.repeat(200), `da0190${'c3a9'.repeat(200)}`],
  [Buffer.alloc(0), 'c400'],
  [Buffer.alloc(255, 'x'), `c4ff${'78'.repeat(255)}`],
  [Buffer.alloc(256, 'x'), `c50100${'78'.repeat(256)}`],
  [Array.from({ length: 15 }, (_, i) => i), '9f000102030405060708090a0b0c0d0e'],
  [Array.from({ length: 16 }, (_, i) => i), 'dc0010000102030405060708090a0b0c0d0e0f'],
  [[[1, [2]]], '9192019102'],
];

test('values are written as msgpack-python writes them, and read back', () => {
  for (const [value, hex] of WRITTEN) {
    assert.equal(pack(value).toString('hex'), hex);
    assert.deepEqual(unpack(Buffer.from(hex, 'hex')), value instanceof Double ? value.value : value);
  }
});

test('what is cut short, left over, nested too deeply or unknown is refused', () => {
  for (const hex of ['', 'cd01', 'a261', 'c4ff00', 'cb3ff8', '93c0', 'c0c0', '81a161c0', 'c1', 'dd7fffffff', `${'91'.repeat(20)}c0`]) {
    assert.throws(() => unpack(Buffer.from(hex, 'hex')), RangeError, hex);
  }
});

test('a fraction is no integer', () => {
  assert.throws(() => pack(1.5), RangeError);
});
