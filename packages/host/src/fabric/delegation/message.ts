import type { Cidr } from '../plan/address.ts';

/** Messages of DHCPv6 as far as a client needs them that asks for prefixes (RFC 8415). */

export const SOLICIT = 1;
export const ADVERTISE = 2;
export const REQUEST = 3;
export const RENEW = 5;
export const REBIND = 6;
export const REPLY = 7;
export const RELEASE = 8;

const CLIENT_ID = 1;
const SERVER_ID = 2;
const ELAPSED = 8;
const STATUS = 13;
const PREFERENCE = 7;
const IA_PD = 25;
const IA_PREFIX = 26;

/** Status codes that a client acts on. */
export const NO_BINDING = 3;

/** A lifetime without end, in seconds. */
export const FOREVER = 0xffffffff;

export interface OfferedPrefix {
  readonly prefix: Cidr;
  /** Seconds. */
  readonly preferred: number;
  readonly valid: number;
}

/** What is said of one association of prefixes (IA_PD). */
export interface Association {
  readonly iaid: number;
  /** Seconds; 0 leaves the time to the client. */
  readonly renewAfter: number;
  readonly rebindAfter: number;
  readonly status: number;
  readonly prefixes: readonly OfferedPrefix[];
}

export interface Message {
  readonly type: number;
  /** 24 bits. */
  readonly transaction: number;
  readonly clientId: Buffer;
  readonly serverId?: Buffer;
  readonly preference: number;
  readonly status: number;
  readonly associations: readonly Association[];
}

function option(code: number, data: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(code, 0);
  head.writeUInt16BE(data.length, 2);
  return Buffer.concat([head, data]);
}

function bytesOf(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(32, '0'), 'hex');
}

/** What a client says. */
export interface Said {
  readonly type: number;
  readonly transaction: number;
  readonly clientId: Buffer;
  readonly serverId?: Buffer | undefined;
  /** Since the first message of this exchange. */
  readonly elapsedMs: number;
  readonly iaid: number;
  /** The prefix that is held or wished for; `::/64` says how long it should be. */
  readonly prefix: Cidr;
}

export function encode(said: Said): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(said.type * 0x1000000 + said.transaction);
  const elapsed = Buffer.alloc(2);
  elapsed.writeUInt16BE(Math.min(0xffff, Math.floor(said.elapsedMs / 10)));
  const prefix = Buffer.alloc(25);
  prefix.writeUInt8(said.prefix.prefixLength, 8);
  bytesOf(said.prefix.value).copy(prefix, 9);
  const association = Buffer.alloc(12);
  association.writeUInt32BE(said.iaid);
  return Buffer.concat([
    head,
    option(CLIENT_ID, said.clientId),
    ...(said.serverId ? [option(SERVER_ID, said.serverId)] : []),
    option(ELAPSED, elapsed),
    option(IA_PD, Buffer.concat([association, option(IA_PREFIX, prefix)])),
  ]);
}

/** Reads options of a message or of an option; undefined where they do not fit into it. */
function optionsOf(data: Buffer): readonly { readonly code: number; readonly data: Buffer }[] | undefined {
  const options: { code: number; data: Buffer }[] = [];
  for (let at = 0; at < data.length; ) {
    if (at + 4 > data.length) return undefined;
    const end = at + 4 + data.readUInt16BE(at + 2);
    if (end > data.length) return undefined;
    options.push({ code: data.readUInt16BE(at), data: data.subarray(at + 4, end) });
    at = end;
  }
  return options;
}

/** Reads what a server says. Undefined for what is malformed: such messages are to be dropped in silence. */
export function decode(data: Buffer): Message | undefined {
  if (data.length < 4) return undefined;
  const options = optionsOf(data.subarray(4));
  const clientId = options?.find(({ code }) => code === CLIENT_ID)?.data;
  if (!options || !clientId || clientId.length === 0) return undefined;
  const serverId = options.find(({ code }) => code === SERVER_ID)?.data;
  const associations: Association[] = [];
  for (const { code, data: body } of options) {
    if (code !== IA_PD) continue;
    const association = associationOf(body);
    if (!association) return undefined;
    associations.push(association);
  }
  const preference = options.find(({ code }) => code === PREFERENCE)?.data;
  return {
    type: data.readUInt8(0),
    transaction: data.readUIntBE(1, 3),
    clientId,
    ...(serverId && serverId.length > 0 && { serverId }),
    preference: preference?.length === 1 ? preference.readUInt8(0) : 0,
    status: statusOf(options),
    associations,
  };
}

const statusOf = (options: readonly { readonly code: number; readonly data: Buffer }[]): number => {
  const status = options.find(({ code }) => code === STATUS)?.data;
  return status && status.length >= 2 ? status.readUInt16BE(0) : 0;
};

function associationOf(data: Buffer): Association | undefined {
  if (data.length < 12) return undefined;
  const options = optionsOf(data.subarray(12));
  if (!options) return undefined;
  const prefixes: OfferedPrefix[] = [];
  for (const { code, data: body } of options) {
    if (code !== IA_PREFIX) continue;
    const prefixLength = body.length < 25 ? 129 : body.readUInt8(8);
    if (prefixLength > 128) return undefined;
    const hostBits = BigInt(128 - prefixLength);
    const value = (BigInt(`0x${body.subarray(9, 25).toString('hex')}`) >> hostBits) << hostBits;
    prefixes.push({ prefix: { version: 6, value, prefixLength }, preferred: body.readUInt32BE(0), valid: body.readUInt32BE(4) });
  }
  return { iaid: data.readUInt32BE(0), renewAfter: data.readUInt32BE(4), rebindAfter: data.readUInt32BE(8), status: statusOf(options), prefixes };
}

/** The identifier of a client, made of a UUID (RFC 6355): the same wherever the client runs. */
export const clientIdOf = (uuid: string): Buffer => Buffer.from(`0004${uuid.replaceAll('-', '')}`, 'hex');
