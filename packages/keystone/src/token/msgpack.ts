/**
 * The part of MessagePack that keystone's tokens use: nil, booleans, integers, doubles, text, bytes and arrays. Writes what msgpack-python
 * writes by default (smallest integer, str and bin kept apart), so that tokens are byte for byte keystone's. No maps, no extensions.
 */
export type Packable = null | boolean | number | string | Buffer | readonly Packable[] | Double;

/** A number that is written as a double even where it is whole; Python keeps 1.0 and 1 apart. */
export class Double {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

/** What `unpack` gives: doubles come back as plain numbers. */
export type Unpacked = null | boolean | number | string | Buffer | Unpacked[];

const MAX_DEPTH = 16;

export function pack(value: Packable): Buffer {
  const parts: Buffer[] = [];
  write(value, parts);
  return Buffer.concat(parts);
}

function write(value: Packable, out: Buffer[]): void {
  if (value === null) out.push(Buffer.of(0xc0));
  else if (typeof value === 'boolean') out.push(Buffer.of(value ? 0xc3 : 0xc2));
  else if (typeof value === 'number') out.push(integer(value));
  else if (value instanceof Double) {
    const bytes = Buffer.allocUnsafe(9);
    bytes[0] = 0xcb;
    bytes.writeDoubleBE(value.value, 1);
    out.push(bytes);
  } else if (typeof value === 'string') {
    const bytes = Buffer.from(value, 'utf8');
    out.push(bytes.length < 32 ? Buffer.of(0xa0 | bytes.length) : sized(bytes.length, 0xd9, 0xda, 0xdb), bytes);
  } else if (Buffer.isBuffer(value)) out.push(sized(value.length, 0xc4, 0xc5, 0xc6), value);
  else {
    const list = value as readonly Packable[];
    out.push(list.length < 16 ? Buffer.of(0x90 | list.length) : sized(list.length, undefined, 0xdc, 0xdd));
    for (const item of list) write(item, out);
  }
}

function integer(value: number): Buffer {
  if (!Number.isSafeInteger(value)) throw new RangeError('not a safe integer; wrap it in Double');
  if (value >= 0) {
    if (value < 0x80) return Buffer.of(value);
    if (value < 0x100) return Buffer.of(0xcc, value);
    if (value < 0x1_0000) return Buffer.of(0xcd, value >> 8, value & 0xff);
    const bytes = Buffer.allocUnsafe(value < 0x1_0000_0000 ? 5 : 9);
    bytes[0] = bytes.length === 5 ? 0xce : 0xcf;
    if (bytes.length === 5) bytes.writeUInt32BE(value, 1);
    else bytes.writeBigUInt64BE(BigInt(value), 1);
    return bytes;
  }
  if (value >= -0x20) return Buffer.of(value & 0xff);
  const bytes = Buffer.allocUnsafe(value >= -0x80 ? 2 : value >= -0x8000 ? 3 : value >= -0x8000_0000 ? 5 : 9);
  bytes[0] = { 2: 0xd0, 3: 0xd1, 5: 0xd2, 9: 0xd3 }[bytes.length as 2 | 3 | 5 | 9];
  if (bytes.length === 9) bytes.writeBigInt64BE(BigInt(value), 1);
  else bytes.writeIntBE(value, 1, bytes.length - 1);
  return bytes;
}

function sized(length: number, one: number | undefined, two: number, four: number): Buffer {
  if (one !== undefined && length < 0x100) return Buffer.of(one, length);
  if (length < 0x1_0000) return Buffer.of(two, length >> 8, length & 0xff);
  const bytes = Buffer.allocUnsafe(5);
  bytes[0] = four;
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

/** Reads one value; throws RangeError for anything cut short, left over or unknown. */
export function unpack(data: Buffer): Unpacked {
  const reader = { data, at: 0 };
  let value: Unpacked;
  try {
    value = read(reader, 0);
  } catch (cause) {
    throw new RangeError('malformed MessagePack', { cause });
  }
  if (reader.at !== data.length) throw new RangeError('malformed MessagePack: bytes are left over');
  return value;
}

interface Reader {
  readonly data: Buffer;
  at: number;
}

function read(reader: Reader, depth: number): Unpacked {
  if (depth > MAX_DEPTH) throw new RangeError('nested too deeply');
  const type = reader.data.readUInt8(reader.at++);
  if (type < 0x80) return type;
  if (type >= 0xe0) return type - 0x100;
  if ((type & 0xf0) === 0x90) return array(reader, type & 0x0f, depth);
  if ((type & 0xe0) === 0xa0) return take(reader, type & 0x1f).toString('utf8');
  switch (type) {
    case 0xc0:
      return null;
    case 0xc2:
      return false;
    case 0xc3:
      return true;
    case 0xc4:
      return take(reader, unsigned(reader, 1));
    case 0xc5:
      return take(reader, unsigned(reader, 2));
    case 0xc6:
      return take(reader, unsigned(reader, 4));
    case 0xca:
      return take(reader, 4).readFloatBE();
    case 0xcb:
      return take(reader, 8).readDoubleBE();
    case 0xcc:
      return unsigned(reader, 1);
    case 0xcd:
      return unsigned(reader, 2);
    case 0xce:
      return unsigned(reader, 4);
    case 0xcf:
      return Number(take(reader, 8).readBigUInt64BE());
    case 0xd0:
      return take(reader, 1).readInt8();
    case 0xd1:
      return take(reader, 2).readInt16BE();
    case 0xd2:
      return take(reader, 4).readInt32BE();
    case 0xd3:
      return Number(take(reader, 8).readBigInt64BE());
    case 0xd9:
      return take(reader, unsigned(reader, 1)).toString('utf8');
    case 0xda:
      return take(reader, unsigned(reader, 2)).toString('utf8');
    case 0xdb:
      return take(reader, unsigned(reader, 4)).toString('utf8');
    case 0xdc:
      return array(reader, unsigned(reader, 2), depth);
    case 0xdd:
      return array(reader, unsigned(reader, 4), depth);
    default:
      throw new RangeError(`type 0x${type.toString(16)} is not used by tokens`);
  }
}

function unsigned(reader: Reader, bytes: number): number {
  return take(reader, bytes).readUIntBE(0, bytes);
}

function take(reader: Reader, length: number): Buffer {
  const end = reader.at + length;
  if (end > reader.data.length) throw new RangeError('cut short');
  const part = reader.data.subarray(reader.at, end);
  reader.at = end;
  return part;
}

function array(reader: Reader, length: number, depth: number): Unpacked[] {
  // every item takes a byte at least, so a length beyond the data is a lie
  if (length > reader.data.length - reader.at) throw new RangeError('cut short');
  const items: Unpacked[] = [];
  for (let i = 0; i < length; i++) items.push(read(reader, depth + 1));
  return items;
}
