import { BlockList, isIP, isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';

/**
 * IPv4 networks that are nobody's public servers (IANA's special-purpose registry, RFC 6890 and successors): this network, private use,
 * carrier NAT, loopback, link-local (cloud metadata lives there), protocol assignments, documentation, 6to4 relays, benchmarks, multicast,
 * reserved and broadcast.
 */
const SPECIAL_V4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];

/**
 * IPv6 networks within global unicast (2000::/3) that are not public or carry an IPv4 address inside: protocol assignments with Teredo and
 * ORCHID, documentation, 6to4. All that is outside of 2000::/3 is refused as a whole: loopback, v4-mapped and v4-compatible, NAT64,
 * unique local, link-local, site-local, multicast.
 */
const SPECIAL_V6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

const special = new BlockList();
for (const [network, bits] of SPECIAL_V4) special.addSubnet(network, bits, 'ipv4');
for (const [network, bits] of SPECIAL_V6) special.addSubnet(network, bits, 'ipv6');
const globalV6 = new BlockList();
globalV6.addSubnet('2000::', 3, 'ipv6');

/** True for an address (without brackets and zone) of a server that anybody on the Internet may reach. False for what is no address. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !special.check(address, 'ipv4');
  return isIP(address) === 6 && !address.includes('%') && globalV6.check(address, 'ipv6') && !special.check(address, 'ipv6');
}

/** True for an address that one of this machine's own interfaces has: whatever listens here is not for others to reach through us. */
export function isOwnAddress(address: string): boolean {
  const own = new BlockList();
  for (const line of Object.values(networkInterfaces()).flat())
    if (line) own.addAddress(line.address.replace(/%.*$/, ''), line.family === 'IPv6' ? 'ipv6' : 'ipv4');
  return own.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
}

/** Networks in CIDR form as a list to check addresses with. Throws on what is no network. */
export function networksOf(cidrs: readonly string[]): { has(address: string): boolean } {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address = '', bits] = cidr.split('/');
    const version = isIP(address);
    const most = version === 4 ? 32 : 128;
    if (version === 0 || (bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= most)))
      throw new Error(`${cidr} is no network: 10.1.0.0/16 or fd00::/8 is expected`);
    list.addSubnet(address, bits === undefined ? most : Number(bits), version === 4 ? 'ipv4' : 'ipv6');
  }
  return { has: (address) => isIP(address) !== 0 && !address.includes('%') && list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6') };
}
