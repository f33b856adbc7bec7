import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { BackupOptions } from '@cairn/cinder/options';
import { configOf } from './config.ts';
import { backupsOf } from './config-backups.ts';

const directory = mkdtempSync(join(tmpdir(), 'cairn-config-'));
after(() => rmSync(directory, { recursive: true }));
const secret = join(directory, 'secret');
writeFileSync(secret, 'hush\n');

function backupsIn(inline: string): BackupOptions {
  const config = join(directory, 'cairn.yaml');
  writeFileSync(config, `storage: { backups: { ${inline} } }`);
  return backupsOf(configOf({ config }).storage.backups, 'RegionOne');
}

test('backups are files, without a word about them', () => {
  assert.deepEqual(backupsOf(configOf({}).storage.backups, 'RegionOne'), { driver: 'file' });
});

test('Swift for each project by the catalogue, for one user, and S3', () => {
  const swift = backupsIn('driver: swift');
  assert.ok(swift.driver === 'swift');
  assert.deepEqual(swift.auth, { mode: 'per_user', url: undefined, region: 'RegionOne' });
  // upstream's defaults
  assert.deepEqual(
    [swift.container, swift.objectBytes, swift.blockBytes, swift.compression, swift.backoffMs],
    ['volumebackups', 52_428_800, 32_768, 'zlib', 2000],
  );
  const single = backupsIn(`driver: swift, auth: single_user, authUrl: 'https://id.example/v3', user: u, project: p, keyFile: ${secret}`);
  assert.ok(single.driver === 'swift' && single.auth.mode === 'single_user');
  assert.deepEqual([single.auth.version, single.auth.key, single.auth.userDomain, single.auth.url], ['3', 'hush', 'Default', undefined]);
  const s3 = backupsIn(`driver: s3, url: 'https://s3.example', accessKey: a, secretKeyFile: ${secret}, caFile: ${secret}`);
  assert.ok(s3.driver === 's3');
  assert.deepEqual([s3.url, s3.accessKey, s3.secretKey, s3.region, s3.ca], ['https://s3.example', 'a', 'hush', 'us-east-1', 'hush\n']);
});

test('what does not fit is named', () => {
  const one = (inline: string) => () => backupsIn(inline);
  assert.throws(one('driver: ceph'), /driver/);
  assert.throws(one('driver: s3'), /storage\.backups\.url is missing: the driver s3 needs it/);
  assert.throws(one('driver: swift, auth: single_user'), /storage\.backups\.authUrl is missing: the driver swift with auth: single_user needs it/);
  assert.throws(one('driver: swift, user: u'), /storage\.backups\.user is for auth: single_user/);
  assert.throws(one('driver: swift, accessKey: a'), /storage\.backups\.accessKey is not an option of the driver swift/);
  assert.throws(one("url: 'https://s3.example'"), /storage\.backups\.url is not an option of the driver file/);
  assert.throws(one('path: backups'), /storage\.backups\.path is not an absolute path/);
  assert.throws(one("driver: swift, url: 'ftp://x'"), /storage\.backups\.url is no URL/);
  assert.throws(one("driver: swift, url: 'https://u:p@x/v1/AUTH_'"), /storage\.backups\.url has a user/);
  assert.throws(one('driver: swift, blockBytes: 5000'), /storage\.backups\.blockBytes is not a power of two/);
  assert.throws(one('driver: swift, objectBytes: 50000'), /storage\.backups\.objectBytes is not a multiple/);
  assert.throws(one(`driver: swift, caFile: ${directory}/none`), /storage\.backups\.caFile cannot be read/);
});
