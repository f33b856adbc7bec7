import { AUTHENTICATED } from '@cairn/kit/http/operation';
import { createFloatingIps, deleteFloatingIpById, getFloatingIp, listFloatingIps, updateFloatingIpById } from '../app/floatingips.ts';
import { explainPathToFloatingIp } from '../app/path.ts';
import { FLOATINGIP } from '../resources/router.ts';
import { portForwardingVerbs } from '../app/port-forwardings.ts';
import { PORT_FORWARDING } from '../resources/port-forwarding.ts';
import { operationsOfKind } from './kinds.ts';
import { op } from './op.ts';
import { pathAnswer } from './path-answer.ts';
import { FROM_OUTSIDE } from './path-query.ts';
import { createOf, deleteOf, listOf, showOf, updateOf } from './verbs.ts';

const showPath = op({
  id: 'neutron.floatingip.path',
  method: 'GET',
  path: '/v2.0/floatingips/{id}/path',
  summary: 'Explain whether a packet from outside to a floating IP passes, and what stops it',
  policy: AUTHENTICATED,
  asks: 'get_floatingip_path',
  query: FROM_OUTSIDE,
  validation: 'handler',
  answer: pathAnswer,
  handle: async (app, req) => ({ path: await explainPathToFloatingIp(app, req.ctx, req.params.id as string, req.query) }),
});

export const floatingIpOperations = [
  listOf(FLOATINGIP, 'List floating IPs', listFloatingIps),
  showOf(FLOATINGIP, 'Show a floating IP', getFloatingIp),
  createOf(FLOATINGIP, 'Allocate floating IPs', createFloatingIps),
  updateOf(FLOATINGIP, 'Associate or disassociate a floating IP', updateFloatingIpById),
  deleteOf(FLOATINGIP, 'Release a floating IP', deleteFloatingIpById),
  showPath,
  ...operationsOfKind(PORT_FORWARDING, portForwardingVerbs, 'a port forwarding', 'port forwardings of a floating IP'),
];
