import { Reply } from '@cairn/kit/http/operation';
import Type from 'typebox';
import { op } from './op.ts';

const closed = { additionalProperties: false };
const PATH = '/v2.1/servers/{server_id}/action';

/** Gone from 2.44 on, where ports are changed in neutron instead. */
export const fixedIpOperations = [
  op({
    id: 'nova.server.add-fixed-ip',
    method: 'POST',
    path: PATH,
    action: 'addFixedIp',
    summary: 'Give a server another address of a network',
    until: '2.43',
    policy: 'os_compute_api:os-multinic:add',
    answer: 'none',
    body: Type.Object(
      {
        addFixedIp: Type.Object({ networkId: Type.Unsafe<string | number>({ type: ['string', 'number'], minLength: 1, maxLength: 36 }) }, closed),
      },
      closed,
    ),
    async handle(app, req) {
      await app.fixedIps.add(req, req.params.server_id as string, String(req.body.addFixedIp.networkId));
      return new Reply(undefined, { status: 202 });
    },
  }),
  op({
    id: 'nova.server.remove-fixed-ip',
    method: 'POST',
    path: PATH,
    action: 'removeFixedIp',
    summary: 'Take an address from a server',
    until: '2.43',
    policy: 'os_compute_api:os-multinic:remove',
    answer: 'none',
    body: Type.Object({ removeFixedIp: Type.Object({ address: Type.String({ format: 'ip' }) }, closed) }, closed),
    async handle(app, req) {
      await app.fixedIps.remove(req, req.params.server_id as string, req.body.removeFixedIp.address);
      return new Reply(undefined, { status: 202 });
    },
  }),
];
