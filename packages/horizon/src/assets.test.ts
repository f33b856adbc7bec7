import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Assets } from './assets.ts';

const folder = mkdtempSync(join(tmpdir(), 'cairn-assets-'));
mkdirSync(join(folder, 'assets'));
writeFileSync(join(folder, 'index.html'), '<p>page</p>');
writeFileSync(join(folder, 'assets', 'a-1.js'), 'long();');
writeFileSync(join(folder, 'assets', 'a-1.js.gz'), gzipSync('long();'));
writeFileSync(join(folder, 'assets', 'a-1.js.br'), 'brotli');
const assets = new Assets(folder);
after(() => rmSync(folder, { recursive: true }));

const get = (name: string, accepts?: string, has?: string) => assets.get(name, { accepts, has });

test('a hashed file is kept for ever, packed as the browser can read it', () => {
  assert.equal(get('assets/a-1.js', 'gzip, deflate, br')?.headers['content-encoding'], 'br');
  assert.equal(get('assets/a-1.js', 'gzip')?.headers['content-encoding'], 'gzip');
  assert.equal(get('assets/a-1.js', 'br;q=0, gzip;q=0.5')?.headers['content-encoding'], 'gzip');
  const plain = get('assets/a-1.js');
  assert.equal(plain?.headers['content-encoding'], undefined);
  assert.equal(String(plain?.body), 'long();');
  assert.match(plain?.headers['cache-control'] ?? '', /immutable/);
  assert.match(plain?.headers['content-type'] ?? '', /^text\/javascript/);
});

test('the page itself is asked for every time, and not sent again when it is the same', () => {
  const page = get('index.html');
  assert.equal(page?.headers['cache-control'], 'no-cache');
  assert.equal(get('index.html', undefined, page?.headers['etag'])?.status, 304);
  assert.equal(get('index.html', undefined, '"other"')?.status, 200);
});

test('the page’s policy lets nothing inline run and nothing of another origin load', () => {
  const policy = get('index.html')?.headers['content-security-policy'] ?? '';
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /script-src 'self'(;|$)/);
  assert.doesNotMatch(policy, /unsafe|https?:|\*/);
});

test('no path leads out of what was built, and packed files have no name of their own', () => {
  for (const name of ['assets/../../etc/passwd', '../package.json', '/etc/passwd', 'assets/a-1.js.gz', 'assets/', '', 'assets/%2e%2e/index.html', '__proto__'])
    assert.equal(get(name), undefined, name);
});
