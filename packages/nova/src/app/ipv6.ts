/** An IPv6 address as nova keeps it: the short form of RFC 5952, an embedded IPv4 address in dots where `::ffff:` precedes it (nova/utils.py, get_shortened_ipv6). The text is known to be valid. */
export function shortIpv6(text: string): string {
  const short = new URL(`http://[${text}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(short);
  if (mapped === null) return short;
  const [high, low] = [mapped[1], mapped[2]].map((word) => Number.parseInt(word as string, 16)) as [number, number];
  return `::ffff:${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}
