import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { configOf } from './config.ts';
import { storageOf, type Storage } from './config-storage.ts';

function storageIn(yaml: string): Storage {
  const dir = mkdtempSync(join(tmpdir(), 'cairn-config-'));
  try {
    const config = join(dir, 'cairn.yaml');
    writeFileSync(config, yaml);
    return storageOf(configOf({ config }).storage);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

test('without a word about storage volumes are on the hosts’ own disks', () => {
  const { specs, backends } = storageOf(configOf({}).storage);
  assert.deepEqual(specs, [{ name: 'cairn', driver: 'local' }]);
  assert.deepEqual(
    backends.map(({ name, volumeBackendName, isShared }) => [name, volumeBackendName, isShared]),
    [['cairn', 'cairn', false]],
  );
});

test('each driver gets what it needs', () => {
  const { specs, backends } = storageIn(`
storage:
  backends:
    cairn: { driver: local }
    nfs: { driver: directory, path: /srv/volumes, availabilityZone: attic }
    fast: { driver: local, path: /mnt/fast }
    ceph: { driver: rbd, pool: volumes, user: cinder, volumeBackendName: big, imageCacheCount: 20 }
    lvm: { driver: lvm, volumeGroup: volumes }
    thick: { driver: lvm, volumeGroup: more, provisioning: thick }
`);
  assert.deepEqual(specs, [
    { name: 'cairn', driver: 'local' },
    { name: 'nfs', driver: 'directory', path: '/srv/volumes' },
    { name: 'fast', driver: 'local', path: '/mnt/fast' },
    { name: 'ceph', driver: 'rbd', imageCacheCount: 20, imageCacheGb: 0, pool: 'volumes', user: 'cinder', configFile: '/etc/ceph/ceph.conf' },
    { name: 'lvm', driver: 'lvm', volumeGroup: 'volumes', provisioning: 'thin' },
    { name: 'thick', driver: 'lvm', volumeGroup: 'more', provisioning: 'thick' },
  ]);
  assert.deepEqual(
    backends.map(({ name, volumeBackendName, isShared, isThin, availabilityZone }) => [name, volumeBackendName, isShared, isThin, availabilityZone]),
    [
      ['cairn', 'cairn', false, true, undefined],
      ['nfs', 'nfs', true, true, 'attic'],
      ['fast', 'fast', false, true, undefined],
      ['ceph', 'big', true, true, undefined],
      ['lvm', 'lvm', false, true, undefined],
      ['thick', 'thick', false, false, undefined],
    ],
  );
});

test('what does not fit is named', () => {
  const one = (line: string) => () => storageIn(`storage: { backends: { ${line} } }`);
  assert.throws(one('ceph: { driver: rbd }'), /storage\.backends\.ceph\.pool is missing/);
  assert.throws(one('ceph: { driver: rbd, pool: p, path: /x }'), /storage\.backends\.ceph\.path is not an option of the driver rbd/);
  assert.throws(one('ceph: { driver: rbd, pool: "-p" }'), /storage\.backends\.ceph\.pool: "-p"/);
  assert.throws(one('Ceph: { driver: rbd, pool: p }'), /lower-case/);
  assert.throws(one('ssd: { driver: local }'), /own disks/);
  assert.throws(one('cairn: { driver: rbd, pool: p }'), /own disks/);
  assert.throws(one('nfs: { driver: directory, path: srv }'), /absolute/);
  assert.throws(one('nfs: { driver: netapp }'), /driver/);
  assert.throws(one('lvm: { driver: lvm }'), /storage\.backends\.lvm\.volumeGroup is missing/);
  assert.throws(one('lvm: { driver: lvm, volumeGroup: "../x" }'), /storage\.backends\.lvm\.volumeGroup: "\.\.\/x"/);
  assert.throws(one(`lvm: { driver: lvm, volumeGroup: ${'g'.repeat(33)} }`), /at most 32/);
  assert.throws(one('ceph: { driver: rbd, pool: p, provisioning: thin }'), /provisioning is not an option of the driver rbd/);
  assert.throws(one('nfs: { driver: directory, path: /srv, imageCacheCount: 3 }'), /imageCacheCount is not an option of the driver directory/);
});
