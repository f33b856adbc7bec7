import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCairnError } from '@cairn/kit/errors/errors';
import { type MappingRequest, nextDeviceName, planBlockDevices } from './block-devices.ts';
import { deviceRows } from './server-devices.ts';
import { hostnameFrom } from './server-names.ts';

const IMAGE = 'i';
const VOLUME = 'v';
const request: MappingRequest = { imageId: IMAGE, imageProperties: {}, flavor: { ephemeralGb: 0, swapMb: 0 }, maxCount: 1 };
const plan = (over: Partial<MappingRequest>) =>
  planBlockDevices({ ...request, ...over }).map((device) => `${device.sourceType} ${device.destinationType} ${device.bootIndex}`);
const refusal = (over: Partial<MappingRequest>): string => {
  try {
    plan(over);
  } catch (error) {
    assert.ok(isCairnError(error, 'InvalidInput'));
    return error.message;
  }
  return 'accepted';
};

test('an image alone is a local root disk; the flavor adds ephemeral disk and swap', () => {
  assert.deepEqual(plan({}), ['image local 0']);
  assert.deepEqual(plan({ flavor: { ephemeralGb: 2, swapMb: 64 } }), ['image local 0', 'blank local -1', 'blank local -1']);
});

test('the old mapping boots from the device named like the root, else from the image', () => {
  assert.deepEqual(plan({ v1: [{ volume_id: VOLUME, device_name: 'vdb' }] }), ['image local 0', 'volume volume -1']);
  assert.deepEqual(plan({ imageId: '', v1: [{ volume_id: VOLUME, device_name: 'vda' }] }), ['volume volume 0']);
  assert.match(refusal({ v1: [{ volume_id: VOLUME, device_name: '/dev/vda' }] }), /same device name as the root device vda/);
  assert.match(refusal({ v1: [{}] }), /Unrecognized legacy format/);
});

test('an image that carries a mapping boots as it says', () => {
  const properties = {
    bdm_v2: 'True',
    block_device_mapping: JSON.stringify([
      { source_type: 'snapshot', destination_type: 'volume', snapshot_id: 's', boot_index: 0, volume_size: 2, device_name: '/dev/vda', tag: null },
    ]),
  };
  assert.deepEqual(plan({ imageProperties: properties }), ['snapshot volume 0']);
  assert.match(refusal({ imageProperties: { ...properties, block_device_mapping: 'x' } }), /no JSON/);
});

test('contradictions are refused', () => {
  const cases: readonly (readonly [Partial<MappingRequest>, RegExp])[] = [
    [{ v2: [{ source_type: 'blank', uuid: 'x', boot_index: 0 }] }, /Invalid device UUID/],
    [{ v2: [{ source_type: 'volume' }] }, /Missing device UUID/],
    [{ v2: [{ source_type: 'image', destination_type: 'local', uuid: 'other', boot_index: -1 }] }, /Mapping image to local is not supported/],
    [{ v2: [{ source_type: 'volume', destination_type: 'volume', uuid: 'x', volume_type: 'fast' }] }, /volume type to existing volume/],
    [{ v2: [{ source_type: 'blank', destination_type: 'local', volume_type: 'fast' }] }, /volume_type with destination_type=local/],
    [{ imageId: '', v2: [{ source_type: 'volume', destination_type: 'volume', uuid: 'x', boot_index: 1 }] }, /Boot sequence/],
    [{ maxCount: 2, imageId: '', v2: [{ source_type: 'volume', destination_type: 'volume', uuid: 'x', boot_index: 0 }] }, /multiple instances/],
    [
      {
        v2: [
          { source_type: 'image', destination_type: 'local', uuid: IMAGE, boot_index: 0 },
          { source_type: 'blank', destination_type: 'local', volume_size: 1 },
        ],
      },
      /Ephemeral disks requested are larger/,
    ],
    [
      {
        v2: [
          { source_type: 'image', destination_type: 'local', uuid: IMAGE, boot_index: 0 },
          { source_type: 'blank', destination_type: 'local', guest_format: 'swap', volume_size: 1 },
        ],
      },
      /Swap drive requested is larger/,
    ],
    [{ v2: [{ source_type: 'image', destination_type: 'local', uuid: IMAGE, boot_index: 0, disk_bus: 'nonsense' }] }, /Disk bus nonsense/],
  ];
  for (const [over, message] of cases) assert.match(refusal(over), message);
});

test('disks are named in the order in which the guest finds them', () => {
  let next = 0;
  const rows = deviceRows(
    planBlockDevices({
      ...request,
      flavor: { ephemeralGb: 2, swapMb: 64 },
      v2: [
        { source_type: 'volume', destination_type: 'volume', uuid: VOLUME, boot_index: null, device_name: '/dev/vdz' },
        { source_type: 'image', destination_type: 'local', uuid: IMAGE, boot_index: '0' },
      ],
    }),
    { serverId: 's', imageProperties: {}, configDrive: true, nowMs: 0, mintId: () => `id${(next += 1)}` },
  );
  assert.deepEqual(
    rows.map((row) => `${row.source_type} ${row.device_name}`),
    ['image /dev/vda', 'blank /dev/vdb', 'blank /dev/vdc', 'volume /dev/vdd', 'files /dev/vde'],
  );
  assert.equal(new Set(rows.map((row) => row.id)).size, rows.length);
  assert.equal(nextDeviceName(['/dev/vda', 'vdc', null], 'virtio'), '/dev/vdb');
  assert.equal(nextDeviceName([], 'scsi'), '/dev/sda');
  assert.equal(
    nextDeviceName(
      [...'abcdefghijklmnopqrstuvwxyz'].map((letter) => `/dev/vd${letter}`),
      'virtio',
    ),
    undefined,
  );
});

test('host names keep letters, digits and dashes', () => {
  assert.equal(hostnameFrom('My Server_1.x'), 'my-server-1-x');
  assert.equal(hostnameFrom('\u00e4\u4e2d web'), 'web');
  assert.equal(hostnameFrom('\u4e2d'), '');
  assert.equal(hostnameFrom('-a-'), 'a');
  assert.equal(hostnameFrom('x'.repeat(80)).length, 63);
  assert.equal(hostnameFrom('a\nb;$(c)'), 'abc');
});
