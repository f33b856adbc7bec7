import * as t from './types.ts';

const trustedCerts = { type: ['array', 'null'], minItems: 1, maxItems: 50, uniqueItems: true, items: { type: 'string', minLength: 1 } };
const base = {
  name: t.name,
  imageRef: t.uuid,
  adminPass: { type: 'string' },
  metadata: t.metadata,
  preserve_ephemeral: t.boolean,
  'OS-DCF:diskConfig': t.diskConfig,
  accessIPv4: t.ipv4,
  accessIPv6: t.ipv6,
};
const personality = {
  type: 'array',
  items: { type: 'object', properties: { path: { type: 'string' }, contents: t.base64 }, additionalProperties: false },
};
const described = { ...base, description: t.description };
const keyed = { ...described, key_name: t.nameOrNull };
const withData = { ...keyed, user_data: { ...t.base64, type: ['string', 'null'], maxLength: 65_535 } };
const certified = { ...withData, trusted_image_certificates: trustedCerts };
const form = (properties: Readonly<Record<string, object>>) => t.actionBody('rebuild', t.object(properties, ['imageRef']));

/** Body of the action `rebuild` (nova/api/openstack/compute/schemas/servers.py). */
export const rebuildServer = [
  { from: '2.1', schema: form({ ...base, personality }) },
  { from: '2.19', schema: form({ ...described, personality }) },
  { from: '2.54', schema: form({ ...keyed, personality }) },
  { from: '2.57', schema: form(withData) },
  { from: '2.63', schema: form(certified) },
  { from: '2.90', schema: form({ ...certified, hostname: t.hostname }) },
  { from: '2.94', schema: form({ ...certified, hostname: t.fqdn }) },
];
