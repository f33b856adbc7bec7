import { AUTHENTICATED } from '@cairn/kit/http/operation';
import Type from 'typebox';
import { createAddressScopes, deleteAddressScopeById, getAddressScope, listAddressScopes, updateAddressScopeById } from '../app/address-scopes.ts';
import {
  changePrefixes,
  createSubnetPools,
  deleteSubnetPoolById,
  getSubnetPool,
  listSubnetPools,
  onboardSubnets,
  updateSubnetPoolById,
} from '../app/subnetpools.ts';
import { ADDRESS_SCOPE, SUBNETPOOL } from '../resources/subnet.ts';
import { op } from './op.ts';
import { createOf, deleteOf, listOf, showOf, updateOf } from './verbs.ts';

const prefixesAnswer = Type.Object({ prefixes: Type.Array(Type.String()) });

const addPrefixes = op({
  id: 'neutron.subnetpool.add-prefixes',
  method: 'PUT',
  path: '/v2.0/subnetpools/{id}/add_prefixes',
  summary: 'Add prefixes to a subnet pool',
  policy: AUTHENTICATED,
  asks: 'add_prefixes',
  answer: prefixesAnswer,
  handle: (app, req) => changePrefixes(app, req.ctx, req.params.id as string, req.body, 'add'),
});

const removePrefixes = op({
  id: 'neutron.subnetpool.remove-prefixes',
  method: 'PUT',
  path: '/v2.0/subnetpools/{id}/remove_prefixes',
  summary: 'Remove prefixes from a subnet pool',
  policy: AUTHENTICATED,
  asks: 'remove_prefixes',
  answer: prefixesAnswer,
  handle: (app, req) => changePrefixes(app, req.ctx, req.params.id as string, req.body, 'remove'),
});

const onboard = op({
  id: 'neutron.subnetpool.onboard-network-subnets',
  method: 'PUT',
  path: '/v2.0/subnetpools/{id}/onboard_network_subnets',
  summary: "Make a network's subnets part of a subnet pool",
  policy: AUTHENTICATED,
  asks: 'onboard_network_subnets',
  answer: Type.Array(Type.Object({ id: Type.String(), cidr: Type.String() })),
  handle: (app, req) => onboardSubnets(app, req.ctx, req.params.id as string, req.body),
});

export const subnetPoolOperations = [
  listOf(SUBNETPOOL, 'List subnet pools', listSubnetPools),
  showOf(SUBNETPOOL, 'Show a subnet pool', getSubnetPool),
  createOf(SUBNETPOOL, 'Create subnet pools', createSubnetPools),
  updateOf(SUBNETPOOL, 'Update a subnet pool', updateSubnetPoolById),
  deleteOf(SUBNETPOOL, 'Delete a subnet pool', deleteSubnetPoolById),
  addPrefixes,
  removePrefixes,
  onboard,
  listOf(ADDRESS_SCOPE, 'List address scopes', listAddressScopes),
  showOf(ADDRESS_SCOPE, 'Show an address scope', getAddressScope),
  createOf(ADDRESS_SCOPE, 'Create address scopes', createAddressScopes),
  updateOf(ADDRESS_SCOPE, 'Update an address scope', updateAddressScopeById),
  deleteOf(ADDRESS_SCOPE, 'Delete an address scope', deleteAddressScopeById),
];
