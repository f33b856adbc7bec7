import { readFileSync } from 'node:fs';
import { notFound } from '@cairn/kit/errors/errors';
import { Extensions, OneExtension } from './answers/others.ts';
import { op } from './op.ts';

/** What was an extension once, as `[alias, name, description]`: v2.1 has none any more, and clients still ask (nova/api/openstack/compute/extension_info.py). */
const KNOWN = JSON.parse(readFileSync(new URL('./data/extensions.json', import.meta.url), 'utf8')) as readonly (readonly [string, string, string])[];

const EXTENSIONS = KNOWN.map(([alias, name, description]) => ({
  alias,
  description,
  links: [],
  name,
  namespace: 'http://docs.openstack.org/compute/ext/fake_xml',
  updated: '2014-12-03T00:00:00Z',
}));

export const extensionOperations = [
  op({
    id: 'nova.extension.list',
    method: 'GET',
    path: '/v2.1/extensions',
    summary: 'List extensions',
    policy: 'os_compute_api:extensions',
    answer: Extensions,
    handle: () => ({ extensions: EXTENSIONS }),
  }),
  op({
    id: 'nova.extension.show',
    method: 'GET',
    path: '/v2.1/extensions/{alias}',
    summary: 'Show an extension',
    policy: 'os_compute_api:extensions',
    answer: OneExtension,
    handle(_app, req) {
      const extension = EXTENSIONS.find(({ alias }) => alias === req.params.alias);
      if (!extension) throw notFound('The resource could not be found.');
      return { extension };
    },
  }),
];
