// Runs in stand-ins of guests. `serve PORT` answers who says hello by UDP, and swallows all else. The others do the same to each host in turn, over and
// over, and say how many milliseconds it took, a list of rounds in JSON: `datagrams PORT COUNT ROUNDS HOST...` sends that many in the flow that
// each host has answered; `calls PORT COUNT ROUNDS HOST...` opens that many connections, one after the other, to a port where nobody listens.
// In either case the sender's processor carries each packet all the way, so what others do to the receiver's changes nothing.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createConnection } from 'node:net';

const HELLO = 'hello';
const [what, port = '', size = '', rounds = '', ...hosts] = process.argv.slice(2);

function serve(): void {
  const socket = createSocket('udp4');
  socket.on('message', (data, from) => {
    if (data.length === HELLO.length) socket.send(data, from.port, from.address);
  });
  socket.bind(Number(port), () => process.stdout.write('ready\n'));
}

async function duel(doers: readonly (() => Promise<unknown>)[]): Promise<void> {
  const times: number[][] = [];
  for (let round = -50; round < Number(rounds); round++) {
    const took: number[] = [];
    const order = [...doers.keys()];
    // who is first, and who comes after whom, changes
    for (const i of round % 2 === 0 ? order : order.toReversed()) {
      const startMs = performance.now();
      await doers[i]?.();
      took[i] = performance.now() - startMs;
    }
    if (round >= 0) times.push(took);
  }
  process.stdout.write(`${JSON.stringify(times)}\n`, () => process.exit());
}

async function datagrams(host: string): Promise<() => Promise<unknown>> {
  const socket = createSocket('udp4');
  socket.connect(Number(port), host);
  await once(socket, 'connect');
  const again = setInterval(() => socket.send(HELLO), 100);
  await once(socket, 'message');
  clearInterval(again);
  const data = Buffer.alloc(1372);
  const send = (): Promise<void> => new Promise((resolve) => socket.send(data, () => resolve()));
  return () => Promise.all(Array.from({ length: Number(size) }, send));
}

const call = (host: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = createConnection({ host, port: Number(port) });
    socket.on('connect', () => reject(new Error('somebody listens')));
    socket.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNREFUSED' ? resolve() : reject(error)));
  });

async function calls(host: string): Promise<void> {
  for (let i = 0; i < Number(size); i++) await call(host);
}

if (what === 'serve') serve();
else if (what === 'datagrams') await duel(await Promise.all(hosts.map(datagrams)));
else await duel(hosts.map((host) => () => calls(host)));
