import type { AnyOperation } from '@cairn/kit/http/operation';
import { ANYONE, Reply } from '@cairn/kit/http/operation';
import { versionAnswer, versionsAnswer } from './answers/discovery.ts';
import { type AnyRequest, headerOf, op, v3 } from './common.ts';
import { JSON_HOME, jsonHome, prefersJsonHome } from './json-home.ts';

const MEDIA_TYPE = 'application/vnd.openstack.identity-v3+json';

const version = (req: AnyRequest) => ({
  id: 'v3.14',
  status: 'stable',
  updated: '2020-04-07T00:00:00Z',
  links: [{ rel: 'self', href: `${v3(req)}/` }],
  'media-types': [{ base: 'application/json', type: MEDIA_TYPE }],
});

const wantsHome = (req: AnyRequest): boolean => prefersJsonHome(headerOf(req, 'accept'));

/** Version documents, as JSON or as JSON home (keystone/api/discovery.py). `all` are the operations that JSON home is made from. */
export const versionOperations = (all: () => readonly AnyOperation[]): readonly AnyOperation[] => [
  op({
    id: 'keystone.versions.list',
    method: 'GET',
    path: '/',
    answer: versionsAnswer,
    summary: 'List the API versions',
    policy: ANYONE,
    input: 'none',
    handle: (_app, req) =>
      wantsHome(req)
        ? new Reply(jsonHome(all(), '/v3'), { headers: { 'content-type': JSON_HOME } })
        : new Reply({ versions: { values: [version(req)] } }, { status: 300, headers: { Location: `${v3(req)}/` } }),
  }),
  op({
    id: 'keystone.versions.show',
    method: 'GET',
    path: '/v3',
    answer: versionAnswer,
    summary: 'Show the v3 API version',
    policy: ANYONE,
    input: 'none',
    handle: (_app, req) => (wantsHome(req) ? new Reply(jsonHome(all(), ''), { headers: { 'content-type': JSON_HOME } }) : { version: version(req) }),
  }),
];
