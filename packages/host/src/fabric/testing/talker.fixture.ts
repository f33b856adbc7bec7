// Runs in a test guest: answers TCP on ports 22, 80 and 8080 and UDP on 53 and 5000, and tries to reach others as it is told, a line of JSON each.
import { createSocket } from 'node:dgram';
import { createConnection, createServer } from 'node:net';
import { createInterface } from 'node:readline';

await Promise.all([22, 80, 8080].map((port) => new Promise<void>((resolve) => createServer((socket) => socket.end()).listen(port, '::', resolve))));
for (const port of [53, 5000]) {
  for (const [type, any] of [
    ['udp4', '0.0.0.0'],
    ['udp6', '::'],
  ] as const) {
    const server = createSocket({ type, ipv6Only: type === 'udp6' });
    server.on('message', (data, from) => server.send(data, from.port, from.address, () => {}));
    await new Promise<void>((resolve) => server.bind(port, any, resolve));
  }
}
interface Order {
  readonly id: number;
  readonly protocol: number;
  readonly host: string;
  readonly port: number;
  readonly localPort: number;
  /** The address to call from; any without it. */
  readonly localAddress?: string;
  readonly forMs: number;
}

const say = (id: number, reached: boolean): boolean => process.stdout.write(`${JSON.stringify({ id, reached })}\n`);

/** Calls until it is answered or the time is over. */
function call({ id, host, port, localPort, localAddress, forMs }: Order): void {
  const endMs = Date.now() + forMs;
  const attempt = (): void => {
    const socket = createConnection({ host, port, localPort, ...(localAddress !== undefined && { localAddress }) });
    const end = (reached: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      if (reached || Date.now() + 300 > endMs) say(id, reached);
      else setTimeout(attempt, 300);
    };
    const timer = setTimeout(() => end(false), endMs - Date.now());
    socket.on('connect', () => end(true));
    socket.on('error', () => end(false));
  };
  attempt();
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const order = JSON.parse(line) as Order;
  if (order.protocol === 6) {
    call(order);
    return;
  }
  const { id, host, port, localPort, localAddress, forMs } = order;
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
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
  socket.bind(localPort, localAddress, () => {
    send();
    again = setInterval(send, 300);
  });
});
process.stdout.write('ready\n');
