import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cookieOf, noCookie, tokenInCookie } from './cookie.ts';

test('a token comes back from the cookie that keeps it, among other cookies', () => {
  const cookie = cookieOf('gAAAA-b_c=', { path: '/console', secure: true, maxAgeSec: 60 });
  assert.equal(cookie, 'cairn_console=gAAAA-b_c=; Path=/console; Max-Age=60; HttpOnly; SameSite=Strict; Secure');
  assert.equal(tokenInCookie(`theme=dark; ${cookie.split(';')[0]}; other=1`), 'gAAAA-b_c=');
});

test('without https the cookie is not marked Secure, and signing out ends it', () => {
  assert.equal(noCookie({ path: '/console', secure: false }), 'cairn_console=; Path=/console; Max-Age=0; HttpOnly; SameSite=Strict');
});

test('no token is taken from no cookie, from an empty one, from two, or from one with characters that no token has', () => {
  for (const header of [undefined, '', 'cairn_console=', 'xcairn_console=a', 'cairn_console=a; cairn_console=b', 'cairn_console=a b', 'cairn_console=a\u00e4'])
    assert.equal(tokenInCookie(header), undefined, String(header));
});

test('what would end the cookie early is refused', () => {
  for (const token of ['a; Path=/', 'a\r\nSet-Cookie: b=c', '', 'x'.repeat(4_000)])
    assert.throws(() => cookieOf(token, { path: '/console', secure: false, maxAgeSec: 1 }));
});
