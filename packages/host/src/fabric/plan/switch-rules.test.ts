import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FabricChange } from '../../interface/fabric.ts';
import { Objects } from '../objects.ts';
import { diffRules } from '../ruleset/diff.ts';
import { asKernel, type KernelRules } from '../ruleset/model.ts';
import { group, network, port, put, remove, rule } from '../testing/objects.ts';
import { SwitchMemory } from './memory.ts';
import { switchRules } from './switch-rules.ts';

/** Follows changes as the switch does, and shows the scripts without digests. */
function follow(): (...changes: FabricChange[]) => string[] {
  const objects = new Objects();
  const memory = new SwitchMemory();
  let kernel: KernelRules = new Map();
  return (...changes) => {
    objects.change(changes);
    const wanted = switchRules(objects, memory);
    const script = diffRules(kernel, wanted);
    kernel = asKernel(wanted);
    return script
      .trimEnd()
      .split('\n')
      .filter(Boolean)
      .map((line) => line.replace(/ comment "[0-9a-f]{20}\.\d+"$/, ''));
  };
}

const web = group('web', [rule('egress'), rule('ingress', { protocol: 'tcp', portMin: 80, portMax: 80, remoteGroupId: 'web' })]);
const world = [
  put(network('net-one', [])),
  put(web),
  put(port('port-one', 'net-one', 1, [['s', '10.0.0.5']], { securityGroups: ['web'] })),
  put(port('port-two', 'net-one', 2, [['s', '10.0.0.6']], { adminUp: false })),
  put(port('port-six', 'net-one', 6, [], { portSecurity: false })),
];
const far = (ip: string) => port('port-far', 'net-one', 3, [['s', ip]], { securityGroups: ['web'], attachment: { kind: 'none' } });

test('the rules of a small world', () => {
  const script = follow()(...world).filter((line) => !/(from|to)_tapport_one (ip|ether|icmp|meta mark)/.test(line));
  assert.deepEqual(script, [
    'add table bridge cairn',
    'add map bridge cairn from { type ifname : verdict; }',
    'add map bridge cairn to { type ifname : verdict; }',
    'add chain bridge cairn from_tapport_one',
    'add chain bridge cairn to_tapport_one',
    'add chain bridge cairn prerouting { type filter hook prerouting priority -300; policy accept; }',
    'add chain bridge cairn forward { type filter hook forward priority -200; policy accept; }',
    'add rule bridge cairn prerouting iifname vmap @from',
    'add rule bridge cairn prerouting iifname "tap*" drop',
    'add rule bridge cairn forward meta mark set 0x0',
    'add rule bridge cairn forward oifname vmap @to',
    'add rule bridge cairn forward oifname "tap*" drop',
    'add element bridge cairn from { "tapport-one" : goto from_tapport_one, "tapport-two" : drop, "tapport-six" : accept }',
    'add element bridge cairn to { "tapport-one" : goto to_tapport_one, "tapport-two" : drop, "tapport-six" : accept }',
    'add table inet cairn',
    'add map inet cairn zones { typeof iifname : ct zone; }',
    'add map inet cairn from { type mark : verdict; }',
    'add map inet cairn to { type mark : verdict; }',
    'add set inet cairn g4_web { type ipv4_addr; flags interval; }',
    'add chain inet cairn raw { type filter hook prerouting priority -300; policy accept; }',
    'add chain inet cairn prerouting { type filter hook prerouting priority -100; policy accept; }',
    'add chain inet cairn forward { type filter hook forward priority -1; policy accept; }',
    'add chain inet cairn guest_out',
    'add chain inet cairn guest_in',
    'add chain inet cairn p_21010c53da48_from',
    'add chain inet cairn p_21010c53da48_to',
    'add chain inet cairn sg_web_in',
    'add chain inet cairn p_21010c53da48_in',
    'add chain inet cairn sg_web_out',
    'add chain inet cairn p_21010c53da48_out',
    'add rule inet cairn raw ct zone set iifname map @zones',
    'add rule inet cairn prerouting meta mark vmap @from',
    'add rule inet cairn forward meta mark vmap @to',
    'add rule inet cairn guest_out meta nfproto ipv4 udp sport 67 udp dport 68 drop',
    'add rule inet cairn guest_out meta nfproto ipv6 udp sport 547 udp dport 546 drop',
    'add rule inet cairn guest_out icmpv6 type { 134, 137 } drop',
    'add rule inet cairn guest_out meta nfproto ipv4 udp sport 68 udp dport 67 accept',
    'add rule inet cairn guest_out meta nfproto ipv6 udp sport 546 udp dport 547 accept',
    'add rule inet cairn guest_out icmpv6 type { 130, 131, 132, 133, 135, 136, 143 } accept',
    'add rule inet cairn guest_in meta nfproto ipv4 udp sport 67 udp dport 68 accept',
    'add rule inet cairn guest_in meta nfproto ipv6 udp sport 547 udp dport 546 accept',
    'add rule inet cairn guest_in icmpv6 type { 130, 131, 132, 134, 135, 136, 143 } accept',
    'add rule inet cairn p_21010c53da48_from meta l4proto { udp, icmpv6 } jump guest_out',
    'add rule inet cairn p_21010c53da48_from ct state related accept',
    'add rule inet cairn p_21010c53da48_from ct direction reply goto p_21010c53da48_in',
    'add rule inet cairn p_21010c53da48_from goto p_21010c53da48_out',
    'add rule inet cairn p_21010c53da48_to meta l4proto { udp, icmpv6 } jump guest_in',
    'add rule inet cairn p_21010c53da48_to ct state related accept',
    'add rule inet cairn p_21010c53da48_to ct direction reply goto p_21010c53da48_out',
    'add rule inet cairn p_21010c53da48_to goto p_21010c53da48_in',
    'add rule inet cairn sg_web_in meta nfproto ipv4 meta l4proto 6 ct original proto-dst 80 ct original ip saddr @g4_web meta mark set meta mark or 0x80000000 return',
    'add rule inet cairn p_21010c53da48_in ct state established ct mark and 0x0000ffff == 0x0000b70c accept',
    'add rule inet cairn p_21010c53da48_in jump sg_web_in',
    'add rule inet cairn p_21010c53da48_in meta mark and 0x80000000 == 0x0 drop',
    'add rule inet cairn p_21010c53da48_in ct mark set ct mark and 0xffff0000 or 0x0000b70c accept comment "generation 46860 of 448beec32fcb4719"',
    'add rule inet cairn sg_web_out meta nfproto ipv4 meta mark set meta mark or 0x80000000 return',
    'add rule inet cairn p_21010c53da48_out ct state established ct mark and 0xffff0000 == 0xb2cb0000 accept',
    'add rule inet cairn p_21010c53da48_out jump sg_web_out',
    'add rule inet cairn p_21010c53da48_out meta mark and 0x80000000 == 0x0 drop',
    'add rule inet cairn p_21010c53da48_out ct mark set ct mark and 0x0000ffff or 0xb2cb0000 accept comment "generation 45771 of 8acdfdd3dc436669"',
    'add element inet cairn zones { "brqnet-one" : 52924 }',
    'add element inet cairn from { 3282825 : goto p_21010c53da48_from }',
    'add element inet cairn to { 3282825 : goto p_21010c53da48_to }',
    'add element inet cairn g4_web { 10.0.0.5 }',
  ]);
});

test('a member that comes is one element', () => {
  const next = follow();
  next(...world);
  assert.deepEqual(next(put(far('10.0.0.7'))), ['add element inet cairn g4_web { 10.0.0.7 }']);
  assert.deepEqual(next(put(far('10.0.0.7'))), []);
});

test('a member that goes is one element, and has connections judged anew', () => {
  const next = follow();
  next(...world, put(far('10.0.0.7')));
  const script = next(remove('port', 'port-far'));
  assert.equal(script.at(-1), 'delete element inet cairn g4_web { 10.0.0.7 }');
  assert.deepEqual(
    script.filter((line) => line.startsWith('flush')),
    ['flush chain inet cairn p_21010c53da48_in'],
    'only where the set is asked for',
  );
  assert.match(script.join('\n'), /generation 46861 of 448beec32fcb4719/);
});

test('a rule that goes has connections judged anew in its direction only', () => {
  const next = follow();
  next(...world);
  const script = next(put(group('web', [rule('egress')])));
  assert.deepEqual(
    script.filter((line) => line.startsWith('flush chain')),
    ['flush chain inet cairn sg_web_in', 'flush chain inet cairn p_21010c53da48_in'],
  );
  assert.match(script.join('\n'), /p_21010c53da48_in .* or 0x0000b70d accept/);
  assert.deepEqual(script.slice(-2), ['flush set inet cairn g4_web', 'delete set inet cairn g4_web']);
});

test('a port that goes takes its chains along, and a policy nobody has any more goes too', () => {
  const next = follow();
  next(...world);
  const script = next(remove('port', 'port-one'));
  for (const line of [
    'delete element bridge cairn from { "tapport-one" }',
    'delete chain bridge cairn from_tapport_one',
    'delete chain inet cairn p_21010c53da48_in',
    'delete chain inet cairn sg_web_in',
    'delete set inet cairn g4_web',
  ]) {
    assert.ok(script.includes(line), line);
  }
});

test('a stateless group asks nothing of connection tracking', () => {
  const script = follow()(...world, put(group('web', [rule('ingress', { protocol: 'tcp' })], { stateful: false })));
  const policy = script.filter((line) => /add rule inet cairn (p|sl|sg)_/.test(line)).join('\n');
  assert.doesNotMatch(policy, /\bct /);
  assert.match(policy, /sl_web_in meta nfproto ipv4 meta l4proto 6 accept/);
});

test('a group that is not known lets nothing pass', () => {
  const script = follow()(put(network('net-one', [])), put(port('port-one', 'net-one', 1, [], { securityGroups: ['never-put'] })));
  assert.ok(!script.some((line) => line.includes('sg_never')));
  assert.equal(script.filter((line) => line.includes('== 0x0 drop')).length, 2);
});
