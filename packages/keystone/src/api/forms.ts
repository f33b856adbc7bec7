import { CairnError } from '@cairn/kit/errors/errors';
import type { AnyRequest } from './common.ts';

/** The raw body of a request. Throws TooLarge beyond the limit. */
export async function readText(req: AnyRequest, limitBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req.stream as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limitBytes) {
      req.stream.resume();
      throw new CairnError('TooLarge', `Request is too large. Larger than max_request_body_size (${limitBytes}).`, { type: 'RequestTooLarge' });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size).toString('utf8');
}

/** A body as HTML forms send it; empty for any other kind of body. */
export async function readForm(req: AnyRequest, limitBytes: number): Promise<URLSearchParams> {
  const text = await readText(req, limitBytes);
  return new URLSearchParams(/^application\/x-www-form-urlencoded\b/i.test(String(req.headers['content-type'] ?? '')) ? text : '');
}
