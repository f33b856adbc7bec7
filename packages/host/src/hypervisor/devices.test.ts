import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCairnError } from '@cairn/kit/errors/errors';
import type { GuestDisk, GuestNic } from '../interface/guests.ts';
import { busPlaces, controllers, diskDevice, netdev, nicDevice } from './devices.ts';

const serial = '11111111-2222-3333-4444-555555555555';
const disk = (device: string, bus: GuestDisk['bus'], more: Partial<GuestDisk> = {}): GuestDisk => ({
  diskId: device,
  device,
  bus,
  kind: 'disk',
  serial,
  ...more,
});
const card = (more: Partial<GuestNic> = {}): GuestNic => ({
  portId: 'p1',
  mac: 'FA:16:3E:00:00:01',
  tap: 'tap11111111-22',
  mtu: 1442,
  model: 'virtio',
  ...more,
});

test('a virtio disk sits in its slot, and its serial is cut to what the bus carries', () => {
  assert.deepEqual(diskDevice(disk('vda', 'virtio', { bootIndex: 0 }), 'n', { 'disk:vda': 3 }, 0, 'q35'), {
    driver: 'virtio-blk-pci',
    id: 'disk-vda',
    drive: 'n',
    bootindex: 1,
    serial: serial.slice(0, 20),
    bus: 'port3',
    'write-cache': 'on',
  });
});

test('a config drive on virtio is read only', () => {
  assert.deepEqual(diskDevice(disk('vdz', 'virtio', { kind: 'cdrom', readOnly: true }), 'n', { 'disk:vdz': 3 }, 0, 'q35'), {
    driver: 'virtio-blk-pci',
    id: 'disk-vdz',
    drive: 'n',
    serial: serial.slice(0, 20),
    bus: 'port3',
  });
});

test('a shared disk lets others write', () => {
  assert.equal(diskDevice(disk('vda', 'virtio', { shared: true }), 'n', { 'disk:vda': 0 }, 0, 'q35')['share-rw'], true);
});

test('scsi, usb, sata and ide have places of their own', () => {
  assert.deepEqual(diskDevice(disk('sdb', 'scsi'), 'n', {}, 1, 'q35'), {
    driver: 'scsi-hd',
    id: 'disk-sdb',
    drive: 'n',
    serial,
    bus: 'scsi0.0',
    channel: 0,
    'scsi-id': 1,
    lun: 0,
  });
  assert.deepEqual(diskDevice(disk('sda', 'scsi', { kind: 'cdrom' }), 'n', {}, 0, 'q35').driver, 'scsi-cd');
  assert.deepEqual(diskDevice(disk('sda', 'usb'), 'n', {}, 0, 'q35'), {
    driver: 'usb-storage',
    id: 'disk-sda',
    drive: 'n',
    serial,
    bus: 'usb0.0',
    removable: false,
  });
  assert.deepEqual(diskDevice(disk('sdc', 'sata', { kind: 'cdrom' }), 'n', {}, 2, 'q35'), {
    driver: 'ide-cd',
    id: 'disk-sdc',
    drive: 'n',
    serial: serial.slice(0, 20),
    bus: 'ide.2',
    unit: 0,
  });
  assert.deepEqual(diskDevice(disk('hdd', 'ide'), 'n', {}, 3, 'pc'), {
    driver: 'ide-hd',
    id: 'disk-hdd',
    drive: 'n',
    serial: serial.slice(0, 20),
    bus: 'ide.1',
    unit: 1,
  });
  assert.equal(diskDevice(disk('sda', 'sata'), 'n', {}, 1, 'pc').bus, 'sata0.1');
  assert.throws(
    () => diskDevice(disk('sdg', 'sata'), 'n', {}, 6, 'q35'),
    (e) => isCairnError(e, 'Conflict'),
  );
});

test('a disk is placed by its letter, and by what is free when two want one place', () => {
  assert.deepEqual(busPlaces([disk('vda', 'virtio'), disk('sdc', 'scsi'), disk('sda', 'scsi')]), { 'disk:sdc': 2, 'disk:sda': 0 });
  // On q35 IDE and SATA are the same ports.
  assert.deepEqual(busPlaces([disk('hda', 'ide', { kind: 'cdrom' }), disk('sda', 'sata'), disk('sdb', 'sata')]), {
    'disk:hda': 0,
    'disk:sda': 1,
    'disk:sdb': 2,
  });
});

test('controllers are there only for disks that need them', () => {
  assert.deepEqual(controllers([disk('vda', 'virtio'), disk('sda', 'sata')], 'q35'), []);
  assert.deepEqual(
    controllers([disk('sda', 'scsi'), disk('sdb', 'usb'), disk('sdc', 'sata')], 'pc').map((c) => c.driver),
    ['virtio-scsi-pci', 'qemu-xhci', 'ahci'],
  );
});

test('a network card loads no boot ROM and tells its MTU where it can', () => {
  assert.deepEqual(nicDevice(card(), { 'nic:p1': 1 }, 'q35'), {
    driver: 'virtio-net-pci',
    id: 'nic-tap11111111-22',
    netdev: 'net-tap11111111-22',
    mac: 'fa:16:3e:00:00:01',
    romfile: '',
    host_mtu: 1442,
    bus: 'port1',
  });
  assert.deepEqual(nicDevice(card({ model: 'e1000' }), { 'nic:p1': 1 }, 'pc'), {
    driver: 'e1000',
    id: 'nic-tap11111111-22',
    netdev: 'net-tap11111111-22',
    mac: 'fa:16:3e:00:00:01',
    romfile: '',
    bus: 'pci.0',
    addr: '0x4',
  });
});

test('a card is connected to a tap that exists, without scripts', () => {
  assert.deepEqual(netdev(card()), { type: 'tap', id: 'net-tap11111111-22', ifname: 'tap11111111-22', script: 'no', downscript: 'no', vhost: false });
});
