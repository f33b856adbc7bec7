import type { Server } from 'node:net';
import { handedSocket } from '../kernel/handed-socket.ts';

/** The connections come to this process with the clients' own addresses. */
const HELPER = `
process.on('message', ({ host, port }) => {
  const server = require('node:net').createServer();
  const fail = (error) => process.send({ error: error.code || error.message });
  server.once('error', fail);
  server.listen(port, host, 511, () => process.send({ ok: true }, server));
});
`;

/** Opens a TCP listener in a namespace. The server that is returned has the socket and no handler yet; pass it to another server's `listen`. */
export const listenIn = (netns: string, host: string, port: number): Promise<Server> => handedSocket(netns, HELPER, { host, port });
