/**
 * Reads what `tcpdump -i nflog:N -w -` writes: a pcap stream of link type NFLOG. Each record is a header (address family, version, group)
 * and attributes as nfnetlink_log has them: length and type in the byte order of the machine that captured, contents in the network's.
 */
export interface NflogRecord {
  readonly atMs: number;
  readonly mark: number;
  readonly prefix: string;
  /** The packet from its IP header on, as far as it was kept. */
  readonly payload: Buffer;
}

const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
const NFLOG_HEADER_BYTES = 4;
const LINKTYPE_NFLOG = 239;
const MAGIC_MICROSECONDS = 0xa1b2c3d4;
/** Of include/uapi/linux/netfilter/nfnetlink_log.h */
const ATTRIBUTE = { mark: 2, payload: 9, prefix: 10 } as const;
/** Nothing of ours is longer; a stream that says so is none. */
const MAX_RECORD_BYTES = 1 << 18;

export class NflogReader {
  #rest: Buffer = Buffer.alloc(0);
  #isOpen = false;

  /** The records that end in this piece of the stream. Throws when it is no such stream. */
  read(chunk: Buffer): readonly NflogRecord[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    if (!this.#isOpen) {
      if (this.#rest.length < FILE_HEADER_BYTES) return [];
      if (this.#rest.readUInt32LE(0) !== MAGIC_MICROSECONDS) throw new Error('not a pcap stream of this machine');
      const linkType = this.#rest.readUInt32LE(20);
      if (linkType !== LINKTYPE_NFLOG) throw new Error(`a pcap stream of link type ${linkType}, not NFLOG`);
      this.#isOpen = true;
      this.#rest = this.#rest.subarray(FILE_HEADER_BYTES);
    }
    const records: NflogRecord[] = [];
    while (this.#rest.length >= RECORD_HEADER_BYTES) {
      const length = this.#rest.readUInt32LE(8);
      if (length > MAX_RECORD_BYTES) throw new Error(`a record of ${length} bytes`);
      const end = RECORD_HEADER_BYTES + length;
      if (this.#rest.length < end) break;
      const atMs = this.#rest.readUInt32LE(0) * 1000 + Math.floor(this.#rest.readUInt32LE(4) / 1000);
      records.push(recordOf(atMs, this.#rest.subarray(RECORD_HEADER_BYTES, end)));
      this.#rest = this.#rest.subarray(end);
    }
    return records;
  }
}

function recordOf(atMs: number, data: Buffer): NflogRecord {
  let mark = 0;
  let prefix = '';
  let payload = Buffer.alloc(0);
  for (let at = NFLOG_HEADER_BYTES; at + 4 <= data.length; ) {
    const length = data.readUInt16LE(at);
    if (length < 4 || at + length > data.length) break;
    const value = data.subarray(at + 4, at + length);
    const type = data.readUInt16LE(at + 2);
    if (type === ATTRIBUTE.mark && value.length === 4) mark = value.readUInt32BE(0);
    if (type === ATTRIBUTE.prefix) prefix = value.toString('latin1').replace(/\0.*$/s, '');
    if (type === ATTRIBUTE.payload) payload = Buffer.from(value);
    at += (length + 3) & ~3;
  }
  return { atMs, mark, prefix, payload };
}
