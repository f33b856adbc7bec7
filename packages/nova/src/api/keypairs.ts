import { isoNaiveMicros } from '@cairn/kit/clock/clock';
import { invalidInput } from '@cairn/kit/errors/errors';
import { type AnyBody, Reply, type Request } from '@cairn/kit/http/operation';
import Type from 'typebox';
import type { KeypairRow } from '../store/keypair.ts';
import { op } from './op.ts';

const closed = { additionalProperties: false };
const name = Type.String({ minLength: 1, maxLength: 255, pattern: '^[a-zA-Z0-9 _-]+$' });
const name292 = Type.String({ minLength: 1, maxLength: 255, pattern: '^[a-zA-Z0-9 @._-]+$' });
const type = Type.Unsafe<string>({ enum: ['ssh', 'x509'] });
const CREATE = [
  { from: '2.1', schema: Type.Object({ keypair: Type.Object({ name, public_key: Type.Optional(Type.String()) }, closed) }, closed) },
  { from: '2.2', schema: Type.Object({ keypair: Type.Object({ name, type: Type.Optional(type), public_key: Type.Optional(Type.String()) }, closed) }, closed) },
  { from: '2.10', schema: Type.Object({ keypair: Type.Object({ name, type: Type.Optional(type), public_key: Type.Optional(Type.String()), user_id: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })) }, closed) }, closed) },
  { from: '2.92', schema: Type.Object({ keypair: Type.Object({ name: name292, type: Type.Optional(type), public_key: Type.String(), user_id: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })) }, closed) }, closed) },
] as const;

/** Whose keypairs: from 2.10 on an admin may name another user. Asks the policy about that user. */
function userOf(req: Request<AnyBody>, rule: string, asked: string | null | undefined): string {
  const userId = req.version.atLeast('2.10') && asked ? asked : req.ctx.userId;
  req.authorize(`os_compute_api:os-keypairs:${rule}`, { user_id: userId, project_id: req.ctx.projectId });
  return userId;
}

const withType = (req: Request<AnyBody>, row: KeypairRow): object => (req.version.atLeast('2.2') ? { type: row.type } : {});
const short = (req: Request<AnyBody>, row: KeypairRow): object => ({ name: row.name, public_key: row.public_key, fingerprint: row.fingerprint, ...withType(req, row) });

export const keypairOperations = [
  op({
    id: 'nova.keypair.list',
    method: 'GET',
    path: '/v2.1/os-keypairs',
    summary: 'List keypairs',
    policy: 'os_compute_api:os-keypairs:index',
    async handle(app, req) {
      const userId = userOf(req, 'index', req.query.get('user_id'));
      const paged = req.version.atLeast('2.35');
      const limitText = paged ? req.query.get('limit') : null;
      if (limitText !== null && !/^\d+$/.test(limitText)) throw invalidInput(`Invalid input for query parameters limit. Value: ${limitText}. '${limitText}' does not match '^[0-9]*$'`, { field: 'limit' });
      const max = app.deps.options.maxLimit;
      const limit = paged ? Math.min(limitText === null ? max : Number(limitText), max) : undefined;
      const page = await app.keypairs.list(userId, limit, (paged && req.query.get('marker')) || undefined);
      const last = page.rows.at(-1);
      const next = paged && last && page.rows.length === limit ? new URLSearchParams([...req.query].filter(([key]) => key !== 'marker').concat([['marker', last.name]])) : undefined;
      return { keypairs: page.rows.map((row) => ({ keypair: short(req, row) })), ...(next && { keypairs_links: [{ rel: 'next', href: `${req.baseUrl}/v2.1/os-keypairs?${next}` }] }) };
    },
  }),
  op({
    id: 'nova.keypair.create',
    method: 'POST',
    path: '/v2.1/os-keypairs',
    summary: 'Create or import a keypair',
    policy: 'os_compute_api:os-keypairs:create',
    body: CREATE,
    async handle(app, req) {
      const wish = req.body.keypair;
      if (wish.name !== wish.name.trim()) throw invalidInput(`Invalid input for field/attribute name. Value: ${wish.name}. Leading or trailing blanks are not allowed.`, { field: 'name' });
      const { row, privateKey } = await app.keypairs.create(req.ctx, { userId: userOf(req, 'create', wish.user_id), name: wish.name, type: wish.type ?? 'ssh', publicKey: wish.public_key?.trim() || undefined });
      return new Reply({ keypair: { ...short(req, row), user_id: row.user_id, ...(privateKey !== undefined && { private_key: privateKey }) } }, { status: req.version.atLeast('2.2') ? 201 : 200 });
    },
  }),
  op({
    id: 'nova.keypair.show',
    method: 'GET',
    path: '/v2.1/os-keypairs/{keypair_name}',
    summary: 'Show a keypair',
    policy: 'os_compute_api:os-keypairs:show',
    async handle(app, req) {
      const row = await app.keypairs.get(userOf(req, 'show', req.query.get('user_id')), req.params.keypair_name as string);
      return { keypair: { ...short(req, row), user_id: row.user_id, id: row.seq, created_at: isoNaiveMicros(row.created_at_ms), deleted: false, deleted_at: null, updated_at: null } };
    },
  }),
  op({
    id: 'nova.keypair.delete',
    method: 'DELETE',
    path: '/v2.1/os-keypairs/{keypair_name}',
    summary: 'Delete a keypair',
    policy: 'os_compute_api:os-keypairs:delete',
    async handle(app, req) {
      await app.keypairs.delete(req.ctx, userOf(req, 'delete', req.query.get('user_id')), req.params.keypair_name as string);
      return new Reply(undefined, { status: req.version.atLeast('2.2') ? 204 : 202 });
    },
  }),
];
