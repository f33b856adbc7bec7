import { CairnError, invalidInput } from '@cairn/kit/errors/errors';
import type { ByteRange } from '../stores/store.ts';

const unsatisfiable = (message: string, size: number): CairnError =>
  new CairnError('RangeNotSatisfiable', message, { headers: { 'Content-Range': `bytes */${size}` } });

/**
 * The part of `size` bytes that a request asks for, read as upstream does: one range in `Range`, or in `Content-Range` as older clients
 * send it (glance/common/wsgi.py, get_range_from_request). Throws 400 for several ranges, 416 for what is none or lies outside.
 */
export function rangeOf(headers: Readonly<Record<string, string | string[] | undefined>>, size: number): ByteRange | undefined {
  const range = headers.range;
  if (range !== undefined) return fromRange(String(range), size);
  const content = headers['content-range'];
  return content === undefined ? undefined : fromContentRange(String(content), size);
}

function fromRange(text: string, size: number): ByteRange {
  if (text.includes(',')) throw invalidInput('Requests with multiple ranges are not supported in Glance. You may make multiple single-range requests instead.');
  const match = /^bytes *= *(\d*) *- *(\d*)/i.exec(text.trim());
  const [first = '', last = ''] = match ? match.slice(1) : [];
  if (!match || (first === '' && last === '') || (first !== '' && last !== '' && Number(last) < Number(first)))
    throw unsatisfiable('Invalid Range header.', size);
  if (first === '') {
    // the last so many bytes; more than there are is all of them
    if (Number(last) === 0 || size === 0) throw unsatisfiable('Invalid Range header.', size);
    return { start: Math.max(0, size - Number(last)), end: size - 1 };
  }
  checkStart(Number(first), size, 'Range');
  return { start: Number(first), end: last === '' ? size - 1 : Math.min(Number(last), size - 1) };
}

function fromContentRange(text: string, size: number): ByteRange {
  const match = /^bytes *(\d+) *- *(\d+) *\/ *(?:\d+|\*)/i.exec(text.trim());
  const [start, end] = [Number(match?.[1]), Number(match?.[2])];
  if (!match || end < start) throw unsatisfiable('Invalid Content-Range header.', size);
  checkStart(start, size, 'Content-Range');
  if (end >= size)
    throw unsatisfiable(`Invalid stop position in Content-Range header. The stop position MUST be in the inclusive range [0, ${size - 1}].`, size);
  return { start, end };
}

function checkStart(start: number, size: number, header: string): void {
  if (start >= size) throw unsatisfiable(`Invalid start position in ${header} header. Start position MUST be in the inclusive range [0, ${size - 1}].`, size);
}
