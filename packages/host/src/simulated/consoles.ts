import { Duplex } from 'node:stream';

const WIDTH = 64;
const HEIGHT = 48;

/**
 * The display of a guest that has none: an RFB 3.8 server (RFC 6143) without authentication that shows one grey picture, as far as a viewer
 * needs it to begin.
 */
export function simulatedDisplay(name: string): Duplex {
  let unread = Buffer.alloc(0);
  let stage: 'version' | 'security' | 'init' | 'run' = 'version';
  const stream = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      unread = Buffer.concat([unread, chunk]);
      while (step()) {}
      done();
    },
    final(done) {
      stream.push(null);
      done();
    },
  });
  const take = (bytes: number): Buffer | undefined => {
    if (unread.length < bytes) return undefined;
    const taken = unread.subarray(0, bytes);
    unread = unread.subarray(bytes);
    return taken;
  };
  const step = (): boolean => {
    switch (stage) {
      case 'version':
        if (take(12) === undefined) return false;
        // one security type: none
        stream.push(Buffer.from([1, 1]));
        stage = 'security';
        return true;
      case 'security':
        if (take(1) === undefined) return false;
        stream.push(Buffer.alloc(4));
        stage = 'init';
        return true;
      case 'init':
        if (take(1) === undefined) return false;
        stream.push(serverInit(name));
        stage = 'run';
        return true;
      case 'run':
        return message();
    }
  };
  const message = (): boolean => {
    const [type] = unread;
    if (type === undefined) return false;
    if (type === 2) {
      if (unread.length < 4) return false;
      return take(4 + 4 * unread.readUInt16BE(2)) !== undefined;
    }
    if (type === 6) {
      if (unread.length < 8) return false;
      return take(8 + unread.readUInt32BE(4)) !== undefined;
    }
    const asked = take(LENGTHS[type] ?? unread.length);
    if (asked !== undefined && type === 3) stream.push(picture());
    return asked !== undefined;
  };
  stream.push(Buffer.from('RFB 003.008\n'));
  return stream;
}

/** Bytes of the messages of a viewer by type: pixel format, update request, key, pointer. */
const LENGTHS: Readonly<Record<number, number>> = { 0: 20, 3: 10, 4: 8, 5: 6 };

function serverInit(name: string): Buffer {
  const text = Buffer.from(name);
  const head = Buffer.alloc(24);
  head.writeUInt16BE(WIDTH, 0);
  head.writeUInt16BE(HEIGHT, 2);
  // 32 bits per pixel, 24 deep, little endian, true colour, 8 bits each
  head.set([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0], 4);
  head.writeUInt32BE(text.length, 20);
  return Buffer.concat([head, text]);
}

function picture(): Buffer {
  const head = Buffer.alloc(16);
  head.writeUInt16BE(1, 2);
  head.writeUInt16BE(WIDTH, 8);
  head.writeUInt16BE(HEIGHT, 10);
  return Buffer.concat([head, Buffer.alloc(WIDTH * HEIGHT * 4, 0x80)]);
}

/** A serial line that shows what the console log holds and echoes what is typed. */
export function simulatedSerial(log: string): Duplex {
  const stream = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      stream.push(chunk);
      done();
    },
    final(done) {
      stream.push(null);
      done();
    },
  });
  stream.push(Buffer.from(log));
  return stream;
}
