import { isoNaiveMicros } from '@cairn/kit/clock/clock';
import { isAdmin } from '@cairn/kit/context/context';
import { invalidInput, notFound } from '@cairn/kit/errors/errors';
import { type AnyBody, Reply, type Request } from '@cairn/kit/http/operation';
import type { CinderApp } from '../app/app.ts';
import { changeEncryption, createEncryption, encryptionOfType, getEncryption, removeEncryption } from '../app/encryption.ts';
import {
  associateQos,
  associations,
  createQos,
  deleteQos,
  deleteQosKeys,
  disassociateAll,
  disassociateQos,
  getQos,
  listQos,
  QOS_LIST,
  qosSpecsOf,
  setQosKeys,
} from '../app/qos.ts';
import { volumeFor } from '../app/volumes.ts';
import type { EncryptionRow, QosRow } from '../store/tables.ts';
import { Encryption, EncryptionItem, GivenEncryption, GivenQos, OneQos, QosAssociations, QosList } from './answers/types.ts';
import { VolumeEncryption } from './answers/volumes.ts';
import { linksTo, nextLink } from './links.ts';
import { conditionsOf, pageWithOffset, readList, sortFor } from './list.ts';
import { op, schema } from './op.ts';
import * as part from './schemas.ts';
import { queryBoolean } from './values.ts';

const idOf = (request: Request): string => request.params['qos_id'] ?? '';
const view = (row: QosRow): object => ({ id: row.id, name: row.name, consumer: row.consumer, specs: qosSpecsOf(row) });
const detail = (request: Request, row: QosRow): object => ({ qos_specs: view(row), links: linksTo(request, 'qos-specs', row.id) });
const RULE = 'volume_extension:qos_specs_manage';

const member = (name: string, summary: string, run: (app: CinderApp, request: Request) => Promise<void>) =>
  op({
    id: `cinder.qos-specs.${name}`,
    method: 'GET',
    path: `/v3/qos-specs/{qos_id}/${name}`,
    summary,
    policy: `${RULE}:update`,
    answer: 'none',
    success: 202,
    async handle(app, request) {
      await run(app, request);
      return new Reply();
    },
  });

function typeOf(request: Request): string {
  const id = request.query.get('vol_type_id');
  if (!id) throw invalidInput('Volume Type id must not be None.', { field: 'vol_type_id' });
  return id;
}

const qos = [
  op({
    id: 'cinder.qos-specs.list',
    method: 'GET',
    path: '/v3/qos-specs',
    summary: 'List QoS specs',
    policy: `${RULE}:get_all`,
    answer: QosList,
    async handle(app, request) {
      const ask = readList(request, app.deps.options.maxLimit);
      if (!isAdmin(request.ctx)) for (const name of [...ask.filters.keys()]) if (!['id', 'name', 'consumer'].includes(name)) ask.filters.delete(name);
      const conditions = conditionsOf({ spec: QOS_LIST, verbatim: ['name'] }, ask.filters);
      if (!conditions) return { qos_specs: [] };
      const rows = await pageWithOffset(
        (page) => listQos(app.deps.env.store.read, page),
        { filters: conditions.filters, sort: sortFor(QOS_LIST, ask.sort) },
        ask,
      );
      const last = rows.at(-1);
      return { qos_specs: rows.map(view), ...(last && ask.limit <= rows.length && { qos_specs_links: nextLink(request, 'qos-specs', last.id) }) };
    },
  }),
  op({
    id: 'cinder.qos-specs.show',
    method: 'GET',
    path: '/v3/qos-specs/{qos_id}',
    summary: 'Show QoS specs',
    policy: `${RULE}:get`,
    answer: OneQos,
    handle: async (app, request) => detail(request, await getQos(app.deps.env.store.read, idOf(request))),
  }),
  op({
    id: 'cinder.qos-specs.create',
    method: 'POST',
    path: '/v3/qos-specs',
    summary: 'Create QoS specs',
    policy: `${RULE}:create`,
    answer: OneQos,
    body: schema({
      type: 'object',
      properties: {
        qos_specs: {
          type: 'object',
          properties: { name: { type: 'string', minLength: 1, maxLength: 255, pattern: '\\S' } },
          required: ['name'],
          additionalProperties: { type: ['string', 'number', 'boolean', 'null'], maxLength: 255 },
        },
      },
      required: ['qos_specs'],
      additionalProperties: false,
    }),
    async handle(app, request) {
      const { name, ...specs } = (request.body as AnyBody).qos_specs;
      return detail(request, await createQos(app, name.trim(), specs));
    },
  }),
  op({
    id: 'cinder.qos-specs.update',
    method: 'PUT',
    path: '/v3/qos-specs/{qos_id}',
    summary: 'Set keys of QoS specs',
    policy: `${RULE}:update`,
    answer: GivenQos,
    body: schema({ type: 'object', properties: { qos_specs: part.extraSpecsWithSpaces }, required: ['qos_specs'], additionalProperties: false }),
    async handle(app, request) {
      await setQosKeys(app, idOf(request), (request.body as AnyBody).qos_specs);
      return request.body;
    },
  }),
  op({
    id: 'cinder.qos-specs.delete',
    method: 'DELETE',
    path: '/v3/qos-specs/{qos_id}',
    summary: 'Delete QoS specs',
    policy: `${RULE}:delete`,
    answer: 'none',
    success: 202,
    async handle(app, request) {
      await deleteQos(app, idOf(request), queryBoolean(request.query, 'force'));
      return new Reply();
    },
  }),
  op({
    id: 'cinder.qos-specs.delete_keys',
    method: 'PUT',
    path: '/v3/qos-specs/{qos_id}/delete_keys',
    summary: 'Delete keys of QoS specs',
    policy: `${RULE}:delete`,
    answer: 'none',
    success: 202,
    body: schema({
      type: 'object',
      properties: { keys: { type: 'array', items: { type: 'string', minLength: 1, maxLength: 255 }, uniqueItems: true } },
      required: ['keys'],
      additionalProperties: false,
    }),
    async handle(app, request) {
      await deleteQosKeys(app, idOf(request), (request.body as AnyBody).keys);
      return new Reply();
    },
  }),
  op({
    id: 'cinder.qos-specs.associations',
    method: 'GET',
    path: '/v3/qos-specs/{qos_id}/associations',
    summary: 'List the types that QoS specs hold for',
    policy: `${RULE}:get_all`,
    answer: QosAssociations,
    handle: async (app, request) => ({
      qos_associations: (await associations(app.deps.env.store.read, idOf(request))).map(({ id, name }) => ({ association_type: 'volume_type', name, id })),
    }),
  }),
  member('associate', 'Let QoS specs hold for a type', (app, request) => associateQos(app, idOf(request), typeOf(request))),
  member('disassociate', 'Stop QoS specs from holding for a type', (app, request) => disassociateQos(app, idOf(request), typeOf(request))),
  member('disassociate_all', 'Stop QoS specs from holding for any type', (app, request) => disassociateAll(app, idOf(request))),
];

const ENCRYPTION = 'volume_extension:volume_type_encryption';
const typeId = (request: Request): string => request.params['type_id'] ?? '';
const encryptionView = (row: EncryptionRow | undefined): Record<string, unknown> =>
  row === undefined
    ? {}
    : {
        volume_type_id: row.type_id,
        control_location: row.control_location,
        deleted: false,
        created_at: isoNaiveMicros(row.created_at_ms),
        updated_at: row.updated_at_ms === null ? null : isoNaiveMicros(row.updated_at_ms),
        deleted_at: null,
        encryption_id: row.id,
        key_size: row.key_size,
        provider: row.provider,
        cipher: row.cipher,
      };

const encryptionSchema = (required: readonly string[]) =>
  schema(
    part.wrapped(
      'encryption',
      {
        key_size: { type: ['string', 'integer', 'null'], minimum: 0, maximum: 2_147_483_647, pattern: '^[0-9]+$' },
        provider: { type: 'string', minLength: 0, maxLength: 255 },
        control_location: { enum: ['front-end', 'back-end'] },
        cipher: { type: ['string', 'null'], minLength: 0, maxLength: 255 },
      },
      required,
      { additionalProperties: true },
    ),
  );

/** The specs that rows have; upstream keeps no others either. */
function specsOf(body: AnyBody) {
  const given = body.encryption;
  if (given.key_size !== undefined && given.key_size !== null) given.key_size = Number(given.key_size);
  return Object.fromEntries(['provider', 'control_location', 'cipher', 'key_size'].flatMap((key) => (given[key] === undefined ? [] : [[key, given[key]]])));
}

const encryption = [
  op({
    id: 'cinder.type.encryption.show',
    method: 'GET',
    path: '/v3/types/{type_id}/encryption',
    summary: 'Show how volumes of a type are encrypted',
    policy: `${ENCRYPTION}:get`,
    answer: Encryption,
    handle: async (app, request) => encryptionView(await getEncryption(app, request, typeId(request))),
  }),
  op({
    id: 'cinder.type.encryption.show-item',
    method: 'GET',
    path: '/v3/types/{type_id}/encryption/{key}',
    summary: 'Show one item of how volumes of a type are encrypted',
    policy: `${ENCRYPTION}:get`,
    answer: EncryptionItem,
    async handle(app, request) {
      const key = request.params['key'] ?? '';
      const all = encryptionView(await getEncryption(app, request, typeId(request)));
      if (!Object.hasOwn(all, key))
        throw notFound(`Volume type encryption for type ${typeId(request)} does not exist.`, { type: 'VolumeTypeEncryptionNotFound' });
      return { [key]: all[key] };
    },
  }),
  op({
    id: 'cinder.type.encryption.create',
    method: 'POST',
    path: '/v3/types/{type_id}/encryption',
    summary: 'Say how volumes of a type are encrypted',
    policy: `${ENCRYPTION}:create`,
    answer: GivenEncryption,
    body: encryptionSchema(['provider', 'control_location']),
    async handle(app, request) {
      const row = await createEncryption(app, request, typeId(request), specsOf(request.body));
      const given = (request.body as AnyBody).encryption;
      return { encryption: { ...given, volume_type_id: row.type_id, encryption_id: row.id } };
    },
  }),
  op({
    id: 'cinder.type.encryption.update',
    method: 'PUT',
    path: '/v3/types/{type_id}/encryption/{key}',
    summary: 'Change how volumes of a type are encrypted',
    policy: `${ENCRYPTION}:update`,
    answer: GivenEncryption,
    body: encryptionSchema([]),
    async handle(app, request) {
      await changeEncryption(app, request, typeId(request), specsOf(request.body));
      return request.body;
    },
  }),
  op({
    id: 'cinder.type.encryption.delete',
    method: 'DELETE',
    path: '/v3/types/{type_id}/encryption/{key}',
    summary: 'Stop encrypting volumes of a type',
    policy: `${ENCRYPTION}:delete`,
    answer: 'none',
    success: 202,
    async handle(app, request) {
      await removeEncryption(app, typeId(request));
      return new Reply();
    },
  }),
];

/** How a volume is encrypted (cinder.db.api, volume_encryption_metadata_get). */
async function volumeEncryption(app: CinderApp, request: Request): Promise<Record<string, unknown>> {
  const db = app.deps.env.store.read;
  const volume = await volumeFor(db, request, request.params['volume_id'] ?? '', 'volume_extension:volume_encryption_metadata');
  const row = volume.encryption_key_id === null ? undefined : await encryptionOfType(db, volume.type_id);
  return {
    encryption_key_id: volume.encryption_key_id,
    ...(row && { control_location: row.control_location, cipher: row.cipher, key_size: row.key_size, provider: row.provider }),
  };
}

const volumes = [
  op({
    id: 'cinder.volume.encryption.show',
    method: 'GET',
    path: '/v3/volumes/{volume_id}/encryption',
    summary: 'Show how a volume is encrypted',
    policy: 'volume_extension:volume_encryption_metadata',
    answer: VolumeEncryption,
    handle: volumeEncryption,
  }),
  op({
    id: 'cinder.volume.encryption.show-item',
    method: 'GET',
    path: '/v3/volumes/{volume_id}/encryption/{key}',
    summary: 'Show one item of how a volume is encrypted',
    policy: 'volume_extension:volume_encryption_metadata',
    answer: 'stream',
    async handle(app, request) {
      const key = request.params['key'] ?? '';
      const all = await volumeEncryption(app, request);
      if (!Object.hasOwn(all, key)) throw notFound('The resource could not be found.');
      return new Reply(all[key]);
    },
  }),
];

export const qosOperations = [...qos, ...encryption, ...volumes];
