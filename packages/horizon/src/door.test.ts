import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { doorOf, REFUSED_PATH } from './door.ts';

const ask = (url: string, headers: Record<string, string> = {}, trustProxy = false) =>
  doorOf({ trustProxy, prefixes: ['/compute', '/identity'] })({
    url,
    headers: { host: 'cloud:8780', 'x-cairn-console': '1', cookie: 'cairn_console=token', ...headers },
  } as unknown as IncomingMessage);

test('a request of the page is the service’s own, with the token of the session', () => {
  const passage = ask('/console/api/compute/v2.1/servers?limit=1');
  assert.equal(passage?.url, '/compute/v2.1/servers?limit=1');
  assert.equal(passage?.token, 'token');
});

test('without a session it has no token', () => {
  assert.equal(ask('/console/api/compute/v2.1/servers', { cookie: '' })?.token, undefined);
});

test('everything else is left alone', () => {
  for (const url of ['/compute/v2.1/servers', '/console/', '/console/api', '/console/apis/compute', '/']) assert.equal(ask(url), undefined, url);
});

test('what no page of this origin can have sent is refused, and the token with it', () => {
  const refused: readonly Record<string, string>[] = [
    { 'x-cairn-console': undefined as unknown as string },
    { origin: 'https://evil.example' },
    { origin: 'http://cloud:8781' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'x-forwarded-host': 'other', origin: 'http://other' },
  ];
  for (const headers of refused) {
    const passage = ask('/console/api/compute/v2.1/servers', headers);
    assert.equal(passage?.url, REFUSED_PATH, JSON.stringify(headers));
    assert.equal(passage?.token, undefined);
  }
});

test('the page’s own origin is let in, by the name of the proxy where one is trusted', () => {
  assert.equal(ask('/console/api/compute/', { origin: 'http://cloud:8780', 'sec-fetch-site': 'same-origin' })?.url, '/compute/');
  assert.equal(ask('/console/api/compute/', { origin: 'https://cloud.example', 'x-forwarded-host': 'cloud.example' }, true)?.url, '/compute/');
});

test('only services are behind the door: not the session, not the metrics, not a path that climbs out', () => {
  for (const path of ['/metrics', '/console/session', '/computer', '//compute/', '/%2e%2e/metrics', '/']) {
    assert.equal(ask(`/console/api${path}`)?.url, REFUSED_PATH, path);
  }
});
