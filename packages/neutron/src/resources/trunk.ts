import Type from 'typebox';
import type { Validator } from '../attributes/attribute.ts';
import { defineResource } from '../attributes/resource.ts';
import { adminStateUp, id, name, standardAttributes, status, tagAttributes, tenantId, uuidSchema } from '../attributes/standard.ts';
import { uuid } from '../attributes/validators.ts';
import { pyRepr, pyStr } from '../net/python-text.ts';

/** One entry of `sub_ports`, as a client gives it. */
export interface SubportRequest {
  readonly port_id: string;
  readonly segmentation_type?: string;
  readonly segmentation_id?: unknown;
}

/** neutron_lib/api/validators: validate_subports. */
export const subports: Validator = (value) => {
  if (!Array.isArray(value)) return `Invalid data format for subports: '${pyStr(value)}' is not a list`;
  const ids = new Set<string>();
  const used = new Set<string>();
  for (const subport of value as unknown[]) {
    if (subport === null || typeof subport !== 'object' || Array.isArray(subport)) return `Invalid data format for subport: '${pyStr(subport)}' is not a dict`;
    const { port_id: portId, segmentation_type: type, segmentation_id: segment } = subport as Record<string, unknown>;
    if (portId === undefined) return 'A valid port UUID must be specified';
    if (uuid(portId) !== undefined) return `Invalid UUID for subport: '${pyStr(portId)}'`;
    if (ids.has(portId as string)) return `Non unique UUID for subport: '${pyStr(portId)}'`;
    ids.add(portId as string);
    if (type === 'inherit') continue;
    if ((!type || segment === undefined || segment === null) && Object.keys(subport).length > 1) {
      return `Invalid subport details '${pyRepr(subport)}': missing segmentation information. Must specify both segmentation_id and segmentation_type`;
    }
    if (segment === undefined) continue;
    const key = `${pyStr(type)} ${pyStr(segment)}`;
    if (used.has(key)) return `Segmentation ID '${pyStr(segment)}' for '${portId}' is not unique`;
    used.add(key);
  }
  return undefined;
};

/** What is shown of the ports that VLANs of a trunk lead to. */
export const SUBPORTS = Type.Array(
  Type.Object({ port_id: Type.String({ format: 'uuid' }), segmentation_id: Type.Integer(), segmentation_type: Type.String() }, { title: 'Subport' }),
);

/** neutron_lib/api/definitions/trunk.py */
export const TRUNK = defineResource({
  name: 'trunk',
  attributes: {
    id,
    name,
    admin_state_up: adminStateUp,
    tenant_id: tenantId,
    port_id: {
      post: true,
      validate: uuid,
      requiredByPolicy: true,
      filter: true,
      sort: true,
      schema: uuidSchema('The port whose frames without a tag are its own.'),
    },
    status,
    sub_ports: {
      post: true,
      default: [],
      validate: subports,
      enforcePolicy: true,
      schema: Type.Array(
        Type.Object({
          port_id: Type.String({ format: 'uuid' }),
          segmentation_type: Type.Optional(Type.String()),
          segmentation_id: Type.Optional(Type.Integer()),
        }),
        { description: 'The ports that its VLANs lead to.' },
      ),
      answer: SUBPORTS,
    },
    ...standardAttributes,
    ...tagAttributes,
  },
});
