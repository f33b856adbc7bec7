import { type FileHandle, open } from 'node:fs/promises';
import type { FormatMatch, FormatReader, ImageBytes, ImageFacts, WantedRange } from './facts.ts';
import { gptReader, isoReader, luksReader, qedReader } from './plain.ts';
import { qcow2Reader } from './qcow2.ts';
import { vdiReader } from './vdi.ts';
import { vhdReader } from './vhd.ts';
import { vhdxReader } from './vhdx.ts';
import { VMDK_FOOTER_BYTES, vmdkReader } from './vmdk.ts';

export type { DetectedFormat, Finding, FindingCode, FormatMatch, ImageFacts } from './facts.ts';

const READERS: readonly FormatReader[] = [qcow2Reader, vmdkReader, vdiReader, vhdReader, vhdxReader, qedReader, isoReader, gptReader, luksReader];

/** The part of every image that is kept: a VMDK descriptor may reach from the second sector to just past the first mebibyte. */
const HEAD_BYTES = 512 + 1024 * 1024;
/** Ranges beyond the head (VHDX metadata, a VHD's dynamic header), all together. */
const MAX_WANTED_BYTES = 2 * 1024 * 1024;

/** A range of the stream, filled as it passes by. */
class Capture {
  readonly offset: number;
  readonly bytes: Buffer;
  filled = 0;

  constructor(range: WantedRange) {
    this.offset = range.offset;
    this.bytes = Buffer.alloc(range.length);
  }

  /** Offers the bytes that stand at `position` of the image; they come in order. */
  offer(chunk: Uint8Array, position: number): void {
    const next = this.offset + this.filled;
    if (this.filled === this.bytes.length || position > next || position + chunk.length <= next) return;
    const from = next - position;
    const part = chunk.subarray(from, from + this.bytes.length - this.filled);
    this.bytes.set(part, this.filled);
    this.filled += part.length;
  }

  read(offset: number, length: number): Buffer | undefined {
    const from = offset - this.offset;
    return from >= 0 && from + length <= this.filled ? this.bytes.subarray(from, from + length) : undefined;
  }
}

class Captures implements ImageBytes {
  readonly sizeBytes: number;
  readonly #parts: readonly Capture[];

  constructor(sizeBytes: number, parts: readonly Capture[]) {
    this.sizeBytes = sizeBytes;
    this.#parts = parts;
  }

  read(offset: number, length: number): Buffer | undefined {
    if (offset < 0 || length < 0 || offset + length > this.sizeBytes) return undefined;
    for (const part of this.#parts) {
      const bytes = part.read(offset, length);
      if (bytes) return bytes;
    }
    return undefined;
  }
}

/** What the readers want to see beyond the head, bounded. `head.sizeBytes` is the head's length, or the image's when that is shorter. */
function wanted(head: ImageBytes): readonly WantedRange[] {
  let left = MAX_WANTED_BYTES;
  const ranges: WantedRange[] = [];
  for (const range of READERS.flatMap((reader) => reader.wants?.(head) ?? [])) {
    if (range.offset + range.length <= head.sizeBytes || range.length > left) continue;
    left -= range.length;
    ranges.push(range);
  }
  return ranges;
}

function conclude(image: ImageBytes): ImageFacts {
  const matches = READERS.map((reader) => reader.read(image)).filter((match) => match !== undefined);
  const sizeBytes = image.sizeBytes;
  const isoWithPartitions = matches.length === 2 && matches.some((m) => m.format === 'gpt') ? matches.find((m) => m.format === 'iso') : undefined;
  const match: FormatMatch | undefined = isoWithPartitions ?? (matches.length === 1 ? matches[0] : undefined);
  if (match) return { sizeBytes, format: match.format, virtualSizeBytes: match.virtualSizeBytes, findings: match.findings, matches };
  return { sizeBytes, format: matches.length === 0 ? 'raw' : undefined, virtualSizeBytes: matches.length === 0 ? sizeBytes : 0, findings: [], matches };
}

/**
 * The one judge of what an image is. Feed it the image's bytes in order, then ask. Keeps some 1 to 3 MiB whatever the image's size, so
 * it runs inside an upload; pure computation, no process and no file. The whole image has to pass, since some formats keep a header at the end.
 */
export class ImageInspector {
  #position = 0;
  readonly #head = new Capture({ offset: 0, length: HEAD_BYTES });
  #wanted: readonly Capture[] | undefined;
  #tail = Buffer.alloc(0);

  /** Takes the next bytes. The buffer may be reused afterwards. */
  write(chunk: Uint8Array): void {
    let rest = chunk;
    if (!this.#wanted) {
      const room = HEAD_BYTES - this.#position;
      this.#take(rest.subarray(0, room));
      rest = rest.subarray(room);
      if (this.#position === HEAD_BYTES) this.#plan();
    }
    this.#take(rest);
  }

  /** Ends the image and says what it is. */
  end(): ImageFacts {
    if (!this.#wanted) this.#plan();
    const tail = new Capture({ offset: this.#position - this.#tail.length, length: this.#tail.length });
    tail.offer(this.#tail, tail.offset);
    return conclude(new Captures(this.#position, [this.#head, ...(this.#wanted ?? []), tail]));
  }

  #plan(): void {
    this.#wanted = wanted(new Captures(this.#position, [this.#head])).map((range) => {
      const capture = new Capture(range);
      capture.offer(this.#head.bytes.subarray(0, this.#head.filled), 0);
      return capture;
    });
  }

  #take(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#head.offer(chunk, this.#position);
    for (const capture of this.#wanted ?? []) capture.offer(chunk, this.#position);
    this.#position += chunk.length;
    this.#tail =
      chunk.length >= VMDK_FOOTER_BYTES ? Buffer.from(chunk.subarray(-VMDK_FOOTER_BYTES)) : Buffer.concat([this.#tail, chunk]).subarray(-VMDK_FOOTER_BYTES);
  }
}

/** Judges an image that is in memory. */
export function inspectBytes(bytes: Uint8Array): ImageFacts {
  const inspector = new ImageInspector();
  inspector.write(bytes);
  return inspector.end();
}

async function load(file: FileHandle, range: WantedRange): Promise<Capture> {
  const capture = new Capture(range);
  const buffer = Buffer.alloc(range.length);
  let at = 0;
  while (at < range.length) {
    const { bytesRead } = await file.read(buffer, at, range.length - at, range.offset + at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  capture.offer(buffer.subarray(0, at), range.offset);
  return capture;
}

/** Judges a file without reading all of it. Same answer as ImageInspector on its bytes. Rejects with the file system's error when it cannot be read. */
export async function inspectFile(path: string): Promise<ImageFacts> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const head = await load(file, { offset: 0, length: Math.min(size, HEAD_BYTES) });
    const ranges = wanted(new Captures(head.filled, [head])).filter((range) => range.offset < size);
    const parts = await Promise.all(ranges.map((range) => load(file, { offset: range.offset, length: Math.min(range.length, size - range.offset) })));
    const tail = Math.min(size, VMDK_FOOTER_BYTES);
    parts.push(await load(file, { offset: size - tail, length: tail }));
    return conclude(new Captures(size, [head, ...parts]));
  } finally {
    await file.close();
  }
}
