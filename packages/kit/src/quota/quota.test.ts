import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isCairnError } from '../errors/errors.ts';
import { QuotaExceeded, UNLIMITED, checkQuota, fitsQuota, quotaLeft } from './quota.ts';

const ask = (used: number, asked: number, limit: number, resource = 'cores') => ({ resource, used, asked, limit });

describe('quota', () => {
  it('fits up to the limit, and always without one', () => {
    assert.equal(fitsQuota(ask(8, 2, 10)), true);
    assert.equal(fitsQuota(ask(8, 3, 10)), false);
    assert.equal(fitsQuota(ask(0, 1, 0)), false);
    assert.equal(fitsQuota(ask(1e9, 1e9, UNLIMITED)), true);
  });

  it('lets nothing and less be asked for below a lowered limit', () => {
    assert.equal(fitsQuota(ask(20, 0, 10)), true);
    assert.equal(fitsQuota(ask(20, -5, 10)), true);
    assert.equal(fitsQuota(ask(20, 1, 10)), false);
  });

  it('names every resource that does not fit, the first as the main one', () => {
    assert.throws(
      () => checkQuota([ask(1, 1, 2, 'instances'), ask(19, 2, 20, 'cores'), ask(0, 99, 50, 'ram')], { type: 'OverQuota', status: 409 }),
      (error) => {
        assert.ok(error instanceof QuotaExceeded && isCairnError(error, 'QuotaExceeded'));
        assert.deepEqual([error.resource, error.used, error.asked, error.limit], ['cores', 19, 2, 20]);
        assert.deepEqual(
          error.over.map((over) => over.resource),
          ['cores', 'ram'],
        );
        assert.equal(error.message, 'Quota exceeded for cores: asked for 2, already used 19 of 20; ram: asked for 99, already used 0 of 50.');
        assert.deepEqual([error.type, error.status], ['OverQuota', 409]);
        return true;
      },
    );
    checkQuota([ask(1, 1, 2)]);
  });

  it('tells what is left', () => {
    assert.equal(quotaLeft(3, 10), 7);
    assert.equal(quotaLeft(12, 10), 0);
    assert.equal(quotaLeft(12, UNLIMITED), Number.POSITIVE_INFINITY);
  });
});
