import { Readable } from 'node:stream';
import { conflict } from '@cairn/kit/errors/errors';
import type { Clock } from '@cairn/kit/clock/clock';
import { allOf, drained, type HttpClient, inWords } from './http.ts';
import type { SwiftUser } from '../../options.ts';
import type { SwiftAccess } from './swift.ts';

/** A token is not used so shortly before its end. */
const SPARE_MS = 60_000;
const MOST_BYTES = 4 * 2 ** 20;

/** Tokens of one user, asked for when they are needed. */
export function swiftUser(http: HttpClient, clock: Clock, user: SwiftUser): (signal: AbortSignal, again: boolean) => Promise<SwiftAccess> {
  let known: { readonly access: SwiftAccess; readonly untilMs: number } | undefined;
  const ask = async (signal: AbortSignal) => {
    const { access, untilMs } = user.version === '1' ? await byVersion1(http, user, signal) : await byVersion3(http, user, signal);
    const url = (user.url ?? access.url).replace(/\/+$/, '');
    if (!/^https?:\/\//.test(url)) throw conflict('The object storage of backups says no address for its containers. Ask the operator.', { detail: url });
    return { access: { url, token: access.token }, untilMs: untilMs ?? clock.nowMs() + 3600_000 };
  };
  return async (signal, again) => {
    if (again || !known || known.untilMs - SPARE_MS < clock.nowMs()) {
      try {
        known = await ask(signal);
      } catch (error) {
        throw inWords(error);
      }
    }
    return known.access;
  };
}

interface Found {
  readonly access: SwiftAccess;
  readonly untilMs?: number;
}

const byVersion1 = (http: HttpClient, { authUrl, user, key }: SwiftUser, signal: AbortSignal): Promise<Found> =>
  http.send(
    async () => ({ method: 'GET', url: new URL(authUrl), headers: { 'x-auth-user': user, 'x-auth-key': key } }),
    async (answer) => {
      await drained(answer);
      const said = (name: string): string => String(answer.headers[name] ?? '');
      const seconds = Number(said('x-auth-token-expires'));
      return {
        access: { url: said('x-storage-url'), token: said('x-auth-token') },
        ...(seconds > 0 && { untilMs: Date.parse(said('date')) + seconds * 1000 || undefined }),
      } as Found;
    },
    signal,
  );

interface Catalogue {
  readonly token: {
    readonly expires_at: string;
    readonly catalog?: readonly {
      readonly type: string;
      readonly endpoints: readonly { readonly interface: string; readonly region_id: string | null; readonly url: string }[];
    }[];
  };
}

async function byVersion3(http: HttpClient, asked: SwiftUser, signal: AbortSignal): Promise<Found> {
  const { user, key, userDomain, project, projectDomain, region } = asked;
  const body = Buffer.from(
    JSON.stringify({
      auth: {
        identity: { methods: ['password'], password: { user: { name: user, domain: { name: userDomain }, password: key } } },
        scope: { project: { name: project, domain: { name: projectDomain } } },
      },
    }),
  );
  const base = asked.authUrl.replace(/\/+$/, '').replace(/\/v3$/, '');
  return http.send(
    async () => ({
      method: 'POST',
      url: new URL(`${base}/v3/auth/tokens`),
      headers: { 'content-type': 'application/json', 'content-length': body.length },
      body: () => Readable.from([body]),
    }),
    async (answer) => {
      const { token } = JSON.parse((await allOf(answer, MOST_BYTES)).toString('utf8')) as Catalogue;
      const endpoints = (token.catalog ?? []).filter(({ type }) => type === 'object-store').flatMap((service) => service.endpoints);
      const found = endpoints.find((one) => one.interface === 'public' && (region === '' || one.region_id === region));
      if (!found && asked.url === undefined)
        throw conflict('The catalogue has no public endpoint of the type object-store for backups. Ask the operator.', { detail: `region ${region || 'any'}` });
      return { access: { url: found?.url ?? '', token: String(answer.headers['x-subject-token'] ?? '') }, untilMs: Date.parse(token.expires_at) };
    },
    signal,
  );
}
