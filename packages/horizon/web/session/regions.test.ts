import assert from 'node:assert/strict';
import { test } from 'node:test';
import { regionsOf } from './regions.ts';
import { wayHref } from './session.ts';

const at = (region: string, url: string) => ({ type: 'compute', name: 'nova', region, url });

test('another region has a console beside its services, this one has none to go to', () => {
  const catalog = [
    at('south', 'https://south.example/compute/v2.1'),
    at('north', 'https://north.example/compute/v2.1'),
    at('north', 'https://north.example/identity'),
  ];
  assert.deepEqual(regionsOf(catalog, 'https://north.example'), [
    { name: 'north', console: undefined },
    { name: 'south', console: 'https://south.example/console/' },
  ]);
});

test('what is no web page’s address is nowhere to go', () => {
  for (const url of ['javascript:alert(1)//', 'data:text/html,x', 'nonsense', 'file:///etc/passwd'])
    assert.deepEqual(regionsOf([at('r', url)], 'https://x'), [], url);
});

test('OSSA class 23, 25: a single sign-on leads to this cloud’s own keystone and back to this console, whatever its names are', () => {
  const href = wayHref({ provider: '//evil.example/?a', protocol: '../x&origin=https://evil.example' }, 'https://cloud');
  const url = new URL(href, 'https://cloud');
  assert.equal(url.origin, 'https://cloud');
  assert.ok(url.pathname.startsWith('/identity/v3/auth/OS-FEDERATION/identity_providers/%2F%2Fevil.example%2F%3Fa/protocols/'));
  assert.deepEqual(url.searchParams.getAll('origin'), ['https://cloud/console/session/sso']);
});
