import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { configOf } from '../config.ts';
import { readTable } from './compose.ts';

const root = join(import.meta.dirname, '..', '..', '..', '..');

test("the console's types are what the cloud's document says", () => {
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'scripts', 'console-types.ts'), '--check'], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
});

test('the console speaks the newest microversions, of which its types are', async () => {
  const spoken = readFileSync(join(root, 'packages', 'horizon', 'web', 'api', 'services.ts'), 'utf8');
  for (const { microversions } of (await readTable(configOf({}))).services())
    if (microversions) assert.ok(spoken.includes(`'${microversions.serviceType} ${microversions.max}'`), `${microversions.serviceType} ${microversions.max}`);
});
