import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCairnError } from '@cairn/kit/errors/errors';
import type { GuestDisk, GuestNic } from '../interface/guests.ts';
import { freeSlot, PC_SLOTS, placeAll, slotAddress } from './slots.ts';

const disk = (device: string, bus: GuestDisk['bus'] = 'virtio'): GuestDisk => ({ diskId: `d-${device}`, device, bus, kind: 'disk' });
const nic = (portId: string): GuestNic => ({ portId, mac: 'fa:16:3e:00:00:01', tap: `tap${portId}`, mtu: 1500, model: 'virtio' });

test('a new guest: disks in the order of their names, then cards as listed, and eight slots free', () => {
  const { slots, ports } = placeAll([disk('vdb'), disk('vda'), disk('sda', 'scsi')], [nic('p2'), nic('p1')], {}, 'q35');
  assert.deepEqual(slots, { 'disk:vda': 0, 'disk:vdb': 1, 'nic:p2': 2, 'nic:p1': 3 });
  assert.equal(ports, 12);
});

test('vdaa comes after vdz', () => {
  const names = ['vdaa', 'vdz', 'vdb'];
  assert.deepEqual(
    placeAll(
      names.map((n) => disk(n)),
      [],
      {},
      'q35',
    ).slots,
    { 'disk:vdb': 0, 'disk:vdz': 1, 'disk:vdaa': 2 },
  );
});

test('at a restart every device keeps its slot, and the slots of those that went are free', () => {
  const before = { 'disk:vda': 0, 'disk:vdb': 1, 'nic:p1': 2, 'disk:vdc': 3 };
  const { slots, ports } = placeAll([disk('vda'), disk('vdc')], [nic('p1')], before, 'q35');
  assert.deepEqual(slots, { 'disk:vda': 0, 'disk:vdc': 3, 'nic:p1': 2 });
  assert.equal(ports, 11);
});

test('a kept slot above the others is still among the ports', () => {
  assert.equal(placeAll([disk('vda')], [], { 'disk:vda': 40 }, 'q35').ports, 41);
});

test('a device that is plugged in takes a slot that keeps the order of its kind', () => {
  const slots = { 'disk:vda': 0, 'nic:p1': 1, 'disk:vdc': 4 };
  assert.equal(freeSlot(slots, 'disk:vdb', 12), 2);
  assert.equal(freeSlot(slots, 'disk:vdd', 12), 5);
  assert.equal(freeSlot({ ...slots, 'nic:p2': 7 }, 'nic:p3', 12), 8);
  // Where order cannot be kept, any slot is better than none.
  assert.equal(freeSlot({ 'disk:vda': 0, 'disk:vdc': 1 }, 'disk:vdb', 3), 2);
});

test('without a free slot the request is a conflict that says what helps', () => {
  assert.throws(
    () => freeSlot({ 'disk:vda': 0, 'disk:vdb': 1 }, 'disk:vdc', 2),
    (e) => isCairnError(e, 'Conflict') && /hard reboot/.test(e.message),
  );
});

test('on pc a slot is an address of the bus', () => {
  const { ports } = placeAll([disk('vda')], [], {}, 'pc');
  assert.equal(ports, PC_SLOTS);
  assert.deepEqual(slotAddress(0, 'pc'), { bus: 'pci.0', addr: '0x3' });
  assert.deepEqual(slotAddress(PC_SLOTS - 1, 'pc'), { bus: 'pci.0', addr: '0x19' });
  assert.deepEqual(slotAddress(5, 'q35'), { bus: 'port5' });
});
