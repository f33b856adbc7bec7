import { AUTHENTICATED } from '@cairn/kit/http/operation';
import Type from 'typebox';
import { answerOf } from '../attributes/answer.ts';
import { changeSubports, getSubports, trunkVerbs } from '../app/trunks.ts';
import { SUBPORTS, TRUNK } from '../resources/trunk.ts';
import { operationsOfKind } from './kinds.ts';
import { op } from './op.ts';

const body = Type.Object({ sub_ports: Type.Array(Type.Object({ port_id: Type.String({ format: 'uuid' }) })) });

const change = (verb: 'add' | 'remove') =>
  op({
    id: `neutron.trunk.${verb}-subports`,
    method: 'PUT',
    path: `/v2.0/trunks/{id}/${verb}_subports`,
    summary: verb === 'add' ? 'Add sub-ports to a trunk' : 'Remove sub-ports from a trunk',
    policy: AUTHENTICATED,
    asks: `${verb}_subports`,
    body,
    validation: 'handler',
    answer: answerOf(TRUNK),
    handle: async (app, req) => (await changeSubports(app, req.ctx, req.params.id as string, req.body, verb)).view,
  });

const listSubports = op({
  id: 'neutron.trunk.list-subports',
  method: 'GET',
  path: '/v2.0/trunks/{id}/get_subports',
  summary: 'List the sub-ports of a trunk',
  policy: AUTHENTICATED,
  asks: 'get_subports',
  answer: Type.Object({ sub_ports: SUBPORTS }),
  handle: (app, req) => getSubports(app, req.ctx, req.params.id as string),
});

export const trunkOperations = [...operationsOfKind(TRUNK, trunkVerbs, 'a trunk', 'trunks'), listSubports, change('add'), change('remove')];
