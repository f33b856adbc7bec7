import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isoMicros, isoNaiveExact, isoNaiveMicros, isoSeconds } from './clock.ts';

describe('the texts of times', () => {
  it('are those of Date, for any time in any order', () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    let state = seed;
    const random = (): number => (state = (state * 48_271 + 1) % 2_147_483_647) / 2_147_483_647;
    const edges = [
      0, 1, 999, -1, -999, -1000, 86_399_999, 86_400_000, -86_400_000, -86_400_001, 951_782_399_999, 951_782_400_000, 253_402_300_799_999, 253_402_300_800_000,
      -62_198_755_200_000,
    ];
    const near = Array.from({ length: 2_000 }, () => Math.floor(1_795_000_000_000 + random() * 3 * 86_400_000));
    const far = Array.from({ length: 2_000 }, () => Math.floor((random() - 0.5) * 8.64e15));
    for (const ms of [...edges, ...near, ...far, 1_795_000_000_123.75, -0.5, -1000.5]) {
      const text = new Date(ms).toISOString();
      const dot = text.lastIndexOf('.');
      assert.equal(isoSeconds(ms), `${text.slice(0, dot)}Z`, `seed ${seed}: ${ms}`);
      assert.equal(isoNaiveMicros(ms), `${text.slice(0, dot + 4)}000`, `seed ${seed}: ${ms}`);
      assert.equal(isoMicros(ms), `${text.slice(0, dot + 4)}000Z`, `seed ${seed}: ${ms}`);
    }
  });

  it('keep microseconds where asked to', () => {
    const secondMs = Date.UTC(2026, 10, 23, 2, 28, 29);
    for (const micros of ['000000', '000001', '488895', '999000', '999999'])
      assert.equal(isoNaiveExact(secondMs + Number(micros) / 1000), `2026-11-23T02:28:29.${micros}`);
  });

  it('are refused for what is no time', () => {
    assert.throws(() => isoSeconds(Number.NaN), RangeError);
    assert.throws(() => isoMicros(8.64e15 + 1), RangeError);
  });
});
