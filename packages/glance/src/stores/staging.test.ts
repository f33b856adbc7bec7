import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Staging } from './staging.ts';

test('no name of a file leads out of the directory', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-staging-'));
  try {
    const staging = new Staging(join(folder, 'inside'));
    await staging.prepare(() => true);
    writeFileSync(join(folder, 'victim'), 'x');
    for (const name of ['../victim', '..', '.', '', '/etc/passwd', 'a/../../victim', 'a\0b', `${folder}/victim`]) {
      await assert.rejects(staging.remove(name), /no name of a file/, name);
      assert.throws(() => staging.path(name), /no name of a file/, name);
    }
    assert.ok(existsSync(join(folder, 'victim')));
    for (const name of ['0d4a7f8e-53a0-4f0e-9b54-2f1c1f6d8a11', '0d4a7f8e.part', 'x.raw.gz']) assert.equal(staging.path(name), join(folder, 'inside', name));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
