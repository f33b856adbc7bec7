import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { configOf } from '../config.ts';
import { settingsOf } from './shared.ts';

const data = mkdtempSync(join(tmpdir(), 'cairn-settings-'));
after(() => rmSync(data, { recursive: true }));

test('options that came after a cloud was made have their defaults; what it was made with stays', () => {
  const { console: _, ...older } = configOf({ data, listen: '9999' });
  const { dedicatedCpus: _cpus, ...hypervisor } = older.hypervisor;
  writeFileSync(join(data, 'settings.json'), JSON.stringify({ ...older, hypervisor }));
  const { config } = settingsOf({ data });
  assert.equal(config.console.enabled, true);
  assert.equal(config.hypervisor.dedicatedCpus, '');
  assert.equal(config.listen.port, 9999);
  assert.equal(config.data, data);
});
