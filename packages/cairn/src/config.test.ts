import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { configOf } from './config.ts';

const root = join(import.meta.dirname, '..', '..', '..');

test('the documented options are those that there are (node scripts/options.ts --write brings them up to date)', () => {
  const page = readFileSync(join(root, 'docs', 'configuration.md'), 'utf8');
  const documented = /<!-- options: [^>]*-->\n([^]*?)<!-- end of options -->/.exec(page)?.[1];
  assert.equal(documented, execFileSync(process.execPath, [join(root, 'scripts', 'options.ts')], { encoding: 'utf8' }));
});

test('--listen takes a port, an address, or both', () => {
  const listen = (text: string) => (({ address, port }) => [address, port])(configOf({ listen: text }).listen);
  assert.deepEqual(listen('8797'), ['127.0.0.1', 8797]);
  assert.deepEqual(listen('0.0.0.0'), ['0.0.0.0', 8780]);
  assert.deepEqual(listen('10.0.0.1:8797'), ['10.0.0.1', 8797]);
  assert.deepEqual(listen('[::1]:8797'), ['::1', 8797]);
});
