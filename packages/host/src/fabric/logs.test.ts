import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type FabricObject, type PortLogSpec, type SecurityLogRecord, tapName } from '../interface/fabric.ts';
import { run } from '../process/run.ts';
import type { KernelFabric } from './fabric.ts';
import { LOG_FILE } from './kernel/packet-log.ts';
import { cannotRun, type Guest, Machine, until } from './testing/machine.ts';
import { egressAll, group, macOf, network, port, put, rule, subnet } from './testing/objects.ts';

/** Why logs cannot be tried here; false when they can. */
async function cannotLog(): Promise<string | false> {
  if (cannotRun) return cannotRun;
  return await run('tcpdump', ['--version']).then(
    () => false,
    () => 'there is no tcpdump, which reads what is logged',
  );
}

const net = network('net', [subnet('sub', '10.9.0.0/24')]);
const web = (stateful = true): FabricObject => group('web', [...egressAll, rule('ingress', { protocol: 'tcp', portMin: 80, portMax: 80 })], { stateful });
const echo = (stateful = true): FabricObject => group('echo', [rule('ingress', { protocol: 'icmp' })], { stateful });
const log = (id: string, event: PortLogSpec['event'], more: Partial<PortLogSpec> = {}): PortLogSpec => ({ id, event, projectId: 'p1', ...more });
const server = (logs: readonly PortLogSpec[]) =>
  port('1-server', 'net', 1, [['sub', '10.9.0.11']], { securityGroups: ['web', 'echo'], ...(logs.length > 0 && { logs }) });
const client = port('2-client', 'net', 2, [['sub', '10.9.0.12']], { securityGroups: ['web'] });

describe('logs of security groups, with packets', { skip: await cannotLog() }, () => {
  let machine: Machine;
  let fabric: KernelFabric;
  let one: Guest;
  let two: Guest;

  before(async () => {
    machine = await Machine.create();
    fabric = machine.fabric();
    await fabric.patch([put(net), put(web()), put(echo()), put(server([])), put(client)]);
    one = await machine.guest(fabric, { tap: tapName('1-server'), mac: macOf(1), cidr: '10.9.0.11/24' });
    two = await machine.guest(fabric, { tap: tapName('2-client'), mac: macOf(2), cidr: '10.9.0.12/24' });
    one.spawn('busybox', 'nc', '-ll', '-p', '80', '-e', 'cat');
    await until(async () => (await one.run('ss', '-ltn')).stdout.includes(':80'));
  });
  after(async () => await machine?.destroy());

  /** Without what the guests' own kernels say to find routers (ICMPv6), at times of their own. */
  const records = (): readonly SecurityLogRecord[] =>
    machine.events.flatMap((event) => (event.kind === 'securityLog' ? event.records : [])).filter(({ packet }) => packet.protocol !== 58);
  const calls = (at: number): Promise<unknown> => two.run('timeout', '1', 'busybox', 'nc', '-w', '1', '10.9.0.11', String(at));
  /** What is told until a packet is told of that is sent last: in the same order as they came. */
  async function toldUntil(isLast: (record: SecurityLogRecord) => boolean): Promise<readonly string[]> {
    await until(async () => records().some(isLast), 10_000);
    return records().map(
      ({ action, direction, portId, logIds, packet }) =>
        `${action} ${direction} ${portId} ${logIds.join('+')} ${packet.protocol}/${packet.destinationPort ?? packet.icmpType}`,
    );
  }
  const begin = async (logs: readonly PortLogSpec[]): Promise<void> => {
    machine.events.length = 0;
    await fabric.patch([put(server(logs))]);
  };

  test('the first packet of a connection that is let through, and each one that is dropped, for the ports that are asked about', async () => {
    await begin([log('all', 'ALL'), log('drops', 'DROP')]);
    await calls(80);
    assert.ok(await two.pings('10.9.0.11'));
    await calls(81);
    const told = await toldUntil((record) => record.packet.destinationPort === 81);
    assert.deepEqual(
      [...new Set(told)],
      ['ACCEPT ingress 1-server all 6/80', 'ACCEPT ingress 1-server all 1/8', 'DROP ingress 1-server all+drops 6/81'],
      'nothing of the client, of answers or of later packets',
    );
    assert.equal(told.filter((line) => line.includes('6/80')).length, 1);
    const [first] = records();
    assert.deepEqual(first?.packet.source, '10.9.0.12');
    assert.equal(first.projectId, 'p1');
    const file = join(machine.runDir, LOG_FILE);
    await until(async () => (await readFile(file, 'utf8').catch(() => '')).includes('action=DROP'));
    const text = await readFile(file, 'utf8');
    assert.match(
      text,
      /^\S+Z action=ACCEPT direction=ingress project_id=p1 log_resource_ids=\['all'\] vm_port=1-server pkt=ipv4\(src='10\.9\.0\.12',dst='10\.9\.0\.11',proto=6\)tcp\(src_port=\d+,dst_port=80\)$/m,
    );
    assert.match(text, /action=DROP .*log_resource_ids=\['all', 'drops'\]/);
  });

  test('of one group alone what that group lets through', async () => {
    await begin([log('of-echo', 'ACCEPT', { groupId: 'echo' })]);
    await calls(80);
    await calls(81);
    assert.ok(await two.pings('10.9.0.11'));
    const told = await toldUntil((record) => record.packet.icmpType === 8);
    assert.deepEqual([...new Set(told)], ['ACCEPT ingress 1-server of-echo 1/8']);
  });

  test('of stateless groups each packet', async () => {
    await fabric.patch([put(web(false)), put(echo(false))]);
    await begin([log('all', 'ALL')]);
    await calls(81);
    await two.run('ping', '-n', '-c', '1', '-W', '1', '10.9.0.11');
    const told = await toldUntil((record) => record.packet.icmpType === 8);
    assert.ok(told.includes('DROP ingress 1-server all 6/81'), told.join());
    assert.ok(told.includes('ACCEPT ingress 1-server all 1/8'), told.join());
    await fabric.patch([put(web()), put(echo())]);
  });

  test('no more than the limit is told, and what is told of is not slowed', async () => {
    await begin([log('all', 'ALL')]);
    // 300 packets that the groups drop, at once
    const startMs = performance.now();
    await two.run('bash', '-c', 'for i in $(seq 1 300); do echo > /dev/udp/10.9.0.11/9; done');
    const seconds = (performance.now() - startMs) / 1000;
    const count = (): number => records().filter((record) => record.packet.destinationPort === 9).length;
    await until(async () => count() >= 25, 10_000);
    // a packet that is told of later than all of those
    await calls(81);
    await toldUntil((record) => record.packet.destinationPort === 81);
    assert.ok(count() <= 50 + 100 * seconds, `${count()} in ${seconds} s`);
    const { stdout } = await run('nft', ['list', 'limits', 'inet'], { netns: fabric.switchNamespace, okCodes: [1] });
    assert.match(stdout, /rate 100\/second burst 25 packets/);
  });

  test('logs that go leave nothing, and a repeated apply finds all as it is to be', async () => {
    const objects = [net, web(), echo(), server([log('all', 'ALL'), log('of-echo', 'ACCEPT', { groupId: 'echo' })]), client];
    await fabric.apply(objects);
    const { changes } = fabric;
    await fabric.apply(objects);
    assert.equal(fabric.changes, changes);
    await fabric.stop();
    fabric = machine.fabric();
    await fabric.apply(objects);
    assert.equal(fabric.changes, 0);
    machine.events.length = 0;
    await calls(81);
    await toldUntil((record) => record.action === 'DROP');
    await fabric.patch([put(server([]))]);
    const { stdout } = await run('nft', ['list', 'ruleset'], { netns: fabric.switchNamespace });
    assert.doesNotMatch(stdout, /log prefix|network_log|log_drop/);
  });
});
