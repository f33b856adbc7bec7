import { ANYONE, Reply, type Request } from '@cairn/kit/http/operation';
import type { PlacementApp } from '../app/app.ts';
import { versionsAnswer } from './answers/providers.ts';
import { cacheHeaders, op } from './op.ts';

export const MIN_MICROVERSION = '1.0';
export const MAX_MICROVERSION = '1.39';

const document = (app: PlacementApp, request: Request): Reply =>
  new Reply(
    { versions: [{ id: 'v1.0', max_version: MAX_MICROVERSION, min_version: MIN_MICROVERSION, status: 'CURRENT', links: [{ rel: 'self', href: '' }] }] },
    { headers: cacheHeaders(request, app.env.clock.nowMs()) },
  );

// two operations, since kit negotiates no microversion for a path that has one open operation, and placement's root does
export const rootOperations = [
  op({
    id: 'placement.versions.list',
    method: 'GET',
    path: '/',
    summary: 'API versions',
    policy: ANYONE,
    until: '1.14',
    answer: versionsAnswer,
    handle: document,
  }),
  op({
    id: 'placement.versions.list-cached',
    method: 'GET',
    path: '/',
    summary: 'API versions',
    policy: ANYONE,
    since: '1.15',
    answer: versionsAnswer,
    handle: document,
  }),
];
