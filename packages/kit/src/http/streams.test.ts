import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { sendStream } from './send-stream.ts';
import { eachPiece, release } from './streams.ts';

describe('the pieces of a stream', () => {
  const pieces = ['one', 'two', 'three'].map((text) => Buffer.from(text));

  it('come one after the other, the next when the one before is done with', async () => {
    const seen: string[] = [];
    let busy = 0;
    await eachPiece(Readable.from(pieces), async (piece) => {
      busy += 1;
      assert.equal(busy, 1);
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(piece.toString());
      busy -= 1;
    });
    assert.deepEqual(seen, ['one', 'two', 'three']);
  });

  it('are all there when the stream ends while one is taken', async () => {
    const stream = new PassThrough();
    stream.end('all');
    let taken = false;
    await eachPiece(stream, async () => {
      await once(stream, 'end');
      await new Promise((resolve) => setImmediate(resolve));
      taken = true;
    });
    assert.ok(taken);
  });

  it('end with what the stream fails with, once the last is done with', async () => {
    const stream = new PassThrough();
    stream.write('one');
    let taken = false;
    const result = eachPiece(stream, async () => {
      stream.destroy(new Error('broken'));
      await once(stream, 'close').catch(() => undefined);
      await new Promise((resolve) => setImmediate(resolve));
      taken = true;
    });
    await assert.rejects(result, /broken/);
    assert.ok(taken);
  });

  it('end with an error when the stream breaks off', async () => {
    const stream = new PassThrough();
    stream.write('one');
    await assert.rejects(
      eachPiece(stream, () => void stream.destroy()),
      { code: 'ERR_STREAM_PREMATURE_CLOSE' },
    );
  });

  it('leave a stream that was refused paused, not destroyed', async () => {
    for (const refuse of [
      () => {
        throw new Error('no');
      },
      async () => {
        throw new Error('no');
      },
    ]) {
      const stream = new PassThrough();
      stream.write('one');
      await assert.rejects(eachPiece(stream, refuse), /no/);
      assert.ok(stream.isPaused());
      assert.ok(!stream.destroyed);
    }
  });
});

describe('memory that nobody needs any more', () => {
  it('is given back where it is whole, and left where it is a part of some', () => {
    const whole = Buffer.allocUnsafeSlow(1000);
    release(whole);
    assert.equal(whole.byteLength, 0);
    const memory = new Uint8Array([1, 2, 3, 4]);
    release(memory.subarray(1, 3));
    assert.deepEqual([...memory], [1, 2, 3, 4]);
    const shared = new Uint8Array(new SharedArrayBuffer(4));
    release(shared);
    assert.equal(shared.byteLength, 4);
  });
});

describe('a stream that is sent', () => {
  async function withServer(body: () => Readable, work: (url: string) => Promise<void>): Promise<void> {
    const server = createServer((_request, response) => sendStream(body(), response)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }
  const ask = async (url: string): Promise<IncomingMessage> => (await once(get(url), 'response'))[0] as IncomingMessage;

  it('arrives whole from a file, at a client that is slow', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'cairn-send-'));
    try {
      const data = randomBytes(9_000_001);
      const path = join(directory, 'data');
      await writeFile(path, data);
      await withServer(
        () => createReadStream(path, { highWaterMark: 1 << 18 }),
        async (url) => {
          const got: Buffer[] = [];
          await eachPiece(await ask(url), async (piece) => {
            got.push(piece);
            await new Promise((resolve) => setImmediate(resolve));
          });
          assert.ok(Buffer.concat(got).equals(data));
        },
      );
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it('leaves pieces alone that may be somebody else’s', async () => {
    const piece = Buffer.alloc(100_000, 'x');
    await withServer(
      () => Readable.from([piece, piece], { objectMode: false }),
      async (url) => {
        let bytes = 0;
        await eachPiece(await ask(url), (part) => void (bytes += part.length));
        assert.equal(bytes, 200_000);
        assert.equal(piece.length, 100_000);
      },
    );
  });

  it('is ended when the client goes away, and breaks the answer off when it fails', async () => {
    const endless = new Readable({ read: () => endless.push(Buffer.alloc(65_536)) });
    await withServer(
      () => endless,
      async (url) => {
        (await ask(url)).destroy();
        if (!endless.closed) await once(endless, 'close');
      },
    );
    const failing = new PassThrough();
    failing.write('begun');
    await withServer(
      () => failing,
      async (url) => {
        const answer = await ask(url);
        await assert.rejects(eachPiece(answer, () => void failing.destroy(new Error('disk'))));
      },
    );
  });
});
