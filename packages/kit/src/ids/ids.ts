import { randomBytes, randomFillSync, randomUUID } from 'node:crypto';

/** Chance, as an argument: cryptographic in production, seeded in simulation. */
export interface Ids {
  /** A random UUID with dashes (nova, neutron, cinder, glance). */
  uuid(): string;
  /** 32 hex digits without dashes (keystone). */
  hex(): string;
  /** Random bytes. Secrets never come from a seeded source in production. */
  bytes(length: number): Buffer;
}

export const systemIds: Ids = {
  uuid: () => randomUUID(),
  hex: () => randomUUID().replaceAll('-', ''),
  bytes: (length) => (length <= POOLED_BYTES / 8 ? pooled(length) : randomBytes(length)),
};

/** Asking the kernel costs more than what one is given: short ones share. Bytes that were given are gone from the pool. */
const POOLED_BYTES = 2048;
const pool = Buffer.alloc(POOLED_BYTES);
let poolAt = POOLED_BYTES;

function pooled(length: number): Buffer {
  if (poolAt + length > POOLED_BYTES) {
    randomFillSync(pool);
    poolAt = 0;
  }
  const taken = Buffer.from(pool.subarray(poolAt, poolAt + length));
  pool.fill(0, poolAt, poolAt + length);
  poolAt += length;
  return taken;
}

/** Ids from a seed (xorshift128), for simulation alone: the same seed gives the same ids. Not for secrets. */
export function seededIds(seed: number): Ids {
  const s = [seed >>> 0 || 1, (seed * 0x9e3779b9) >>> 0 || 2, 0x12345678, 0x9abcdef0];
  const next = (): number => {
    let t = s[3] as number;
    const a = s[0] as number;
    s[3] = s[2] as number;
    s[2] = s[1] as number;
    s[1] = a;
    t ^= t << 11;
    t ^= t >>> 8;
    s[0] = (t ^ a ^ (a >>> 19)) >>> 0;
    return s[0];
  };
  const bytes = (length: number): Buffer => Buffer.from(Array.from({ length }, () => next() & 0xff));
  const hex = (): string => {
    const b = bytes(16);
    b[6] = ((b[6] as number) & 0x0f) | 0x40;
    b[8] = ((b[8] as number) & 0x3f) | 0x80;
    return b.toString('hex');
  };
  return { bytes, hex, uuid: () => hex().replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5') };
}

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
/** True for a UUID with or without dashes, as oslo.utils' is_uuid_like. */
export const isUuidLike = (text: unknown): text is string => typeof text === 'string' && UUID.test(text);
