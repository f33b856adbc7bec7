import { ReadStream } from 'node:fs';
import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { release } from './streams.ts';

/** Sends a stream as a response's body, as fast as the client takes it. When either breaks off, the other is ended. */
export function sendStream(body: Readable, response: ServerResponse): void {
  // the pieces that a file is read in are nobody else's; what could not be sent may still be in the socket's hands
  const own = body instanceof ReadStream;
  const sent = (piece: Buffer) => (error: Error | null | undefined) => {
    if (!error) release(piece);
  };
  body.on('data', (piece: Buffer) => {
    if (response.write(piece, own ? sent(piece) : undefined)) return;
    body.pause();
    response.once('drain', () => body.resume());
  });
  body.once('end', () => response.end());
  body.once('error', () => response.destroy());
  response.once('close', () => body.destroy());
}
