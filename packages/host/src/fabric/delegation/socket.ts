import type { Socket } from 'node:dgram';
import { handedSocket } from '../kernel/handed-socket.ts';

/**
 * The socket is bound to the link-local address of one link, so the kernel gives it nothing that came by another, and sends what is multicast
 * by that link.
 */
const HELPER = `
process.on('message', ({ link, port }) => {
  const fail = (error) => process.send({ error: error.code || error.message });
  const entry = (require('node:os').networkInterfaces()[link] || []).find(({ family, address }) => family === 'IPv6' && address.startsWith('fe80:'));
  if (!entry) return fail(new Error('the link has no link-local address'));
  const socket = require('node:dgram').createSocket({ type: 'udp6', ipv6Only: true });
  socket.once('error', fail);
  socket.bind({ address: entry.address + '%' + link, port, exclusive: true }, () => process.send({ ok: true }, socket));
});
`;

/** Opens a UDP socket at a link of a namespace. */
export const socketAt = (netns: string, link: string, port: number): Promise<Socket> => handedSocket(netns, HELPER, { link, port });
