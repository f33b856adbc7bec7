import { createFloatingIps, deleteFloatingIpById, getFloatingIp, listFloatingIps, updateFloatingIpById } from '../app/floatingips.ts';
import { FLOATINGIP } from '../resources/router.ts';
import { portForwardingVerbs } from '../app/port-forwardings.ts';
import { PORT_FORWARDING } from '../resources/port-forwarding.ts';
import { operationsOfKind } from './kinds.ts';
import { createOf, deleteOf, listOf, showOf, updateOf } from './verbs.ts';

export const floatingIpOperations = [
  listOf(FLOATINGIP, 'List floating IPs', listFloatingIps),
  showOf(FLOATINGIP, 'Show a floating IP', getFloatingIp),
  createOf(FLOATINGIP, 'Allocate floating IPs', createFloatingIps),
  updateOf(FLOATINGIP, 'Associate or disassociate a floating IP', updateFloatingIpById),
  deleteOf(FLOATINGIP, 'Release a floating IP', deleteFloatingIpById),
  ...operationsOfKind(PORT_FORWARDING, portForwardingVerbs, 'a port forwarding', 'port forwardings of a floating IP'),
];
