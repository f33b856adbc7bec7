// Runs in a stand-in of a guest: `HOST` says of each port that it is given, a line each, when somebody at the host says that it is closed.
import { createConnection } from 'node:net';
import { createInterface } from 'node:readline';

const [host = ''] = process.argv.slice(2);
createInterface({ input: process.stdin }).on('line', (port) => {
  let said = false;
  const timer = setInterval(() => {
    const socket = createConnection({ host, port: Number(port) });
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
