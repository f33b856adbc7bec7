import { createNetworks, deleteNetworkById, getNetwork, listNetworks, updateNetworkById } from '../app/networks.ts';
import { NETWORK } from '../resources/network.ts';
import { createOf, deleteOf, listOf, showOf, updateOf } from './verbs.ts';

export const networkOperations = [
  listOf(NETWORK, 'List networks', listNetworks),
  showOf(NETWORK, 'Show a network', getNetwork),
  createOf(NETWORK, 'Create networks', createNetworks),
  updateOf(NETWORK, 'Update a network', updateNetworkById),
  deleteOf(NETWORK, 'Delete a network', deleteNetworkById),
];
