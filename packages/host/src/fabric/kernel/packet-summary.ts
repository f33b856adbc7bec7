import type { LoggedPacket } from '../../interface/fabric.ts';
import { formatIp } from '../plan/address.ts';

const TCP = 6;
const UDP = 17;
const ICMP = 1;
const ICMPV6 = 58;
const WITH_PORTS: readonly number[] = [TCP, UDP, 33, 132, 136];
const IPV6_HEADER_BYTES = 40;

/** What the headers of an IP packet say; undefined where they are cut short. IPv6 extension headers are taken for the protocol that they are. */
export function summaryOf(packet: Buffer): LoggedPacket | undefined {
  if (packet.length < 1) return undefined;
  const version = packet.readUInt8(0) >> 4;
  if (version === 4 && packet.length >= 20) {
    const isLaterFragment = (packet.readUInt16BE(6) & 0x1fff) !== 0;
    return {
      version: 4,
      protocol: packet.readUInt8(9),
      source: addressOf(packet.subarray(12, 16)),
      destination: addressOf(packet.subarray(16, 20)),
      ...(!isLaterFragment && transportOf(packet.readUInt8(9), packet.subarray((packet.readUInt8(0) & 15) * 4))),
    };
  }
  if (version !== 6 || packet.length < IPV6_HEADER_BYTES) return undefined;
  const protocol = packet.readUInt8(6);
  return {
    version: 6,
    protocol,
    source: addressOf(packet.subarray(8, 24)),
    destination: addressOf(packet.subarray(24, 40)),
    ...transportOf(protocol, packet.subarray(IPV6_HEADER_BYTES)),
  };
}

const addressOf = (bytes: Buffer): string => formatIp({ version: bytes.length === 4 ? 4 : 6, value: BigInt(`0x${bytes.toString('hex')}`) });

function transportOf(protocol: number, segment: Buffer): Partial<LoggedPacket> {
  if (segment.length < 4) return {};
  if (WITH_PORTS.includes(protocol)) return { sourcePort: segment.readUInt16BE(0), destinationPort: segment.readUInt16BE(2) };
  if (protocol === ICMP || protocol === ICMPV6) return { icmpType: segment.readUInt8(0), icmpCode: segment.readUInt8(1) };
  return {};
}

const NAMES: Readonly<Record<number, string>> = { [TCP]: 'tcp', [UDP]: 'udp', 33: 'dccp', 132: 'sctp', 136: 'udplite' };

/** `ipv4(src='10.0.0.5',dst='10.0.0.9',proto=6)tcp(src_port=40000,dst_port=22)`: after the form that upstream's logs have. */
export function summaryText(packet: LoggedPacket): string {
  const { version, source, destination, protocol, sourcePort, destinationPort, icmpType, icmpCode } = packet;
  const ip = version === 4 ? `ipv4(src='${source}',dst='${destination}',proto=${protocol})` : `ipv6(src='${source}',dst='${destination}',nxt=${protocol})`;
  if (sourcePort !== undefined) return `${ip}${NAMES[protocol] ?? 'ports'}(src_port=${sourcePort},dst_port=${destinationPort})`;
  if (icmpType !== undefined) return `${ip}${version === 4 ? 'icmp' : 'icmpv6'}(type=${icmpType},code=${icmpCode})`;
  return ip;
}
