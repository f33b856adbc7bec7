import type { Server } from 'node:net';
import { start } from '../../process/run.ts';

/**
 * A socket that listens in another namespace belongs to it for good, whoever holds it. So a helper is started there, listens, hands the
 * socket over Node's own channel to its parent, and ends. The connections come to this process with the clients' own addresses.
 */
const HELPER = `
process.once('message', ({ host, port }) => {
  const server = require('node:net').createServer();
  const fail = (error) => process.send({ error: error.code || error.message }, () => process.exit(1));
  server.once('error', fail);
  server.listen(port, host, 511, () => process.send({ ok: true }, server, { keepOpen: false }, () => process.exit(0)));
});
`;
const TIMEOUT_MS = 20_000;

/** Opens a TCP listener in a namespace. The server that is returned has the socket and no handler yet; pass it to another server's `listen`. */
export function listenIn(netns: string, host: string, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const child = start(process.execPath, ['-e', HELPER], { netns, dieWithParent: true, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    const timer = setTimeout(() => end(new Error(`no listener in ${netns} after ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
    const end = (result: Server | Error): void => {
      clearTimeout(timer);
      child.removeAllListeners();
      child.on('error', () => {});
      child.kill('SIGKILL');
      if (result instanceof Error) reject(result);
      else resolve(result);
    };
    child.on('message', (message: { readonly error?: string }, handle) =>
      end(message.error === undefined ? (handle as Server) : new Error(`cannot listen in ${netns}: ${message.error}`)),
    );
    child.on('error', end);
    child.on('exit', (code) => end(new Error(`the helper in ${netns} ended with status ${code}`)));
    child.send({ host, port });
  });
}
