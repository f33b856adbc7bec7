import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GuestSpec } from '../interface/guests.ts';
import { diskNode, nodeName } from './blockdev.ts';
import { commandLine, type MachinePlan } from './command-line.ts';
import { escapeOption } from '../process/command.ts';
import type { DiskLayer } from './open-disks.ts';

const guestId = '11111111-2222-3333-4444-555555555555';
const layer: DiskLayer = { format: 'qcow2', path: '/d/root.qcow2' };
const node = { ...diskNode('root', [layer], { readOnly: false, shared: false }), 'node-name': nodeName('root', layer) };
const spec: GuestSpec = {
  guestId,
  name: 'web-1',
  vcpus: 2,
  memoryMb: 512,
  firmware: 'bios',
  disks: [{ diskId: 'root', device: 'vda', bus: 'virtio', kind: 'disk', bootIndex: 0 }],
  nics: [{ portId: 'p1', mac: 'fa:16:3e:00:00:01', tap: 'tap1', mtu: 1442, model: 'virtio' }],
};
const plan = (more: Partial<MachinePlan> = {}): MachinePlan => ({
  spec,
  paths: {
    qmpSocket: '/r/q/qmp',
    serialSocket: '/r/q/serial',
    vncSocket: '/r/q/vnc',
    agentSocket: '/r/q/agent',
    fastStartSocket: '/r/q/fast',
    tpmSocket: '/r/q/tpm',
    consoleLog: '/d/console.log',
  },
  machine: 'q35',
  machineType: 'pc-q35-7.2',
  accelerator: 'tcg',
  cpuModel: 'max',
  seccomp: true,
  slots: { 'disk:vda': 0, 'nic:p1': 1 },
  ports: 2,
  places: {},
  nodes: new Map([['root', node]]),
  incoming: false,
  ...more,
});
const after = (args: readonly string[], flag: string): readonly string[] => args.flatMap((arg, i) => (args[i - 1] === flag ? [arg] : []));

test('the whole command line of a usual guest', () => {
  assert.deepEqual(commandLine(plan()), [
    '-name',
    'guest=web-1,debug-threads=on',
    '-no-user-config',
    '-nodefaults',
    '-display',
    'none',
    '-sandbox',
    'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny',
    '-machine',
    'pc-q35-7.2,usb=off,dump-guest-core=off',
    '-accel',
    'tcg,tb-size=32',
    '-cpu',
    'max',
    '-smp',
    'cpus=2,sockets=2,cores=1,threads=1',
    '-m',
    'size=512M',
    '-uuid',
    guestId,
    '-smbios',
    `type=1,manufacturer=OpenStack Foundation,product=OpenStack Nova,serial=${guestId},uuid=${guestId},family=Virtual Machine`,
    '-rtc',
    'base=utc,driftfix=slew',
    '-global',
    'ICH9-LPC.disable_s3=1',
    '-global',
    'ICH9-LPC.disable_s4=1',
    '-boot',
    'strict=on,menu=off',
    '-action',
    'reboot=reset,shutdown=pause,panic=pause',
    '-chardev',
    'socket,id=qmp,path=/r/q/qmp,server=on,wait=off',
    '-mon',
    'chardev=qmp,mode=control',
    '-chardev',
    'socket,id=serial,path=/r/q/serial,server=on,wait=off,logfile=/d/console.log,logappend=on',
    '-serial',
    'chardev:serial',
    '-device',
    '{"driver":"pcie-root-port","id":"port0","bus":"pcie.0","addr":"0x2.0x0","multifunction":true,"chassis":1,"slot":1}',
    '-device',
    '{"driver":"pcie-root-port","id":"port1","bus":"pcie.0","addr":"0x2.0x1","chassis":2,"slot":2}',
    '-blockdev',
    JSON.stringify(node),
    '-device',
    `{"driver":"virtio-blk-pci","id":"disk-vda","drive":"${node['node-name']}","bootindex":1,"bus":"port0","write-cache":"on"}`,
    '-netdev',
    'tap,id=net-tap1,ifname=tap1,script=no,downscript=no,vhost=off',
    '-device',
    '{"driver":"virtio-net-pci","id":"nic-tap1","netdev":"net-tap1","mac":"fa:16:3e:00:00:01","romfile":"","host_mtu":1442,"bus":"port1"}',
    '-device',
    '{"driver":"VGA","id":"video","bus":"pcie.0","addr":"0x1"}',
    '-vnc',
    'unix:/r/q/vnc',
    '-object',
    '{"qom-type":"rng-random","id":"rng0","filename":"/dev/urandom"}',
    '-device',
    '{"driver":"virtio-rng-pci","id":"rng","rng":"rng0","bus":"pcie.0","addr":"0x1a"}',
    '-device',
    '{"driver":"virtio-serial-pci","id":"channels","bus":"pcie.0","addr":"0x1d"}',
    '-chardev',
    'socket,id=agent,path=/r/q/agent,server=on,wait=off',
    '-device',
    '{"driver":"virtserialport","id":"agent-port","bus":"channels.0","chardev":"agent","name":"org.qemu.guest_agent.0"}',
    '-device',
    '{"driver":"virtio-balloon-pci","id":"balloon","bus":"pcie.0","addr":"0x19","free-page-reporting":true,"deflate-on-oom":true}',
    '-device',
    '{"driver":"pvpanic","id":"panic"}',
  ]);
});

test('a name cannot add options: commas are doubled, control characters go', () => {
  const args = commandLine(plan({ spec: { ...spec, name: 'a,process=evil\n-S,,"b' } }));
  assert.deepEqual(after(args, '-name'), ['guest=a,,process=evil -S,,,,"b,debug-threads=on']);
  assert.equal(escapeOption('a,b,,c'), 'a,,b,,,,c');
});

test('paths with commas stay paths', () => {
  const args = commandLine(plan({ paths: { ...plan().paths, qmpSocket: '/a,b/qmp', vncSocket: '/a,b/vnc', consoleLog: '/c,d' } }));
  assert.ok(args.includes('socket,id=qmp,path=/a,,b/qmp,server=on,wait=off'));
  assert.ok(args.includes('unix:/a,,b/vnc'));
  assert.ok(args.some((a) => a.includes('logfile=/c,,d,logappend=on')));
});

test('a kernel command line is one argument, whatever is in it', () => {
  const line = 'root=/dev/vda,x -S "quoted" $(id)';
  const args = commandLine(plan({ kernel: { kernelPath: '/k', ramdiskPath: '/i', commandLine: line } }));
  assert.deepEqual(args.slice(-6), ['-kernel', '/k', '-initrd', '/i', '-append', line]);
});

test('kvm, no filter, no extras', () => {
  const args = commandLine(plan({ accelerator: 'kvm', cpuModel: 'host', seccomp: false, spec: { ...spec, vnc: false, rng: false } }));
  assert.deepEqual(after(args, '-accel'), ['kvm']);
  assert.ok(!args.includes('-sandbox') && !args.includes('-vnc') && !args.includes('-object'));
  assert.ok(args.includes('kvm-pit.lost_tick_policy=delay'));
});

test("uefi: the code is read only, the variables are the guest's own", () => {
  const args = commandLine(plan({ firmware: { codePath: '/fw/code', variablesPath: '/d/vars' } }));
  assert.deepEqual(after(args, '-machine'), ['pc-q35-7.2,usb=off,dump-guest-core=off,pflash0=flash0,pflash1=flash1']);
  assert.deepEqual(
    after(args, '-blockdev')
      .slice(0, 2)
      .map((json) => JSON.parse(json)),
    [
      { driver: 'raw', 'node-name': 'flash0', 'read-only': true, file: { driver: 'file', filename: '/fw/code', 'node-name': 'flash0-file' } },
      { driver: 'raw', 'node-name': 'flash1', 'read-only': false, file: { driver: 'file', filename: '/d/vars', 'node-name': 'flash1-file' } },
    ],
  );
});

test("on pc there are no ports, and sleep states are off by pc's name for them", () => {
  const args = commandLine(plan({ machine: 'pc', machineType: 'pc-i440fx-7.2' }));
  assert.ok(!args.some((a) => a.includes('pcie')));
  assert.ok(args.includes('PIIX4_PM.disable_s3=1'));
  assert.ok(args.some((a) => a.includes('"id":"disk-vda"') && a.includes('"bus":"pci.0","addr":"0x3"')));
});

test('a machine that takes over a saved memory does not run by itself', () => {
  assert.deepEqual(commandLine(plan({ incoming: true })).slice(-3), ['-incoming', 'defer', '-S']);
});
