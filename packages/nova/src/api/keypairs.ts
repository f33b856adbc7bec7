import { isoNaiveMicros } from '@cairn/kit/clock/clock';
import { type AnyBody, Reply, type Request } from '@cairn/kit/http/operation';
import type { KeypairRow } from '../store/keypair.ts';
import { CreatedKeyPair, KeyPairList, OneKeyPair } from './answers/projects.ts';
import { op } from './op.ts';
import { closedQuery, first, openQuery, pageOf, pagination, text } from './query.ts';
import { name as printable, object } from './schemas/types.ts';
import { nextLinks } from './views/links.ts';

const name = { allOf: [printable, { type: 'string', pattern: '^[_\\- a-zA-Z0-9]+$', minLength: 1, maxLength: 255 }] };
const name292 = { allOf: [printable, { type: 'string', pattern: '^[_\\-@. a-zA-Z0-9]+$', minLength: 1, maxLength: 255 }] };
const public_key = { type: 'string' };
const type = { type: 'string', enum: ['ssh', 'x509'] };
const user_id = { type: 'string' };
const create = (properties: Readonly<Record<string, object>>, required: readonly string[] = ['name']) =>
  object({ keypair: object(properties, required) }, ['keypair']);
const CREATE = [
  { from: '2.1', schema: create({ name, public_key }) },
  { from: '2.2', schema: create({ name, type, public_key }) },
  { from: '2.10', schema: create({ name, type, public_key, user_id }) },
  { from: '2.92', schema: create({ name: name292, type, public_key, user_id }, ['name', 'public_key']) },
] as const;

const ONE = [
  { from: '2.1', schema: openQuery({}) },
  { from: '2.10', schema: openQuery({ user_id: text }) },
  { from: '2.75', schema: closedQuery({ user_id: text }) },
] as const;
const LIST = [
  { from: '2.1', schema: openQuery({}) },
  { from: '2.10', schema: openQuery({ user_id: text }) },
  { from: '2.35', schema: openQuery({ user_id: text, ...pagination }) },
  { from: '2.75', schema: closedQuery({ user_id: text, ...pagination }) },
] as const;

/** Whose keypairs: from 2.10 on an administrator may name another user. */
const userOf = (req: Request<AnyBody>, asked: unknown): string =>
  req.version.atLeast('2.10') && typeof asked === 'string' && asked !== '' ? asked : req.ctx.userId;
const userOfQuery = (req: Request<AnyBody>): string => userOf(req, first(req, 'user_id'));
/** Policy looks at that user. */
const target = (_app: unknown, req: Request<AnyBody>): Readonly<Record<string, unknown>> => ({ user_id: userOfQuery(req), project_id: req.ctx.projectId });
const targetOfBody = (_app: unknown, req: Request): Readonly<Record<string, unknown>> => {
  const { keypair } = (req.body ?? {}) as { readonly keypair?: { readonly user_id?: unknown } | null };
  return { user_id: userOf(req, keypair?.user_id), project_id: req.ctx.projectId };
};
const keypairName = (req: Request<AnyBody>): string => req.params.keypair_name as string;

const short = (req: Request<AnyBody>, row: KeypairRow): object => ({
  name: row.name,
  public_key: row.public_key,
  fingerprint: row.fingerprint,
  ...(req.version.atLeast('2.2') && { type: row.type }),
});

export const keypairOperations = [
  op({
    id: 'nova.keypair.list',
    method: 'GET',
    path: '/v2.1/os-keypairs',
    summary: 'List keypairs',
    policy: 'os_compute_api:os-keypairs:index',
    answer: KeyPairList,
    target,
    query: LIST,
    async handle(app, req) {
      const paged = req.version.atLeast('2.35');
      const { rows } = await app.keypairs.list(userOfQuery(req), paged ? pageOf(app, req) : { limit: undefined, marker: undefined });
      const names = rows.map((row) => row.name);
      const links = paged ? nextLinks(req, 'os-keypairs', names, app.deps.options.maxLimit) : [];
      return { keypairs: rows.map((row) => ({ keypair: short(req, row) })), ...(links.length > 0 && { keypairs_links: links }) };
    },
  }),
  op({
    id: 'nova.keypair.create',
    method: 'POST',
    path: '/v2.1/os-keypairs',
    summary: 'Create or import a keypair',
    policy: 'os_compute_api:os-keypairs:create',
    answer: CreatedKeyPair,
    target: targetOfBody,
    body: CREATE,
    async handle(app, req) {
      const { keypair: wish } = req.body as { keypair: { name: string; type?: string; public_key?: string; user_id?: string } };
      const { row, privateKey } = await app.keypairs.create(req.ctx, {
        userId: userOf(req, wish.user_id),
        name: wish.name.trim(),
        type: wish.type ?? 'ssh',
        publicKey: wish.public_key,
      });
      return new Reply(
        { keypair: { ...short(req, row), user_id: row.user_id, ...(privateKey !== undefined && { private_key: privateKey }) } },
        { status: req.version.atLeast('2.2') ? 201 : 200 },
      );
    },
  }),
  op({
    id: 'nova.keypair.show',
    method: 'GET',
    path: '/v2.1/os-keypairs/{keypair_name}',
    summary: 'Show a keypair',
    policy: 'os_compute_api:os-keypairs:show',
    answer: OneKeyPair,
    target,
    query: ONE,
    async handle(app, req) {
      const row = await app.keypairs.get(userOfQuery(req), keypairName(req));
      const times = { created_at: isoNaiveMicros(row.created_at_ms), deleted: false, deleted_at: null, updated_at: null };
      return { keypair: { ...short(req, row), user_id: row.user_id, id: row.seq, ...times } };
    },
  }),
  op({
    id: 'nova.keypair.delete',
    method: 'DELETE',
    path: '/v2.1/os-keypairs/{keypair_name}',
    summary: 'Delete a keypair',
    policy: 'os_compute_api:os-keypairs:delete',
    answer: 'none',
    target,
    query: ONE,
    async handle(app, req) {
      await app.keypairs.delete(req.ctx, userOfQuery(req), keypairName(req));
      return new Reply(undefined, { status: req.version.atLeast('2.2') ? 204 : 202 });
    },
  }),
];
