import Type, { type TSchema } from 'typebox';
import { flag, resource, text, textOrNull } from './envelope.ts';

/** Regions, services, endpoints, and the catalog that tokens have of them. */

export const region = resource('Region', { id: text, description: text, parent_region_id: textOrNull }, true);
export const service = resource('Service', { id: text, type: text, enabled: flag, name: Type.Optional(text) }, true);

const endpointProperties = { id: text, interface: text, region_id: textOrNull, service_id: text, url: text, enabled: flag };
export const endpoint = resource('Endpoint', { ...endpointProperties, region: textOrNull }, true);
/** An endpoint of a policy, which upstream shows without the old name of its region. */
export const endpointOfPolicy = resource('EndpointOfPolicy', endpointProperties, true);

const filters = Type.Object(
  {
    interface: Type.Optional(text),
    service_id: Type.Optional(text),
    region_id: Type.Optional(textOrNull),
    enabled: Type.Optional(flag),
  },
  { additionalProperties: true },
);
export const endpointGroup = resource('EndpointGroup', { id: text, name: text, description: textOrNull, filters });
export const policyDocument = resource('PolicyDocument', { id: text, type: text, blob: text }, true);

export const catalog: TSchema = Type.Array(
  Type.Object(
    {
      id: text,
      type: text,
      name: text,
      endpoints: Type.Array(
        Type.Object(
          { id: text, interface: text, region: textOrNull, region_id: textOrNull, url: text },
          { title: 'CatalogEndpoint', additionalProperties: true },
        ),
      ),
    },
    { title: 'CatalogService' },
  ),
);
