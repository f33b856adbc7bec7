import { ANYONE, Reply, type Request } from '@cairn/kit/http/operation';
import { versionsAnswer } from './answers/info.ts';
import { op } from './op.ts';

/** v2.0 to v2.18 as upstream lists them; the newest is CURRENT (glance/api/versions.py). */
const CURRENT_MINOR = 18;

function versions(baseUrl: string): object {
  const list = [];
  for (let minor = CURRENT_MINOR; minor >= 0; minor--)
    list.push({ id: `v2.${minor}`, status: minor === CURRENT_MINOR ? 'CURRENT' : 'SUPPORTED', links: [{ rel: 'self', href: `${baseUrl}/v2/` }] });
  return { versions: list };
}

const handle = (_app: unknown, req: Request): Reply => new Reply(versions(req.baseUrl), { status: 300 });
export const versionOperations = [
  op({ id: 'glance.versions.choices', method: 'GET', path: '/', summary: 'API versions', policy: ANYONE, answer: versionsAnswer, handle }),
  op({
    id: 'glance.versions.list',
    method: 'GET',
    path: '/versions',
    summary: 'API versions',
    policy: ANYONE,
    answer: versionsAnswer,
    handle: (_app, req) => versions(req.baseUrl),
  }),
  op({ id: 'glance.versions.v2', method: 'GET', path: '/v2', summary: 'API versions', policy: ANYONE, answer: versionsAnswer, handle }),
];
