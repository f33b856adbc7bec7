import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NflogReader } from './nflog.ts';
import { summaryOf, summaryText } from './packet-summary.ts';

/** What tcpdump wrote of one packet: `log prefix "DROP ingress g" group 100`, mark 0x80000005, UDP to port 9999. */
const STREAM = Buffer.from(
  [
    'd4c3b2a102000400000000000000000000000400ef0000004c36046b63800100680000006800000002000064080001000800030013000a0044524f50',
    '20696e6772657373206700000800050000000001080002008000000508000b000000000008000e00000000002600090045000022dbcf4000401160f9',
    '7f0000017f000001b8a0270f000efe2168616c6c6f0a0000',
  ].join(''),
  'hex',
);

test('a stream is read in whatever pieces it comes', () => {
  for (const size of [1, 7, 24, 1000]) {
    const reader = new NflogReader();
    const records = [];
    for (let at = 0; at < STREAM.length; at += size) records.push(...reader.read(STREAM.subarray(at, at + size)));
    assert.equal(records.length, 1);
    const [record] = records;
    assert.ok(record);
    assert.deepEqual([record.mark, record.prefix], [0x8000_0005, 'DROP ingress g']);
    const packet = summaryOf(record.payload);
    assert.deepEqual(packet, { version: 4, protocol: 17, source: '127.0.0.1', destination: '127.0.0.1', sourcePort: 47_264, destinationPort: 9999 });
    assert.equal(summaryText(packet), "ipv4(src='127.0.0.1',dst='127.0.0.1',proto=17)udp(src_port=47264,dst_port=9999)");
  }
});

test('what is no such stream is refused', () => {
  assert.throws(() => new NflogReader().read(Buffer.alloc(24)), /not a pcap stream/);
  const ethernet = Buffer.from(STREAM);
  ethernet.writeUInt32LE(1, 20);
  assert.throws(() => new NflogReader().read(ethernet), /link type 1/);
  const huge = Buffer.from(STREAM);
  huge.writeUInt32LE(0x7fff_ffff, 32);
  assert.throws(() => new NflogReader().read(huge), /a record of/);
});

test('packets that are cut short say what they can', () => {
  assert.equal(summaryOf(Buffer.alloc(0)), undefined);
  assert.equal(summaryOf(Buffer.from('4500', 'hex')), undefined);
  const echo = Buffer.from('60000000000a3a40fe80000000000000000000000000000120010db8000000000000000000000002800000000001', 'hex');
  const packet = summaryOf(echo);
  assert.ok(packet);
  assert.equal(summaryText(packet), "ipv6(src='fe80::1',dst='2001:db8::2',nxt=58)icmpv6(type=128,code=0)");
  assert.equal(summaryOf(echo.subarray(0, 40))?.icmpType, undefined);
});
