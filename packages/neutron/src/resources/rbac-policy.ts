import Type from 'typebox';
import { defineResource } from '../attributes/resource.ts';
import { id, tenantId, textSchema, uuidSchema } from '../attributes/standard.ts';
import { DESCRIPTION_LENGTH, string, uuid } from '../attributes/validators.ts';
import { invalidInput } from '../errors.ts';
import { pyStr } from '../net/python-text.ts';

/** What may be shared, with what it may be shared for. */
export const SHAREABLE: Readonly<Record<string, readonly string[]>> = {
  network: ['access_as_shared', 'access_as_external'],
  subnetpool: ['access_as_shared'],
  address_scope: ['access_as_shared'],
  address_group: ['access_as_shared'],
  security_group: ['access_as_shared'],
  qos_policy: ['access_as_shared'],
};

const TYPES = Object.keys(SHAREABLE);

/** neutron/extensions/rbac.py */
export const RBAC_POLICY = defineResource({
  name: 'rbac_policy',
  collection: 'rbac_policies',
  path: 'rbac-policies',
  attributes: {
    id,
    object_type: {
      post: true,
      default: null,
      filter: true,
      sort: true,
      enforcePolicy: true,
      convert(value) {
        const normal = typeof value === 'string' ? value.trim().toLowerCase() : '';
        if (!TYPES.includes(normal)) throw invalidInput(`'${pyStr(value)}' is not a valid RBAC object type`);
        return normal;
      },
      schema: Type.Enum(TYPES, { description: 'What is shared.' }),
    },
    object_id: { post: true, validate: uuid, filter: true, sort: true, enforcePolicy: true, schema: uuidSchema('Which one is shared.') },
    target_tenant: {
      post: true,
      put: true,
      filter: true,
      sort: true,
      enforcePolicy: true,
      validate(value) {
        // projects of old clouds have ids of all forms, but never that of a path or a sentence
        if (value === '*' || (typeof value === 'string' && /^[\w-]{1,64}$/.test(value))) return undefined;
        throw invalidInput(`'${pyStr(value)}' is not a valid target project ID; expected a UUID or '*'`);
      },
      schema: textSchema('The project that it is shared with, or * for all.'),
    },
    // policy knows target_tenant by this name besides
    target_project: { visible: false, requiredByPolicy: true, schema: textSchema('The same as target_tenant.') },
    tenant_id: tenantId,
    action: {
      post: true,
      validate: string(DESCRIPTION_LENGTH),
      filter: true,
      sort: true,
      enforcePolicy: true,
      schema: Type.Enum(['access_as_shared', 'access_as_external'], { description: 'What the project may do with it.' }),
    },
  },
});
