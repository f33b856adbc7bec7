import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCairnError } from '@cairn/kit/errors/errors';
import { diskNode, nodeName, openLayer, protocolNodeName } from './blockdev.ts';
import type { DiskLayer } from './open-disks.ts';

const top: DiskLayer = { format: 'qcow2', path: '/d/top.qcow2' };
const middle: DiskLayer = { format: 'qcow2', path: '/d/middle.qcow2' };
const base: DiskLayer = { format: 'raw', path: '/d/base,readonly=off.raw' };
const alone = { readOnly: false, shared: false };

/** Every object of a node that opens something. */
const nodes = (node: unknown): Record<string, unknown>[] =>
  typeof node !== 'object' || node === null ? [] : [node as Record<string, unknown>, ...Object.values(node).flatMap(nodes)];

test('a chain names a driver for every layer, and the end of it is said', () => {
  assert.deepEqual(diskNode('disk-1', [top, middle, base], alone), {
    driver: 'qcow2',
    'node-name': nodeName('disk-1', top),
    'read-only': false,
    discard: 'unmap',
    'detect-zeroes': 'unmap',
    file: { driver: 'file', filename: '/d/top.qcow2', locking: 'auto', 'node-name': protocolNodeName('disk-1', top), discard: 'unmap' },
    backing: {
      driver: 'qcow2',
      'node-name': nodeName('disk-1', middle),
      'read-only': true,
      discard: 'unmap',
      file: { driver: 'file', filename: '/d/middle.qcow2', locking: 'auto', 'node-name': protocolNodeName('disk-1', middle), discard: 'unmap' },
      backing: {
        driver: 'raw',
        'node-name': nodeName('disk-1', base),
        'read-only': true,
        discard: 'unmap',
        file: { driver: 'file', filename: '/d/base,readonly=off.raw', locking: 'auto', 'node-name': protocolNodeName('disk-1', base), discard: 'unmap' },
      },
    },
  });
});

test('a qcow2 without lower layers says so: its header is not followed', () => {
  assert.equal(diskNode('d', [top], alone).backing, null);
});

test('names of nodes are stable, fit into QEMU, and differ by disk and file', () => {
  const long = { format: 'raw', path: `/${'x'.repeat(300)}` } as const;
  const names = [nodeName('a', top), nodeName('b', top), nodeName('a', middle), protocolNodeName('a', top), nodeName('a', long)];
  assert.equal(new Set(names).size, names.length);
  assert.ok(names.every((name) => /^[a-z][a-z0-9]{0,30}$/.test(name)));
  assert.equal(nodeName('a', top), nodeName('a', { ...top }));
});

test('what is not a file is opened by its own options', () => {
  const nbd: DiskLayer = { format: 'raw', protocol: { driver: 'nbd', server: { type: 'unix', path: '/s' }, export: 'v' } };
  assert.deepEqual(openLayer('d', nbd, false).file, {
    driver: 'nbd',
    server: { type: 'unix', path: '/s' },
    export: 'v',
    'node-name': protocolNodeName('d', nbd),
    discard: 'unmap',
  });
});

test('no node is without a driver, whatever the chain', () => {
  const chain = diskNode('d', [top, middle, base], { readOnly: true, shared: false });
  for (const node of nodes(chain)) assert.equal(typeof node.driver, 'string');
  assert.equal(chain['read-only'], true);
});

test('only raw disks are written by several guests', () => {
  assert.throws(
    () => diskNode('d', [top], { readOnly: false, shared: true }),
    (e) => isCairnError(e, 'Conflict'),
  );
  assert.equal(diskNode('d', [base], { readOnly: false, shared: true }).driver, 'raw');
  assert.equal(diskNode('d', [top, base], { readOnly: true, shared: true }).driver, 'qcow2');
});

test('chains that cannot be are refused', () => {
  assert.throws(
    () => diskNode('d', [], alone),
    (e) => isCairnError(e, 'Conflict'),
  );
  assert.throws(
    () => diskNode('d', [base, top], alone),
    (e) => isCairnError(e, 'Conflict'),
  );
});
