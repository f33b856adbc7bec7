import assert from 'node:assert/strict';
import { test } from 'node:test';
import { base32Decode, totpPasscode } from './totp.ts';

test('passcodes are those of RFC 6238, appendix B', () => {
  const key = Buffer.from('12345678901234567890');
  // the RFC prints eight digits; six are their end
  for (const [atSec, digits] of [
    [59, '94287082'],
    [1111111109, '07081804'],
    [1111111111, '14050471'],
    [1234567890, '89005924'],
    [2000000000, '69279037'],
    [20000000000, '65353130'],
  ] as const) {
    assert.equal(totpPasscode(key, atSec), digits.slice(2));
  }
});

test('base32 is read with and without padding, in upper case alone', () => {
  for (const [text, plain] of [
    ['', ''],
    ['MY======', 'f'],
    ['MZXQ', 'fo'],
    ['MZXW6===', 'foo'],
    ['MZXW6YQ', 'foob'],
    ['MZXW6YTBOI======', 'foobar'],
  ] as const) {
    assert.equal(base32Decode(text)?.toString(), plain);
  }
  for (const text of ['M', 'MZX', 'mzxw6===', 'MZXW6YT1', 'MZ XW', '0', 'MZXW6Y']) assert.equal(base32Decode(text), undefined, text);
});
