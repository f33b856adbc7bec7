import Type from 'typebox';
import { NOT_SPECIFIED } from '../attributes/attribute.ts';
import { nullToEmptyList } from '../attributes/converters.ts';
import { defineResource } from '../attributes/resource.ts';
import { id, name, standardAttributes, tenantId } from '../attributes/standard.ts';
import { listOf, subnet } from '../attributes/validators.ts';

/** neutron_lib/api/definitions/address_group.py */
export const ADDRESS_GROUP = defineResource({
  name: 'address_group',
  path: 'address-groups',
  attributes: {
    id,
    name,
    tenant_id: tenantId,
    addresses: {
      post: true,
      default: NOT_SPECIFIED,
      convert: nullToEmptyList,
      validate: listOf(subnet),
      schema: Type.Array(Type.String(), { description: 'Networks in CIDR form.' }),
    },
    shared: { visible: false, requiredByPolicy: true, schema: Type.Boolean({ description: 'Is it shared with the project?' }) },
    ...standardAttributes,
  },
});
