import { AUTHENTICATED } from '@cairn/kit/http/operation';
import type { GlanceApp } from '../app/app.ts';
import type { ImageStore } from '../stores/store.ts';
import { importMethodsAnswer, storeDetailsAnswer, storesAnswer } from './answers/info.ts';
import { op } from './op.ts';

const view = (app: GlanceApp, store: ImageStore): object => ({
  id: store.id,
  ...(store.description !== '' && { description: store.description }),
  ...(store === app.stores.default && { default: 'true' }),
  ...(store.readOnly && { 'read-only': 'true' }),
});

/** What there is to import by and to. */
export const storeOperations = [
  op({
    id: 'glance.info.import',
    method: 'GET',
    path: '/v2/info/import',
    answer: importMethodsAnswer,
    summary: 'How images can be imported',
    policy: AUTHENTICATED,
    handle: (app) => ({ 'import-methods': { description: 'Import methods available.', type: 'array', value: app.options.import.methods } }),
  }),
  op({
    id: 'glance.info.stores',
    method: 'GET',
    path: '/v2/info/stores',
    answer: storesAnswer,
    summary: 'Where image data can be kept',
    policy: AUTHENTICATED,
    handle: (app) => ({ stores: app.stores.all.map((store) => view(app, store)) }),
  }),
  op({
    id: 'glance.info.stores_detail',
    method: 'GET',
    path: '/v2/info/stores/detail',
    answer: storeDetailsAnswer,
    summary: 'Where image data can be kept, with details for operators',
    policy: 'stores_info_detail',
    handle: (app) => ({
      stores: app.stores.all.map((store) => ({ ...view(app, store), type: store.type, properties: store.properties(), weight: store.weight })),
    }),
  }),
];
