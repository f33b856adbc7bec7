import type { Ids } from '@cairn/kit/ids/ids';
import type { Cidr } from './cidr.ts';
import { formatIp } from './ip.ts';

/** Upstream's default base_mac. */
const BASE_MAC = 'fa:16:3e';

/** A MAC of the cloud's own range with three random bytes. */
export function randomMac(ids: Ids): string {
  const [a, b, c] = ids.bytes(3);
  return `${BASE_MAC}:${[a, b, c].map((byte) => (byte as number).toString(16).padStart(2, '0')).join(':')}`;
}

/** `FA-16-3E-00-00-01`, `fa163e000001`, `fa16.3e00.0001` and the like as `fa:16:3e:00:00:01`; undefined for what is no MAC. */
export function canonicalMac(text: string): string | undefined {
  const parts = /^[0-9a-f]{1,2}([:-][0-9a-f]{1,2}){5}$/i.test(text)
    ? text.split(/[:-]/).map((part) => part.padStart(2, '0'))
    : /^[0-9a-f]{1,4}(\.[0-9a-f]{1,4}){2}$|^[0-9a-f]{1,4}(:[0-9a-f]{1,4}){2}$/i.test(text)
      ? text.split(/[.:]/).flatMap((part) => part.padStart(4, '0').match(/../g) ?? [])
      : /^[0-9a-f]{12}$/i.test(text)
        ? (text.match(/../g) ?? [])
        : undefined;
  return parts?.join(':').toLowerCase();
}

/** The address that stateless configuration gives a MAC in a /64. */
export function eui64Address(prefix: Cidr, mac: string): string {
  const bytes = mac.split(':').map((byte) => Number.parseInt(byte, 16));
  const [a, b, c, d, e, f] = bytes as [number, number, number, number, number, number];
  const id = [a ^ 2, b, c, 0xff, 0xfe, d, e, f].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return formatIp(6, prefix.first | BigInt(`0x${id}`));
}

/** True for an IPv6 address whose interface id was made from a MAC (ff:fe in its middle). */
export const isEui64 = (value: bigint): boolean => ((value >> 24n) & 0xffffn) === 0xfffen;
