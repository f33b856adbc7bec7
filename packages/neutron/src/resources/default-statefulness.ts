import Type from 'typebox';
import { defineResource } from '../attributes/resource.ts';
import { flag, id, textSchema } from '../attributes/standard.ts';
import { orNull, PROJECT_ID_LENGTH, string } from '../attributes/validators.ts';

/** neutron_lib/api/definitions/security_groups_default_statefulness.py. One is called as many are. */
export const DEFAULT_STATEFULNESS = defineResource({
  name: 'security_groups_default_statefulness',
  title: 'DefaultStatefulness',
  collection: 'security_groups_default_statefulness',
  path: 'security-groups-default-statefulness',
  bulk: false,
  attributes: {
    id,
    tenant_id: {
      post: true,
      default: null,
      validate: orNull(string(PROJECT_ID_LENGTH)),
      requiredByPolicy: true,
      filter: true,
      sort: true,
      schema: Type.Union([textSchema('The project that it is for; null for all that have none of their own.', PROJECT_ID_LENGTH), Type.Null()]),
    },
    stateful: flag(true, 'Are new security groups stateful?'),
  },
});
