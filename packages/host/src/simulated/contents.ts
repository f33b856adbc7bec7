import type { Readable } from 'node:stream';

/** Where a stream says what the disk holds: in the first cluster of a qcow2 image nothing else stands there, in a raw one anything may. */
const PLACE = 4_096;
const MARK = 'cairn simulated content ';
const END = '\n';

/** Writes the word for a disk's content into what is exported of it. */
export function stamp(data: Buffer, content: string | undefined): void {
  if (content !== undefined) data.write(MARK + content + END, PLACE, 'latin1');
}

/** Reads a stream to its end; the word in it, wherever it stands. */
export async function contentIn(data: Readable): Promise<string | undefined> {
  let found: string | undefined;
  let tail = '';
  for await (const chunk of data as AsyncIterable<Buffer>) {
    if (found !== undefined) continue;
    const text = tail + chunk.toString('latin1');
    const at = text.indexOf(MARK);
    const end = at < 0 ? -1 : text.indexOf(END, at);
    if (end >= 0) found = text.slice(at + MARK.length, end);
    tail = at < 0 ? text.slice(-MARK.length) : text.slice(at);
  }
  return found;
}
