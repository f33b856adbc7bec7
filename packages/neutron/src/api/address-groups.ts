import { AUTHENTICATED } from '@cairn/kit/http/operation';
import {
  changeAddresses,
  createAddressGroups,
  deleteAddressGroupById,
  getAddressGroup,
  listAddressGroups,
  updateAddressGroupById,
} from '../app/address-groups.ts';
import { oneAnswer } from '../attributes/answer.ts';
import { ADDRESS_GROUP } from '../resources/address-group.ts';
import { op } from './op.ts';
import { createOf, deleteOf, listOf, renderOne, showOf, updateOf } from './verbs.ts';

const change = (verb: 'add' | 'remove', summary: string) =>
  op({
    id: `neutron.address-group.${verb}-addresses`,
    method: 'PUT',
    path: `/v2.0/address-groups/{id}/${verb}_addresses`,
    summary,
    policy: AUTHENTICATED,
    asks: `${verb}_addresses`,
    answer: oneAnswer(ADDRESS_GROUP),
    handle: async (app, req) => renderOne(app, ADDRESS_GROUP, req.ctx, await changeAddresses(app, req.ctx, req.params.id as string, req.body, verb)),
  });

export const addressGroupOperations = [
  listOf(ADDRESS_GROUP, 'List address groups', listAddressGroups),
  showOf(ADDRESS_GROUP, 'Show an address group', getAddressGroup),
  createOf(ADDRESS_GROUP, 'Create address groups', createAddressGroups),
  updateOf(ADDRESS_GROUP, 'Update an address group', updateAddressGroupById),
  deleteOf(ADDRESS_GROUP, 'Delete an address group', deleteAddressGroupById),
  change('add', 'Add addresses to an address group'),
  change('remove', 'Remove addresses from an address group'),
];
