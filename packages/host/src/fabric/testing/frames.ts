/** Raw Ethernet frames, for what no honest sender would send. */

const mac = (text: string): Buffer => Buffer.from(text.replaceAll(':', ''), 'hex');
const ip4 = (text: string): Buffer => Buffer.from(text.split('.').map(Number));

function ip6(text: string): Buffer {
  const [head = '', tail = ''] = text.split('::');
  const groups = (half: string): string[] => (half === '' ? [] : half.split(':'));
  const all = [...groups(head), ...Array<string>(8 - groups(head).length - groups(tail).length).fill('0'), ...groups(tail)];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);

function checksum(data: Buffer): number {
  let sum = 0;
  for (let i = 0; i < data.length; i += 2) sum += (data[i] ?? 0) * 256 + (data[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

export const BROADCAST = 'ff:ff:ff:ff:ff:ff';

export function ethernet(to: string, from: string, type: number, payload: Buffer, vlan?: number): Buffer {
  const frame = Buffer.concat([mac(to), mac(from), ...(vlan === undefined ? [] : [u16(0x8100), u16(vlan)]), u16(type), payload]);
  return frame.length >= 60 ? frame : Buffer.concat([frame, Buffer.alloc(60 - frame.length)]);
}

export const arp = (operation: 1 | 2, senderMac: string, senderIp: string, targetMac: string, targetIp: string): Buffer =>
  Buffer.concat([Buffer.from('0001080006040000', 'hex').fill(operation, 7), mac(senderMac), ip4(senderIp), mac(targetMac), ip4(targetIp)]);

export function udp4(source: string, sourcePort: number, target: string, targetPort: number, data = 'x'): Buffer {
  return ip4Packet(source, target, 17, Buffer.concat([u16(sourcePort), u16(targetPort), u16(8 + data.length), u16(0), Buffer.from(data)]));
}

export function ip4Packet(source: string, target: string, protocol: number, payload: Buffer): Buffer {
  const header = Buffer.concat([Buffer.from([0x45, 0]), u16(20 + payload.length), Buffer.from([0, 1, 0, 0, 64, protocol]), u16(0), ip4(source), ip4(target)]);
  header.writeUInt16BE(checksum(header), 10);
  return Buffer.concat([header, payload]);
}

/** An empty ICMP message with its checksum. */
export function icmp4(type: number, code: number): Buffer {
  const message = Buffer.from([type, code, 0, 0, 0, 1, 0, 1]);
  message.writeUInt16BE(checksum(message), 2);
  return message;
}

/** An empty TCP segment; `flags` as in its header (FIN 1, SYN 2, RST 4, ACK 16). */
export function tcp4(source: string, sourcePort: number, target: string, targetPort: number, flags: number): Buffer {
  const segment = Buffer.concat([u16(sourcePort), u16(targetPort), Buffer.alloc(8), Buffer.from([0x50, flags]), u16(1024), Buffer.alloc(4)]);
  segment.writeUInt16BE(checksum(Buffer.concat([ip4(source), ip4(target), Buffer.from([0, 6]), u16(segment.length), segment])), 16);
  return ip4Packet(source, target, 6, segment);
}

/** An IPv6 packet; `extension` is put between its header and the payload (8 bytes, the first saying what follows). */
export function ip6Packet(
  source: string,
  target: string,
  protocol: number,
  payload: Buffer,
  extension?: { readonly type: number; readonly bytes: Buffer },
): Buffer {
  const rest = extension ? Buffer.concat([extension.bytes, payload]) : payload;
  return Buffer.concat([Buffer.from([0x60, 0, 0, 0]), u16(rest.length), Buffer.from([extension?.type ?? protocol, 255]), ip6(source), ip6(target), rest]);
}

export const icmp6 = (source: string, target: string, type: number, body: Buffer): Buffer =>
  withChecksum6(source, target, 58, Buffer.concat([Buffer.from([type, 0, 0, 0]), body]), 2);

/** What goes into an IPv6 packet, with its checksum at `at`. */
export function withChecksum6(source: string, target: string, protocol: number, message: Buffer, at: number): Buffer {
  const pseudo = Buffer.concat([ip6(source), ip6(target), Buffer.from([0, 0, 0, message.length, 0, 0, 0, protocol])]);
  message.writeUInt16BE(checksum(Buffer.concat([pseudo, message])), at);
  return message;
}

export const neighbourAdvert = (target: string, linkLayer: string): Buffer =>
  Buffer.concat([Buffer.from([0x20, 0, 0, 0]), ip6(target), Buffer.from([2, 1]), mac(linkLayer)]);
export const routerAdvert = (): Buffer => Buffer.concat([Buffer.from([64, 0, 0x07, 0x08]), Buffer.alloc(8)]);
