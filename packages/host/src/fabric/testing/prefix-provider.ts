import { createHash } from 'node:crypto';
import { ADVERTISE, REBIND, RELEASE, RENEW, REPLY, REQUEST, SOLICIT } from '../delegation/message.ts';
import { type Cidr, parseIp } from '../plan/address.ts';

/** What a provider in tests gives out. */
export interface ProviderRules {
  /** Networks are counted from here on, by a digest of the client's identifier. */
  readonly base: string;
  readonly prefixLength?: number;
  readonly renewSeconds: number;
  readonly rebindSeconds: number;
  readonly validSeconds: number;
  /** Hears and says nothing. */
  readonly isSilent?: boolean;
  /** Knows nothing of what it has given before. */
  readonly forgets?: boolean;
}

const NAMES: Readonly<Record<number, string>> = { [SOLICIT]: 'solicit', [REQUEST]: 'request', [RENEW]: 'renew', [REBIND]: 'rebind', [RELEASE]: 'release' };
const SERVER_ID = Buffer.from('00030001020304050607', 'hex');

function option(code: number, ...parts: readonly Buffer[]): Buffer {
  const data = Buffer.concat(parts);
  const head = Buffer.alloc(4);
  head.writeUInt16BE(code, 0);
  head.writeUInt16BE(data.length, 2);
  return Buffer.concat([head, data]);
}

const words = (...values: readonly number[]): Buffer => {
  const data = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => data.writeUInt32BE(value, i * 4));
  return data;
};

/** The prefix that a client has by the rules. */
export function prefixOf(clientId: Buffer, { base, prefixLength = 64 }: ProviderRules): Cidr {
  const nth = BigInt(createHash('sha256').update(clientId).digest().readUInt16BE(0) % 4096);
  return { version: 6, value: (parseIp(base)?.value ?? 0n) + (nth << BigInt(128 - prefixLength)), prefixLength };
}

/** A DHCPv6 server's whole mind, written apart from the client's; undefined for what it does not answer. */
export function answerTo(
  data: Buffer,
  rules: ProviderRules,
): { readonly asked: string; readonly client: string; readonly prefix?: Cidr; readonly reply?: Buffer } | undefined {
  const type = data.readUInt8(0);
  const asked = NAMES[type];
  const options = new Map<number, Buffer>();
  for (let at = 4; at + 4 <= data.length; at += 4 + data.readUInt16BE(at + 2))
    options.set(data.readUInt16BE(at), data.subarray(at + 4, at + 4 + data.readUInt16BE(at + 2)));
  const [clientId, association] = [options.get(1), options.get(25)];
  if (asked === undefined || !clientId || !association) return undefined;
  const isMine = [REQUEST, RENEW, RELEASE].includes(type) ? options.get(2)?.equals(SERVER_ID) : !options.has(2);
  const client = clientId.subarray(2).toString('hex');
  if (!isMine || rules.isSilent) return { asked: `unheard-${asked}`, client };
  const answer = Buffer.alloc(4);
  data.copy(answer, 1, 1, 4);
  answer.writeUInt8(type === SOLICIT ? ADVERTISE : REPLY, 0);
  const prefix = prefixOf(clientId, rules);
  const status = (code: number): Buffer => option(13, Buffer.from([0, code]), Buffer.from('so it is'));
  const about = (): Buffer => {
    const iaid = association.subarray(0, 4);
    if (type === RELEASE) return status(0);
    if (rules.forgets && (type === RENEW || type === REBIND)) return option(25, iaid, words(0, 0), status(3));
    const held = association.subarray(16, 16 + 25);
    const one = (bytes: Buffer, length: number, preferred: number, valid: number): Buffer => option(26, words(preferred, valid), Buffer.from([length]), bytes);
    const value = Buffer.from(prefix.value.toString(16).padStart(32, '0'), 'hex');
    const isOther = type !== SOLICIT && type !== REQUEST && !held.subarray(9, 25).equals(value);
    return option(
      25,
      iaid,
      words(rules.renewSeconds, rules.rebindSeconds),
      ...(isOther ? [one(held.subarray(9, 25), held.readUInt8(8), 0, 0)] : []),
      one(value, prefix.prefixLength, rules.validSeconds, rules.validSeconds),
    );
  };
  return { asked, client, prefix, reply: Buffer.concat([answer, option(1, clientId), option(2, SERVER_ID), about()]) };
}
