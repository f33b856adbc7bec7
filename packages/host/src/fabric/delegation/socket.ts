import type { Socket } from 'node:dgram';
import { start } from '../../process/run.ts';

/**
 * As for the metadata service (metadata/listen.ts), a helper opens the socket in the other namespace and hands it over. It is bound to the
 * link-local address of one link, so the kernel gives it nothing that came by another, and sends what is multicast by that link.
 */
const HELPER = `
process.once('message', ({ link, port }) => {
  const fail = (error) => process.send({ error: error.code || error.message }, () => process.exit(1));
  const entry = (require('node:os').networkInterfaces()[link] || []).find(({ family, address }) => family === 'IPv6' && address.startsWith('fe80:'));
  if (!entry) return fail(new Error('the link has no link-local address'));
  const socket = require('node:dgram').createSocket({ type: 'udp6', ipv6Only: true });
  socket.once('error', fail);
  socket.bind({ address: entry.address + '%' + link, port, exclusive: true }, () => process.send({ ok: true }, socket, () => process.exit(0)));
});
`;
const TIMEOUT_MS = 20_000;

/** Opens a UDP socket at a link of a namespace. */
export function socketAt(netns: string, link: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const child = start(process.execPath, ['-e', HELPER], { netns, dieWithParent: true, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    const timer = setTimeout(() => end(new Error(`no socket in ${netns} after ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
    const end = (result: Socket | Error): void => {
      clearTimeout(timer);
      child.removeAllListeners();
      child.on('error', () => {});
      child.kill('SIGKILL');
      if (result instanceof Error) reject(result);
      else resolve(result);
    };
    child.on('message', (message: { readonly error?: string }, handle) =>
      end(message.error === undefined ? (handle as Socket) : new Error(`cannot listen in ${netns}: ${message.error}`)),
    );
    child.on('error', end);
    child.on('exit', (code) => end(new Error(`the helper in ${netns} ended with status ${code}`)));
    child.send({ link, port });
  });
}
