import Type from 'typebox';
import { NOT_SPECIFIED } from '../attributes/attribute.ts';
import { toBooleanOrNull } from '../attributes/converters.ts';
import { defineResource } from '../attributes/resource.ts';
import { id, longDescription, name, standardAttributes, tenantId, uuidSchema } from '../attributes/standard.ts';
import { ipAddress, orNull, uuid } from '../attributes/validators.ts';

/** neutron_lib/api/definitions/l3_ndp_proxy.py */
export const NDP_PROXY = defineResource({
  name: 'ndp_proxy',
  collection: 'ndp_proxies',
  path: 'ndp-proxies',
  attributes: {
    id,
    name,
    tenant_id: tenantId,
    router_id: { post: true, validate: uuid, filter: true, sort: true, schema: uuidSchema('The router that answers outside.') },
    port_id: { post: true, validate: uuid, filter: true, sort: true, schema: uuidSchema('The port that has the address.') },
    ip_address: {
      post: true,
      default: null,
      validate: orNull(ipAddress),
      filter: true,
      sort: true,
      schema: Type.Union([Type.String(), Type.Null()], { description: 'The IPv6 address; one of the port that the router reaches where none is given.' }),
      answer: Type.String(),
    },
    ...standardAttributes,
    description: longDescription,
  },
});

/** Whether a router may answer for addresses inside (l3_ext_ndp_proxy). */
export const enableNdpProxy = {
  post: true,
  put: true,
  default: NOT_SPECIFIED,
  convert: toBooleanOrNull,
  filter: true,
  schema: Type.Union([Type.Boolean(), Type.Null()], { description: 'May it answer outside for IPv6 addresses that are inside?' }),
  answer: Type.Boolean(),
};
