import type { CommonFlags } from '../config.ts';
import { type ApiClient, cloudClient } from './cloud-client.ts';
import { settingsOf } from './shared.ts';

export interface PathFlags extends CommonFlags {
  protocol?: string;
  port?: string;
  sourcePort?: string;
  sourceIp?: string;
  json?: boolean;
}

interface Hop {
  readonly leg: 'request' | 'answer';
  readonly kind: string;
  readonly object: { readonly type: string; readonly id: string; readonly name: string | null } | null;
  readonly host: string | null;
  readonly verdict: 'pass' | 'drop' | 'nat' | 'unknown';
  readonly reason: string;
  readonly packet: Packet | null;
}
interface Packet {
  readonly source_ip: string;
  readonly destination_ip: string;
  readonly source_port: number | null;
  readonly destination_port: number | null;
}
/** As `GET /v2.0/ports/{id}/path` says it. */
export interface PathAnswer {
  readonly verdict: 'pass' | 'drop' | 'unknown';
  readonly summary: string;
  readonly remedy: string | null;
  readonly packet: Packet;
  readonly mtu: number | null;
  readonly hops: readonly Hop[];
  readonly dhcp: readonly { readonly ip_address: string; readonly reason: string }[];
}

/** `cairn path FROM TO`: why a packet passes or does not. Exit code 0: it passes; 2: it is stopped; 3: that is not for the cloud to know. */
export async function path(from: string, to: string, flags: PathFlags): Promise<void> {
  const client = await cloudClient(settingsOf(flags).paths);
  const isInwards = from === OUTSIDE;
  const start = isInwards ? await answeredOutside(client, to) : `ports/${await portOf(client, from)}`;
  const query = new URLSearchParams(isInwards ? {} : { destination: await destinationOf(client, to) });
  for (const [name, value] of [
    ['protocol', flags.protocol ?? (flags.port === undefined ? undefined : 'tcp')],
    ['destination_port', flags.port],
    ['source_port', flags.sourcePort],
    ['source_ip', flags.sourceIp],
  ] as const)
    if (value !== undefined) query.set(name, value);
  const answer = (await client.get('network', `/v2.0/${start}/path?${query}`)).path as PathAnswer;
  process.stdout.write(flags.json ? `${JSON.stringify(answer, null, 2)}\n` : `${pathText(answer)}\n`);
  process.exitCode = { pass: 0, drop: 2, unknown: 3 }[answer.verdict];
}

/** Names no port: whoever calls what is answered for outside. */
const OUTSIDE = 'outside';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const ADDRESS = /^(\d{1,3}(\.\d{1,3}){3}|[0-9a-f.]*:[0-9a-f:.]+)$/i;

const destinationOf = async (client: ApiClient, to: string): Promise<string> => (ADDRESS.test(to) ? to : await portOf(client, to));

/** What is called from outside: a floating IP, or the address of an NDP proxy. */
async function answeredOutside(client: ApiClient, to: string): Promise<string> {
  const ask = (address: string): string => `${new URLSearchParams({ [UUID.test(to) ? 'id' : address]: to })}`;
  const { floatingips } = await client.get('network', `/v2.0/floatingips?${ask('floating_ip_address')}`);
  if (floatingips.length > 0) return `floatingips/${floatingips[0].id}`;
  const { ndp_proxies: proxies } = await client.get('network', `/v2.0/ndp-proxies?${ask('ip_address')}`);
  if (proxies.length > 0) return `ndp-proxies/${proxies[0].id}`;
  throw new Error(`there is no floating IP and no NDP proxy ${to}; from outside, nothing else is called`);
}

/** The id of the one port that is meant: by the id or name of a port, or of a server with one port. */
async function portOf(client: ApiClient, what: string): Promise<string> {
  const ports = async (query: Record<string, string>): Promise<{ id: string; fixed_ips: { ip_address: string }[] }[]> =>
    (await client.get('network', `/v2.0/ports?${new URLSearchParams(query)}`)).ports;
  const byId = UUID.test(what);
  const found = await ports({ [byId ? 'id' : 'name']: what });
  if (found.length === 0) {
    const servers = byId
      ? [{ id: what }]
      : ((await client.get('compute', `/servers?${new URLSearchParams({ name: `^${escaped(what)}$` })}`)).servers as { id: string }[]);
    for (const { id } of servers) found.push(...(await ports({ device_id: id })));
  }
  const [one] = found;
  if (!one) throw new Error(`no port and no server is called ${what}`);
  if (found.length === 1) return one.id;
  const list = found.map((port) => `${port.id} (${port.fixed_ips.map((fixed) => fixed.ip_address).join(', ')})`);
  throw new Error(`${what} is ${found.length} ports; name one of them:\n  ${list.join('\n  ')}`);
}

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

const SIGNS = { pass: 'pass', nat: 'turn', drop: 'STOP', unknown: ' ?  ' } as const;
const KINDS: Readonly<Record<string, string>> = {
  anti_spoofing: 'anti-spoofing of port',
  security_group: 'security groups of port',
  guest_route: 'routes of the guest at port',
  nat: 'address translation of router',
  outside: 'network',
  other_side: 'another project',
};

/** The answer for people: a line per station, and where the packet changes, what it is then. */
export function pathText(answer: PathAnswer): string {
  const lines: string[] = [];
  let leg = '';
  for (const hop of answer.hops) {
    if (hop.leg !== leg) {
      leg = hop.leg;
      lines.push(`${leg === 'request' ? 'the packet' : 'the answer'}${hop.packet ? `  ${packetText(hop.packet)}` : ''}`);
    }
    const name = hop.object ? ` ${hop.object.name || hop.object.id}` : '';
    lines.push(`  ${SIGNS[hop.verdict]}  ${KINDS[hop.kind] ?? hop.kind}${name}${hop.host === null ? '' : ` on ${hop.host}`}`, `        ${hop.reason}`);
    if (hop.verdict === 'nat' && hop.packet) lines.push(`        it is now ${packetText(hop.packet)}`);
  }
  const verdict = { pass: 'IT PASSES', drop: 'IT IS STOPPED', unknown: 'THE CLOUD CANNOT KNOW' }[answer.verdict];
  lines.push('', `${verdict}: ${answer.summary}`);
  if (answer.remedy !== null) lines.push(`What to do: ${answer.remedy}`);
  if (answer.mtu !== null) lines.push(`Largest packet on the way: ${answer.mtu} bytes.`);
  lines.push(...answer.dhcp.map(({ reason }) => `DHCP: ${reason}`));
  return lines.join('\n');
}

function packetText({ source_ip, source_port, destination_ip, destination_port }: Packet): string {
  const end = (ip: string, port: number | null): string => (port === null ? ip : ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`);
  return `${end(source_ip, source_port)} -> ${end(destination_ip, destination_port)}`;
}
