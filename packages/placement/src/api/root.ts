import { ANYONE } from '@cairn/kit/http/operation';
import { op } from './op.ts';

export const MIN_MICROVERSION = '1.0';
export const MAX_MICROVERSION = '1.39';

export const rootOperations = [
  op({
    id: 'placement.versions.list',
    method: 'GET',
    path: '/',
    summary: 'API versions',
    policy: ANYONE,
    handle: () => ({ versions: [{ id: 'v1.0', max_version: MAX_MICROVERSION, min_version: MIN_MICROVERSION, status: 'CURRENT', links: [{ rel: 'self', href: '' }] }] }),
  }),
];
