import { AUTHENTICATED } from '@cairn/kit/http/operation';
import { IMAGE_SCHEMAS } from './image-schema.ts';
import { op } from './op.ts';

const schema = (name: string, path: `/${string}`, document: object) =>
  op({ id: `glance.schema.${name}`, method: 'GET', path, summary: `JSON schema: ${name}`, policy: AUTHENTICATED, handle: () => document });

export const discoveryOperations = [
  ...Object.entries(IMAGE_SCHEMAS).map(([name, document]) => schema(name, `/v2/schemas/${name}`, document)),
  op({
    id: 'glance.info.stores',
    method: 'GET',
    path: '/v2/info/stores',
    summary: 'Where image data can be kept',
    policy: AUTHENTICATED,
    handle: () => ({ stores: [{ id: 'file', default: 'true', description: 'Files on this machine' }] }),
  }),
];
