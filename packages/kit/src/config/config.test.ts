import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import Type from 'typebox';
import { loadConfig, optionsOf } from './config.ts';

const Schema = Type.Object(
  {
    region: Type.String({ default: 'RegionOne', minLength: 1, description: 'Name' }),
    listen: Type.Object(
      { port: Type.Integer({ default: 80, minimum: 1, maximum: 65_535 }), classicPorts: Type.Boolean({ default: false }) },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);
const withFile = (text: string, run: (file: string) => void): void => {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-config-'));
  const file = join(folder, 'c.yaml');
  writeFileSync(file, text);
  try {
    run(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
};
test('defaults, file, environment and command line win in that order', () =>
  withFile('region: A\nlisten: {port: 81}\n', (file) => {
    assert.deepEqual(loadConfig(Schema, {}), { region: 'RegionOne', listen: { port: 80, classicPorts: false } });
    assert.deepEqual(loadConfig(Schema, { file }), { region: 'A', listen: { port: 81, classicPorts: false } });
    assert.deepEqual(loadConfig(Schema, { file, environment: { CAIRN_LISTEN_PORT: '82', CAIRN_LISTEN_CLASSIC_PORTS: 'yes' }, overrides: { region: 'C' } }), {
      region: 'C',
      listen: { port: 82, classicPorts: true },
    });
  }));
test('an unknown option, a wrong value and broken YAML are named', () => {
  withFile('listen: {prot: 1}', (file) => assert.throws(() => loadConfig(Schema, { file }), /no option listen\.prot.*port, classicPorts/));
  withFile('listen: {port: 0}', (file) => assert.throws(() => loadConfig(Schema, { file }), /listen\.port: 0 is less than the minimum of 1/));
  withFile('a: [', (file) => assert.throws(() => loadConfig(Schema, { file }), /line 1/));
  assert.throws(() => loadConfig(Schema, { environment: { CAIRN_LISTEN_PORT: 'x' } }), /listen\.port: 'x' is not of type 'integer'/);
});
test('options list themselves for the documentation', () =>
  assert.deepEqual(optionsOf(Schema)[1], { path: 'listen.port', environment: 'CAIRN_LISTEN_PORT', type: 'integer', default: 80, description: '' }));
