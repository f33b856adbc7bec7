import assert from 'node:assert/strict';
import { test } from 'node:test';
import { basesOf, chosenRegion, regionsOf } from './regions.ts';
import { wayHref } from './session.ts';

const at = (region: string, url: string) => ({ type: 'compute', name: 'nova', region, url });

test('the region of any service at this origin is the console’s own', () => {
  const catalog = [
    at('south', 'https://south.example/compute/v2.1'),
    at('north', 'https://elsewhere.example/compute/v2.1'),
    at('north', 'https://north.example/identity'),
  ];
  assert.deepEqual(regionsOf(catalog, 'https://north.example'), [
    { name: 'north', own: true },
    { name: 'south', own: false },
  ]);
});

test('what is no web page’s address is no region', () => {
  for (const url of ['javascript:alert(1)//', 'data:text/html,x', 'nonsense', 'file:///etc/passwd'])
    assert.deepEqual([regionsOf([at('r', url)], 'https://x'), basesOf([at('r', url)], 'r')], [[], {}], url);
});

test('the address decides, then what was kept; what the catalog does not have is not gone to', () => {
  const regions = [
    { name: 'north', own: true },
    { name: 'south', own: false },
  ];
  for (const [inAddress, kept, name] of [
    [null, null, 'north'],
    [null, 'south', 'south'],
    ['north', 'south', 'north'],
    ['south', null, 'south'],
    ['nowhere', 'gone', 'north'],
  ] as const)
    assert.equal(chosenRegion(regions, inAddress, kept)?.name, name);
  assert.equal(chosenRegion([], 'south', null), undefined);
});

test('where services are is told without their versions', () => {
  const volume = { type: 'block-storage', name: 'cinder', region: 'south', url: 'https://south.example/volume/v3/0123' };
  assert.deepEqual(basesOf([at('south', 'https://south.example/compute/v2.1'), volume, at('north', 'https://north.example/compute/v2.1')], 'south'), {
    compute: 'https://south.example/compute',
    volume: 'https://south.example/volume',
  });
});

test('OSSA class 23, 25: a single sign-on leads to this cloud’s own keystone and back to this console, whatever its names are', () => {
  const href = wayHref({ provider: '//evil.example/?a', protocol: '../x&origin=https://evil.example' }, 'https://cloud');
  const url = new URL(href, 'https://cloud');
  assert.equal(url.origin, 'https://cloud');
  assert.ok(url.pathname.startsWith('/identity/v3/auth/OS-FEDERATION/identity_providers/%2F%2Fevil.example%2F%3Fa/protocols/'));
  assert.deepEqual(url.searchParams.getAll('origin'), ['https://cloud/console/session/sso']);
});
