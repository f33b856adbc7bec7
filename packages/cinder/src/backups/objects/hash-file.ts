import { type FileHandle, open, rm } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { damaged } from '../read.ts';

export const HASH_BYTES = 32;
const HELD_HASHES = 8_192;

/** SHA-256 sums of a volume's blocks, in order: 1 MiB for each GiB of it, so they are in a file, which is nameless from the start and ends with the process. */
export class HashFile {
  readonly #file: FileHandle;
  #held: Buffer[] = [];
  #written = 0;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async open(): Promise<HashFile> {
    const path = join(tmpdir(), `cairn-hashes-${randomUUID()}`);
    const file = await open(path, 'wx+', 0o600);
    await rm(path);
    return new HashFile(file);
  }

  get count(): number {
    return this.#written + this.#held.length;
  }

  async add(hash: Buffer): Promise<void> {
    this.#held.push(hash);
    if (this.#held.length >= HELD_HASHES) await this.#flush();
  }

  async #flush(): Promise<void> {
    if (this.#held.length === 0) return;
    const bytes = Buffer.concat(this.#held);
    await this.#file.write(bytes, 0, bytes.length, this.#written * HASH_BYTES);
    this.#written += this.#held.length;
    this.#held = [];
  }

  /** Up to `count` of them, one after the other; fewer at the end. */
  async read(at: number, count: number): Promise<Buffer> {
    await this.#flush();
    const bytes = Buffer.alloc(Math.max(0, Math.min(count, this.#written - at)) * HASH_BYTES);
    for (let done = 0; done < bytes.length; ) {
      const { bytesRead } = await this.#file.read(bytes, done, bytes.length - done, at * HASH_BYTES + done);
      if (bytesRead === 0) throw new Error('a file of hashes is shorter than it was written');
      done += bytesRead;
    }
    return bytes;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

/** The sums one after the other, in the order of the blocks. */
export class HashCursor {
  readonly #file: HashFile;
  #at = 0;
  #page: Buffer = Buffer.alloc(0);
  #from = 0;

  constructor(file: HashFile) {
    this.#file = file;
  }

  /** undefined past the end. */
  async next(): Promise<Buffer | undefined> {
    if (this.#at >= this.#file.count) return undefined;
    if ((this.#at - this.#from) * HASH_BYTES >= this.#page.length) {
      this.#from = this.#at;
      this.#page = await this.#file.read(this.#at, HELD_HASHES);
    }
    const from = (this.#at - this.#from) * HASH_BYTES;
    this.#at += 1;
    return this.#page.subarray(from, from + HASH_BYTES);
  }
}

/** upstream's sha256file as JSON, in pieces: for a large volume it is longer than any text can be. */
export async function* hashesText(labels: Readonly<Record<string, unknown>>, blockBytes: number, hashes: HashFile): AsyncGenerator<Buffer> {
  const head = JSON.stringify({ ...labels, chunk_size: blockBytes });
  yield Buffer.from(`${head.slice(0, -1)},"sha256s": [`);
  for (let at = 0; at < hashes.count; at += HELD_HASHES) {
    const page = await hashes.read(at, HELD_HASHES);
    const lines: string[] = [];
    for (let from = 0; from < page.length; from += HASH_BYTES) lines.push(`"${page.toString('hex', from, from + HASH_BYTES)}"`);
    yield Buffer.from(`${at === 0 ? '\n' : ',\n'}${lines.join(',\n')}`);
  }
  yield Buffer.from('\n]}');
}

const LONGEST_HEAD = 256 * 1024;

/** Reads a sha256file, upstream's or Cairn's, while it comes. The sums are in `into` afterwards; returns the size of a block. */
export async function readHashes(id: string, data: Readable, into: HashFile): Promise<number> {
  let text = '';
  let blockBytes: number | undefined;
  let ended = false;
  for await (const piece of data as AsyncIterable<Buffer>) {
    if (ended) continue;
    text += piece.toString('latin1');
    if (blockBytes === undefined) {
      // a quote within a text has a backslash before it, so neither key can be part of one
      const list = /[\s{,]"sha256s"\s*:\s*\[/.exec(text);
      if (!list) {
        if (text.length > LONGEST_HEAD) throw damaged(id, 'the sha256file has no sums');
        continue;
      }
      blockBytes = Number(/[\s{,]"chunk_size"\s*:\s*(\d+)/.exec(text.slice(0, list.index + 1))?.[1]);
      if (!Number.isSafeInteger(blockBytes) || blockBytes < 1) throw damaged(id, 'the sha256file does not say how large a block is');
      text = text.slice(list.index + list[0].length);
    }
    const entry = /[\s,]*"([0-9a-f]{64})"/y;
    let from = 0;
    for (let match = entry.exec(text); match; match = entry.exec(text)) {
      await into.add(Buffer.from(match[1] ?? '', 'hex'));
      from = entry.lastIndex;
    }
    text = text.slice(from);
    ended = /^\s*\]/.test(text);
    if (!ended && text.length > 1024) throw damaged(id, 'the sha256file has something else than sums');
  }
  if (!ended || blockBytes === undefined) throw damaged(id, 'the sha256file ends early');
  return blockBytes;
}
