import { createHash } from 'node:crypto';
import { invalidInput, preconditionFailed } from '@cairn/kit/errors/errors';
import { type AnyBody, Reply, type Request } from '@cairn/kit/http/operation';
import type { CinderApp } from '../app/app.ts';
import { targetOf } from '../app/caller.ts';
import { getSnapshot, removeSnapshotMetadata, writeSnapshotMetadata } from '../app/snapshots.ts';
import { getVolume, pairsOf, removeMetadata, writeMetadata } from '../app/volumes.ts';
import { snapshotMetadataNotFound, volumeMetadataNotFound } from '../errors.ts';
import type { Pairs } from '../store/metadata.ts';
import { AllMetadata, MetadataItem } from './answers/volumes.ts';
import { op, schema } from './op.ts';
import * as part from './schemas.ts';

/** What differs between the metadata of volumes and of snapshots. */
interface Kind {
  readonly name: 'volume' | 'snapshot';
  readonly policies: { readonly read: string; readonly create: string; readonly update: string; readonly delete: string };
  readonly all: Record<string, unknown>;
  readonly one: Record<string, unknown>;
  readonly additional: boolean;
  /** From microversion 3.15 volumes' metadata carries an ETag, which If-Match may ask for. */
  readonly etags: boolean;
  read(app: CinderApp, request: Request, id: string): Promise<Pairs>;
  write(app: CinderApp, request: Request, id: string, rule: string, pairs: Pairs, replace: boolean): Promise<Pairs>;
  remove(app: CinderApp, request: Request, id: string, key: string): Promise<void>;
  absent(id: string, key: string): Error;
}

/** As Python's json.dumps writes it, since the ETag is the MD5 of that. */
const pythonJson = (pairs: Pairs): string => {
  const text = (value: string): string => JSON.stringify(value).replace(/[\u007f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return `{"metadata": {${Object.entries(pairs)
    .map(([key, value]) => `${text(key)}: ${text(value)}`)
    .join(', ')}}}`;
};
const etagOf = (pairs: Pairs): string => createHash('md5').update(pythonJson(pairs)).digest('hex');

async function checkEtag(kind: Kind, app: CinderApp, request: Request, id: string): Promise<void> {
  const asked = request.headers['if-match'];
  if (!kind.etags || request.version.before('3.15') || asked === undefined) return;
  const wanted = String(asked)
    .split(',')
    .map((one) => one.trim().replace(/^(?:W\/)?"?|"?$/g, ''));
  if (!wanted.includes('*') && !wanted.includes(etagOf(await kind.read(app, request, id)))) throw preconditionFailed('The metadata has changed meanwhile.');
}

function operations(kind: Kind) {
  const parameter = `${kind.name}_id` as const;
  const base = `/v3/${kind.name}s/{${parameter}}/metadata` as const;
  const idOf = (request: Request): string => request.params[parameter] ?? '';
  const keyOf = (request: Request): string => request.params['key'] ?? '';
  const wrap = (key: string, inner: Record<string, unknown>): Record<string, unknown> => ({
    type: 'object',
    properties: { [key]: inner },
    required: [key],
    additionalProperties: kind.additional,
  });
  return [
    op({
      id: `cinder.${kind.name}.metadata.list`,
      method: 'GET',
      path: base,
      summary: `Show the metadata of a ${kind.name}`,
      policy: kind.policies.read,
      answer: AllMetadata,
      async handle(app, request) {
        const metadata = await kind.read(app, request, idOf(request));
        if (!kind.etags || request.version.before('3.15')) return { metadata };
        return new Reply(pythonJson(metadata), { headers: { etag: etagOf(metadata), 'content-type': 'application/json' } });
      },
    }),
    op({
      id: `cinder.${kind.name}.metadata.create`,
      method: 'POST',
      path: base,
      summary: `Add to the metadata of a ${kind.name}`,
      policy: kind.policies.create,
      answer: AllMetadata,
      body: schema(wrap('metadata', kind.all)),
      handle: async (app, request) => ({
        metadata: await kind.write(app, request, idOf(request), kind.policies.create, (request.body as AnyBody).metadata, false),
      }),
    }),
    op({
      id: `cinder.${kind.name}.metadata.replace`,
      method: 'PUT',
      path: base,
      summary: `Replace the metadata of a ${kind.name}`,
      policy: kind.policies.update,
      answer: AllMetadata,
      body: schema(wrap('metadata', kind.all)),
      async handle(app, request) {
        await checkEtag(kind, app, request, idOf(request));
        return { metadata: await kind.write(app, request, idOf(request), kind.policies.update, (request.body as AnyBody).metadata, true) };
      },
    }),
    op({
      id: `cinder.${kind.name}.metadata.show`,
      method: 'GET',
      path: `${base}/{key}`,
      summary: `Show one item of the metadata of a ${kind.name}`,
      policy: kind.policies.read,
      answer: MetadataItem,
      async handle(app, request) {
        const value = (await kind.read(app, request, idOf(request)))[keyOf(request)];
        if (value === undefined) throw kind.absent(idOf(request), keyOf(request));
        return { meta: { [keyOf(request)]: value } };
      },
    }),
    op({
      id: `cinder.${kind.name}.metadata.update`,
      method: 'PUT',
      path: `${base}/{key}`,
      summary: `Set one item of the metadata of a ${kind.name}`,
      policy: kind.policies.update,
      answer: MetadataItem,
      body: schema(wrap('meta', kind.one)),
      async handle(app, request) {
        await checkEtag(kind, app, request, idOf(request));
        const { meta } = request.body as { meta: Pairs };
        if (!Object.hasOwn(meta, keyOf(request))) throw invalidInput('Request body and URI mismatch', { field: 'meta' });
        await kind.write(app, request, idOf(request), kind.policies.update, meta, false);
        return { meta };
      },
    }),
    op({
      id: `cinder.${kind.name}.metadata.delete`,
      method: 'DELETE',
      path: `${base}/{key}`,
      summary: `Delete one item of the metadata of a ${kind.name}`,
      policy: kind.policies.delete,
      answer: 'none',
      async handle(app, request) {
        await kind.remove(app, request, idOf(request), keyOf(request));
        return new Reply();
      },
    }),
  ];
}

const ofVolumes: Kind = {
  name: 'volume',
  policies: {
    read: 'volume:get_volume_metadata',
    create: 'volume:create_volume_metadata',
    update: 'volume:update_volume_metadata',
    delete: 'volume:delete_volume_metadata',
  },
  all: part.metadata,
  one: part.oneMetadata,
  additional: false,
  etags: true,
  async read(app, request, id) {
    const row = await getVolume(app.deps.env.store.read, request, id);
    request.authorize('volume:get_volume_metadata', targetOf(row));
    return pairsOf(row.metadata);
  },
  write: writeMetadata,
  remove: (app, request, id, key) => removeMetadata(app, request, id, key, () => volumeMetadataNotFound(id, key)),
  absent: volumeMetadataNotFound,
};

const ofSnapshots: Kind = {
  name: 'snapshot',
  policies: {
    read: 'volume:get_snapshot_metadata',
    create: 'volume:update_snapshot_metadata',
    update: 'volume:update_snapshot_metadata',
    delete: 'volume:delete_snapshot_metadata',
  },
  all: part.snapshotMetadata,
  one: { ...part.snapshotMetadata, minProperties: 1, maxProperties: 1 },
  additional: true,
  etags: false,
  async read(app, request, id) {
    const row = await getSnapshot(app.deps.env.store.read, request, id);
    request.authorize('volume:get_snapshot_metadata', targetOf(row));
    return pairsOf(row.metadata);
  },
  write: (app, request, id, _rule, pairs, replace) => writeSnapshotMetadata(app, request, id, pairs, replace),
  remove: (app, request, id, key) => removeSnapshotMetadata(app, request, id, key, () => snapshotMetadataNotFound(id, key)),
  absent: snapshotMetadataNotFound,
};

export const metadataOperations = [...operations(ofVolumes), ...operations(ofSnapshots)];
