import { alreadyExists, type CairnError, invalidInput, notFound } from '@cairn/kit/errors/errors';
import type { ListPage, ListRequest, ListSpec } from '@cairn/kit/store/list';
import type { Db } from '@cairn/kit/store/store';
import { fromJson, toJson } from '@cairn/kit/store/values';
import { clearQosOfTypes, deleteQosRow, insertQos, pageOfQos, QOS, qosById, qosByName, typesOfQos, updateQos } from '../store/qos.ts';
import type { QosRow } from '../store/tables.ts';
import { typeById, updateType } from '../store/types.ts';
import { typeNotFound } from '../errors.ts';
import type { CinderApp } from './app.ts';

export type QosSpecs = Readonly<Record<string, string>>;

const qosNotFound = (id: string): CairnError => notFound(`No such QoS spec ${id}.`, { type: 'QoSSpecsNotFound' });
const CONSUMERS = ['front-end', 'back-end', 'both'];

export const QOS_LIST: ListSpec<QosRow> = { ...QOS, unknownMarker: (marker) => qosNotFound(String(marker)) };
export const listQos = (db: Db, request: ListRequest): Promise<ListPage<QosRow>> => pageOfQos(db, request, QOS_LIST);
export const qosSpecsOf = (row: QosRow): QosSpecs => fromJson<QosSpecs>(row.specs);

export async function getQos(db: Db, id: string): Promise<QosRow> {
  const row = await qosById(db, id);
  if (!row) throw qosNotFound(id);
  return row;
}

function checkConsumer(consumer: unknown): string {
  if (typeof consumer !== 'string' || !CONSUMERS.includes(consumer))
    throw invalidInput(`Invalid qos specs: Valid consumer of QoS specs are: ${CONSUMERS.join(', ')}`, { type: 'InvalidQoSSpecs', field: 'consumer' });
  return consumer;
}

/** Values are kept as text, as upstream's rows have them. */
const texts = (specs: Readonly<Record<string, unknown>>): QosSpecs =>
  Object.fromEntries(
    Object.entries(specs).flatMap(([key, value]) => (value === null ? [] : [[key, typeof value === 'string' ? value : JSON.stringify(value)]])),
  );

export async function createQos(app: CinderApp, name: string, given: Readonly<Record<string, unknown>>): Promise<QosRow> {
  const { env } = app.deps;
  const { consumer = 'back-end', ...specs } = given;
  const row: QosRow = {
    id: env.ids.uuid(),
    name,
    consumer: checkConsumer(consumer || 'back-end'),
    specs: toJson(texts(specs)),
    created_at_ms: env.clock.nowMs(),
    updated_at_ms: null,
  };
  await env.store.write(async (tx) => {
    if (await qosByName(tx, name)) throw alreadyExists(`QoS Specs ${name} already exists.`, { type: 'QoSSpecsExists' });
    await insertQos(tx, row);
  });
  return row;
}

/** Sets keys (and the consumer); others stay. */
export async function setQosKeys(app: CinderApp, id: string, given: Readonly<Record<string, unknown>>): Promise<void> {
  const { consumer, ...specs } = given;
  await app.deps.env.store.write(async (tx) => {
    const row = await getQos(tx, id);
    await updateQos(
      tx,
      id,
      { specs: toJson({ ...qosSpecsOf(row), ...texts(specs) }), ...(consumer !== undefined && consumer !== null && { consumer: checkConsumer(consumer) }) },
      app.deps.env.clock.nowMs(),
    );
  });
}

export async function deleteQosKeys(app: CinderApp, id: string, keys: readonly string[]): Promise<void> {
  await app.deps.env.store.write(async (tx) => {
    const row = await getQos(tx, id);
    const specs = { ...qosSpecsOf(row) } as Record<string, string>;
    for (const key of keys) {
      if (!Object.hasOwn(specs, key)) throw notFound(`QoS spec ${id} has no spec with key ${key}.`, { type: 'QoSSpecsKeyNotFound' });
      delete specs[key];
    }
    await updateQos(tx, id, { specs: toJson(specs) }, app.deps.env.clock.nowMs());
  });
}

export async function deleteQos(app: CinderApp, id: string, force: boolean): Promise<void> {
  await app.deps.env.store.write(async (tx) => {
    await getQos(tx, id);
    if ((await typesOfQos(tx, id)).length > 0 && !force) throw invalidInput('Qos specs still in use.', { type: 'QoSSpecsInUse' });
    await clearQosOfTypes(tx, id);
    await deleteQosRow(tx, id);
  });
}

export async function associations(db: Db, id: string): Promise<readonly { readonly id: string; readonly name: string }[]> {
  await getQos(db, id);
  return typesOfQos(db, id);
}

export async function associateQos(app: CinderApp, id: string, typeId: string): Promise<void> {
  await app.deps.env.store.write(async (tx) => {
    await getQos(tx, id);
    const type = await typeById(tx, typeId);
    if (!type) throw typeNotFound(typeId);
    if (type.qos_specs_id !== null && type.qos_specs_id !== id)
      throw invalidInput(`Invalid volume type: Type ${typeId} is already associated with another qos specs: ${type.qos_specs_id}`, {
        type: 'InvalidVolumeType',
      });
    await updateType(tx, typeId, { qos_specs_id: id }, app.deps.env.clock.nowMs());
  });
}

export async function disassociateQos(app: CinderApp, id: string, typeId: string): Promise<void> {
  await app.deps.env.store.write(async (tx) => {
    await getQos(tx, id);
    const type = await typeById(tx, typeId);
    if (!type) throw typeNotFound(typeId);
    if (type.qos_specs_id !== id) return;
    await updateType(tx, typeId, { qos_specs_id: null }, app.deps.env.clock.nowMs());
  });
}

export async function disassociateAll(app: CinderApp, id: string): Promise<void> {
  await app.deps.env.store.write(async (tx) => {
    await getQos(tx, id);
    await clearQosOfTypes(tx, id);
  });
}

/** The limits that whoever uses a volume of this type applies (nova, by QEMU); null when there are none. */
export async function frontEndQos(db: Db, typeId: string): Promise<QosSpecs | null> {
  const type = await typeById(db, typeId);
  if (!type || type.qos_specs_id === null) return null;
  const row = await qosById(db, type.qos_specs_id);
  return row && row.consumer !== 'back-end' ? qosSpecsOf(row) : null;
}
