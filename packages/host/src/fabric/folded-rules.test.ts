import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type SecurityGroupRuleSpec, tapName } from '../interface/fabric.ts';
import { run } from '../process/run.ts';
import { type Direction, ruleMatches } from './plan/security-group.ts';
import { ethernet, icmp4, icmp6, ip4Packet, ip6Packet, tcp4, udp4, withChecksum6 } from './testing/frames.ts';
import { cannotRun, type Guest, Machine, until } from './testing/machine.ts';
import { macOf, network, port, put, subnet } from './testing/objects.ts';
import { randomOf } from './testing/random.ts';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const PACKETS = 400;

/** Everything that comes to a guest is asked for twice: by each rule alone, as a list, and by all together, as they are in a group's chain. */
describe(`rules that are folded are judged by the kernel as their list is (SEED=${seed})`, { skip: cannotRun }, () => {
  let machine: Machine;
  let guest: Guest;
  const random = randomOf(seed);
  const pick = <T>(from: readonly T[]): T => from[random(from.length)] as T;

  before(async () => {
    machine = await Machine.create();
    const fabric = machine.fabric();
    await fabric.patch([put(network('net', [subnet('sub', '10.0.0.0/24')])), put(port('port-guest', 'net', 1, [['sub', '10.0.0.11']]))]);
    guest = await machine.guest(fabric, { tap: tapName('port-guest'), mac: macOf(1), cidr: '10.0.0.11/24' });
  });
  after(async () => await machine?.destroy());

  const address = (version: 4 | 6): string => (version === 4 ? `10.${random(2)}.${random(4) * 64}.${1 + random(4)}` : `fd00::${random(2)}:${1 + random(6)}`);
  const portNumber = (): number => 20 + random(24);
  const icmpTypes = { 4: [8, 13, 8, 3], 6: [128, 129, 1] } as const;

  function randomRule(direction: Direction): SecurityGroupRuleSpec {
    const ethertype = pick(['IPv4', 'IPv6'] as const);
    const version = ethertype === 'IPv4' ? 4 : 6;
    const protocol = pick(['any', 'tcp', 'tcp', 'udp', 'udp', 'icmp', 'icmp', 'gre']);
    const first = portNumber();
    const ports =
      protocol === 'icmp'
        ? { portMin: pick(icmpTypes[version]), ...(random(2) > 0 && { portMax: random(2) }) }
        : { portMin: first, portMax: first + pick([0, 0, 0, 2, 9]) };
    const lengths = version === 4 ? [9, 16, 18, 24, 30, 31, 32] : [32, 112, 120, 125, 127, 128];
    return {
      id: 'r',
      direction,
      ethertype,
      ...(protocol !== 'any' && { protocol }),
      ...(['tcp', 'udp', 'icmp'].includes(protocol) && random(6) > 0 && ports),
      ...((protocol === 'any' || random(3) > 0) && { remoteCidr: `${address(version)}/${pick(lengths)}` }),
    };
  }

  function randomPacket(): Buffer {
    const version = pick([4, 6] as const);
    const [source, target] = [address(version), address(version)];
    const protocol = pick([6, 6, 17, 17, 1, 47]);
    const [from, to] = [portNumber(), portNumber()];
    const [type, code] = [pick(icmpTypes[version]), random(3)];
    if (version === 4) {
      if (protocol === 6) return tcp4(source, from, target, to, 2);
      if (protocol === 17) return udp4(source, from, target, to);
      return ip4Packet(source, target, protocol, protocol === 1 ? icmp4(type, code) : Buffer.alloc(8));
    }
    if (protocol === 17 || protocol === 6) {
      const message = Buffer.alloc(protocol === 6 ? 20 : 8);
      message.writeUInt16BE(from, 0);
      message.writeUInt16BE(to, 2);
      if (protocol === 6) message.writeUInt16BE(0x5002, 12);
      else message.writeUInt16BE(8, 4);
      return ip6Packet(source, target, protocol, withChecksum6(source, target, protocol, message, protocol === 6 ? 16 : 6));
    }
    if (protocol === 47) return ip6Packet(source, target, 47, Buffer.alloc(8));
    const message = icmp6(source, target, type, Buffer.alloc(4));
    message.writeUInt8(code, 1);
    message.writeUInt16BE(0, 2);
    return ip6Packet(source, target, 58, withChecksum6(source, target, 58, message, 2));
  }

  for (const stateful of [true, false])
    for (const direction of ['ingress', 'egress'] as const)
      test(`${stateful ? 'connections' : 'packets'}, ${direction}`, async () => {
        for (const count of [3, 12, 60]) {
          const rules = Array.from({ length: count }, () => randomRule(direction));
          const list = rules.flatMap((rule) => ruleMatches([rule], direction, stateful));
          const folded = ruleMatches(rules, direction, stateful);
          assert.equal(list.length, rules.length);
          assert.ok(folded.length <= list.length);
          const nft = ['add table inet t', 'delete table inet t', 'add table inet t'];
          for (const name of ['total', 'both', 'list_alone', 'folded_alone']) nft.push(`add counter inet t ${name}`);
          nft.push('add chain inet t asked_list', 'add chain inet t asked_folded');
          nft.push('add chain inet t pre { type filter hook prerouting priority 0; }');
          for (const match of list) nft.push(`add rule inet t asked_list ${match} meta mark set meta mark or 0x1 return`);
          for (const match of folded) nft.push(`add rule inet t asked_folded ${match} meta mark set meta mark or 0x2 return`);
          nft.push('add rule inet t pre iifname != "eth0" accept');
          nft.push('add rule inet t pre counter name "total" meta mark set 0x0 jump asked_list', 'add rule inet t pre jump asked_folded');
          for (const [mark, name] of [
            [3, 'both'],
            [1, 'list_alone'],
            [2, 'folded_alone'],
          ])
            nft.push(`add rule inet t pre meta mark ${mark} counter name "${name}"`);
          // nobody answers, and each packet is the first of its connection
          nft.push('add rule inet t pre drop');
          await run('nft', ['-f', '-'], { netns: guest.netns, input: `${nft.join('\n')}\n` });
          const packets = Array.from({ length: PACKETS }, randomPacket);
          for (let sent = 0; sent < PACKETS; ) {
            for (const packet of packets.slice(sent, sent + 50)) guest.send(ethernet(macOf(1), macOf(2), packet[0] === 0x45 ? 0x0800 : 0x86dd, packet));
            sent += 50;
            await until(async () => (await counted('total')) >= sent, 30_000);
          }
          const [both, listAlone, foldedAlone] = [await counted('both'), await counted('list_alone'), await counted('folded_alone')];
          assert.deepEqual([listAlone, foldedAlone], [0, 0], `${both} packets are allowed by both\n${list.join('\n')}\nFOLDED\n${folded.join('\n')}`);
          if (count === 60) assert.ok(both > PACKETS / 10, `${both} packets were allowed`);
        }
      });

  async function counted(name: string): Promise<number> {
    const { stdout } = await run('nft', ['list', 'counter', 'inet', 't', name], { netns: guest.netns });
    return Number(/packets (\d+)/.exec(stdout)?.[1]);
  }
});
