import { AUTHENTICATED } from '@cairn/kit/http/operation';
import Type from 'typebox';
import { explainPath } from '../app/path.ts';
import { updatePortById } from '../app/port-update.ts';
import { createPorts, deletePortById, getPort, listPorts } from '../app/ports.ts';
import { PORT } from '../resources/port.ts';
import { op } from './op.ts';
import { pathAnswer } from './path-answer.ts';
import { createOf, deleteOf, listOf, showOf, updateOf } from './verbs.ts';

const showPath = op({
  id: 'neutron.port.path',
  method: 'GET',
  path: '/v2.0/ports/{id}/path',
  summary: 'Explain whether a packet of a port passes, and what stops it',
  policy: AUTHENTICATED,
  asks: 'get_port_path',
  query: Type.Object({
    destination: Type.String({ description: 'An IP address, or the id of a port' }),
    protocol: Type.Optional(Type.String({ description: 'As in security group rules; default icmp' })),
    destination_port: Type.Optional(Type.String({ description: '1 to 65535; with tcp and udp it is needed' })),
    source_port: Type.Optional(Type.String({ description: 'Default 49152; stateless groups ask for it' })),
    source_ip: Type.Optional(Type.String({ description: "Default: the port's first address of the destination's IP version" })),
  }),
  validation: 'handler',
  answer: pathAnswer,
  handle: async (app, req) => ({ path: await explainPath(app, req.ctx, req.params.id as string, req.query) }),
});

export const portOperations = [
  listOf(PORT, 'List ports', listPorts),
  showOf(PORT, 'Show a port', getPort),
  createOf(PORT, 'Create ports', createPorts),
  updateOf(PORT, 'Update a port', updatePortById),
  deleteOf(PORT, 'Delete a port', deletePortById),
  showPath,
];
