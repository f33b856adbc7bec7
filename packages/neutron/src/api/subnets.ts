import { deleteSubnetById, updateSubnetById } from '../app/subnet-update.ts';
import { createSubnets, getSubnet, listSubnets } from '../app/subnets.ts';
import { SUBNET } from '../resources/subnet.ts';
import { createOf, deleteOf, listOf, showOf, updateOf } from './verbs.ts';

export const subnetOperations = [
  listOf(SUBNET, 'List subnets', listSubnets),
  showOf(SUBNET, 'Show a subnet', getSubnet),
  createOf(SUBNET, 'Create subnets', createSubnets),
  updateOf(SUBNET, 'Update a subnet', updateSubnetById),
  deleteOf(SUBNET, 'Delete a subnet', deleteSubnetById),
];
