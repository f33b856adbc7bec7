// Runs in a test guest: answers TCP on ports 22, 80 and 8080 and UDP on 53 and 5000, and tries to reach others as it is told, a line of JSON each.
import { createSocket } from 'node:dgram';
import { createConnection, createServer } from 'node:net';
import { createInterface } from 'node:readline';

await Promise.all([22, 80, 8080].map((port) => new Promise<void>((resolve) => createServer((socket) => socket.end()).listen(port, '0.0.0.0', resolve))));
for (const port of [53, 5000]) {
  const server = createSocket('udp4');
  server.on('message', (data, from) => server.send(data, from.port, from.address));
  await new Promise<void>((resolve) => server.bind(port, resolve));
}
interface Order {
  readonly id: number;
  readonly protocol: number;
  readonly host: string;
  readonly port: number;
  readonly localPort: number;
  readonly forMs: number;
}

const say = (id: number, reached: boolean): boolean => process.stdout.write(`${JSON.stringify({ id, reached })}\n`);
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, protocol, host, port, localPort, forMs } = JSON.parse(line) as Order;
  if (protocol === 6) {
    const socket = createConnection({ host, port, localPort });
    const end = (reached: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      say(id, reached);
    };
    const timer = setTimeout(() => end(false), forMs);
    socket.on('connect', () => end(true));
    socket.on('error', () => end(false));
    return;
  }
  const socket = createSocket('udp4');
  const send = (): void => socket.send('hello', port, host, () => {});
  let again: NodeJS.Timeout | undefined;
  const end = (reached: boolean): void => {
    clearTimeout(timer);
    clearInterval(again);
    socket.close();
    say(id, reached);
  };
  const timer = setTimeout(() => end(false), forMs);
  socket.on('message', (_data, from) => from.address === host && end(true));
  socket.on('error', () => end(false));
  socket.bind(localPort, () => {
    send();
    again = setInterval(send, 300);
  });
});
process.stdout.write('ready\n');
