import { ANYONE } from '@cairn/kit/http/operation';
import { CairnError } from '@cairn/kit/errors/errors';
import Type from 'typebox';
import { EXTENSIONS } from '../resources/extensions.ts';
import { op } from './op.ts';

const shown = EXTENSIONS.map((extension) => ({ ...extension, links: [] }));

const answer = Type.Object(
  { alias: Type.String(), name: Type.String(), description: Type.String(), updated: Type.String(), links: Type.Array(Type.Any()) },
  { title: 'NetworkExtension' },
);

const listExtensions = op({
  id: 'neutron.extension.list',
  method: 'GET',
  path: '/v2.0/extensions',
  summary: 'List extensions',
  policy: ANYONE,
  answer: Type.Object({ extensions: Type.Array(answer) }),
  handle: () => ({ extensions: shown }),
});

const showExtension = op({
  id: 'neutron.extension.show',
  method: 'GET',
  path: '/v2.0/extensions/{alias}',
  summary: 'Show an extension',
  policy: ANYONE,
  answer: Type.Object({ extension: answer }),
  handle(_app, req) {
    const extension = shown.find((candidate) => candidate.alias === req.params.alias);
    if (!extension) throw new CairnError('NotFound', `Extension with alias ${req.params.alias} does not exist`, { type: 'HTTPNotFound' });
    return { extension };
  },
});

export const extensionOperations = [listExtensions, showExtension];
