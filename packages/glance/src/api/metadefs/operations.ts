import { AUTHENTICATED } from '@cairn/kit/http/operation';
import { op } from '../op.ts';
import { jsonSchema } from '../answers/info.ts';
import { namespaceOperations } from './namespaces.ts';
import { objectOperations } from './objects.ts';
import { propertyOperations } from './properties.ts';
import { resourceTypeOperations } from './resource-types.ts';
import { METADEF_SCHEMAS } from './schemas.ts';
import { metadefTagOperations } from './tags.ts';

/** Every call about metadata definitions. */
export const metadefOperations = [
  ...Object.entries(METADEF_SCHEMAS).map(([name, document]) =>
    op({
      id: `glance.schema.metadef.${name}`,
      method: 'GET',
      path: `/v2/schemas/metadefs/${name}`,
      answer: jsonSchema,
      summary: `JSON schema of metadata definitions: ${name}`,
      policy: AUTHENTICATED,
      handle: () => document,
    }),
  ),
  ...namespaceOperations,
  ...objectOperations,
  ...propertyOperations,
  ...resourceTypeOperations,
  ...metadefTagOperations,
];
