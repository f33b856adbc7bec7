// Runs in stand-ins of guests: `serve PORT` takes what comes; `send HOST PORT MS` sends as fast as it can and says how many bytes went per second;
// `probe HOST` says of each port that it is given, a line each, when somebody there says that it is closed.
import { createConnection, createServer } from 'node:net';
import { createInterface } from 'node:readline';

const [what, ...rest] = process.argv.slice(2);
if (what === 'serve') {
  createServer((socket) => socket.resume().on('error', () => {})).listen(Number(rest[0]), () => process.stdout.write('ready\n'));
} else if (what === 'probe') {
  createInterface({ input: process.stdin }).on('line', (port) => {
    let said = false;
    const timer = setInterval(() => {
      const socket = createConnection({ host: rest[0] ?? '', port: Number(port) });
      // what is dropped is sent again by the system after a second only
      setTimeout(() => socket.destroy(), 60);
      socket.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ECONNREFUSED' || said) return;
        said = true;
        clearInterval(timer);
        process.stdout.write(`${port}\n`);
      });
    }, 2);
  });
  process.stdout.write('ready\n');
} else {
  const [host = '', port, forMs] = rest;
  const piece = Buffer.alloc(256 * 1024);
  const socket = createConnection({ host, port: Number(port) });
  socket.on('connect', () => {
    const startMs = performance.now();
    const send = (): void => {
      while (performance.now() - startMs < Number(forMs)) if (!socket.write(piece)) return void socket.once('drain', send);
      const perSecond = ((socket.bytesWritten - socket.writableLength) * 1000) / (performance.now() - startMs);
      socket.destroy();
      process.stdout.write(`${JSON.stringify(perSecond)}\n`);
    };
    send();
  });
}
