import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { systemClock } from '@cairn/kit/clock/clock';
import type { GuestDisk, GuestSpec } from '../interface/guests.ts';
import { commandLine } from './command-line.ts';
import { placesOf } from './places.ts';
import { noQemu } from './qemu.fixture.ts';
import { Qmp } from './qmp.ts';
import { placeAll } from './slots.ts';

const disk = (device: string, bus: GuestDisk['bus'] = 'virtio'): GuestDisk => ({ diskId: `d-${device}`, device, bus, kind: 'disk' });
const nic = (portId: string) => ({ portId, mac: 'fa:16:3e:00:00:01', tap: `tap${portId}`, mtu: 1500, model: 'virtio' }) as const;

test('each device has its place: on PCI by its slot, on other buses by the name of the bus', () => {
  const spec = { disks: [disk('vdb'), disk('vda'), disk('sda', 'scsi'), disk('hda', 'ide')], nics: [nic('p1')] };
  assert.deepEqual(placesOf(spec, {}), {
    disks: {
      'd-vdb': { bus: 'pci', address: '0000:02:00.0' },
      'd-vda': { bus: 'pci', address: '0000:01:00.0' },
      'd-sda': { bus: 'scsi' },
      'd-hda': { bus: 'ide' },
    },
    nics: { p1: { bus: 'pci', address: '0000:03:00.0' } },
  });
  const pc = placesOf({ ...spec, machine: 'pc' }, {});
  assert.deepEqual([pc.disks['d-vda']?.address, pc.nics['p1']?.address], ['0000:00:03.0', '0000:00:05.0']);
  // slots of before stay, as at a restart
  assert.deepEqual(placesOf({ disks: [disk('vda')], nics: [nic('p1')] }, { 'disk:vda': 0, 'nic:p1': 11 }).nics, {
    p1: { bus: 'pci', address: '0000:0c:00.0' },
  });
});

interface PciDevice {
  readonly bus: number;
  readonly slot: number;
  readonly function: number;
  readonly qdev_id: string;
  readonly pci_bridge?: { readonly bus: { readonly number: number }; readonly devices?: readonly PciDevice[] };
}
const below = (devices: readonly PciDevice[]): readonly PciDevice[] => devices.flatMap((one) => [one, ...below(one.pci_bridge?.devices ?? [])]);
const two = (value: number): string => value.toString(16).padStart(2, '0');

for (const machine of ['q35', 'pc'] as const) {
  test(`${machine}: the firmware puts devices where places say`, { skip: noQemu }, async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'cairn-places-'));
    t.after(() => rmSync(dir, { recursive: true }));
    const at = (name: string): string => join(dir, name);
    const spec: GuestSpec = {
      guestId: '11111111-2222-3333-4444-555555555555',
      name: 'places',
      vcpus: 1,
      memoryMb: 64,
      firmware: 'bios',
      machine,
      disks: ['vda', 'vdb', 'vdc'].map((name) => disk(name)),
      nics: [],
    };
    // beyond the first eight ports, which share an address
    const before = { 'disk:vda': 0, 'disk:vdb': 5, 'disk:vdc': 12 };
    const { slots, ports } = placeAll(spec.disks, [], before, machine);
    const argv = commandLine({
      spec,
      paths: {
        qmpSocket: at('qmp'),
        serialSocket: at('serial'),
        vncSocket: at('vnc'),
        agentSocket: at('agent'),
        fastStartSocket: at('fast'),
        tpmSocket: at('tpm'),
        consoleLog: at('log'),
      },
      machine,
      machineType: machine,
      accelerator: 'tcg',
      cpuModel: 'max',
      seccomp: false,
      slots,
      ports,
      places: {},
      nodes: new Map(spec.disks.map((one) => [one.diskId, { driver: 'null-co', 'node-name': one.device, size: 1_048_576, 'read-zeroes': true }])),
      incoming: false,
    });
    const qemu = spawn('qemu-system-x86_64', argv, { stdio: ['ignore', 'ignore', 'pipe'] });
    let words = '';
    qemu.stderr.on('data', (chunk: Buffer) => {
      words += chunk.toString();
    });
    const ended = new Promise((resolve) => qemu.once('close', resolve));
    t.after(async () => {
      qemu.kill('SIGKILL');
      await ended;
    });
    const places = placesOf(spec, before);
    const wanted = Object.fromEntries(spec.disks.map((one) => [`disk-${one.device}`, places.disks[one.diskId]?.address]));
    const qmp = await Qmp.connect(at('qmp'), { clock: systemClock, timeoutMs: 60_000 }).catch((error: unknown) => {
      throw new Error(words, { cause: error });
    });
    t.after(() => qmp.close());
    let seen: object = {};
    for (const endMs = performance.now() + 120_000; performance.now() < endMs; await new Promise((resolve) => setTimeout(resolve, 50))) {
      const buses = await qmp.execute<readonly { readonly devices: readonly PciDevice[] }[]>('query-pci');
      const disks = below(buses.flatMap((bus) => bus.devices)).filter((one) => one.qdev_id.startsWith('disk-'));
      seen = Object.fromEntries(disks.map((one) => [one.qdev_id, `0000:${two(one.bus)}:${two(one.slot)}.${one.function}`]));
      // the firmware takes its time to number the buses
      if (isDeepStrictEqual(seen, wanted)) break;
    }
    assert.deepEqual(seen, wanted);
  });
}
