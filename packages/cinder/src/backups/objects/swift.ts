import { conflict, unavailable } from '@cairn/kit/errors/errors';
import { uriEncoded } from '@cairn/kit/net/aws-signature';
import { allOf, type Call, drained, type HttpClient, inWords, Refused } from './http.ts';
import type { ObjectStore } from './object-store.ts';

/** The way into an account of Swift. */
export interface SwiftAccess {
  /** Base of the account's containers, without a slash at the end. */
  readonly url: string;
  readonly token: string;
}

export interface SwiftOptions {
  readonly http: HttpClient;
  /** `again`: the one given before was refused. */
  readonly access: (signal: AbortSignal, again: boolean) => Promise<SwiftAccess>;
  readonly createContainers: boolean;
  readonly storagePolicy: string | undefined;
}

/** An account by Swift's own API. */
export function swiftStore(options: SwiftOptions): ObjectStore {
  const { http } = options;
  type Take<T> = Parameters<typeof http.send<T>>[1];
  const path = (container: string, name?: string): string =>
    `/${uriEncoded(container)}${name === undefined ? '' : `/${name.split('/').map(uriEncoded).join('/')}`}`;

  /** One call; a token that has ended is replaced once. */
  async function send<T>(make: (access: SwiftAccess) => Omit<Call, 'url'> & { readonly path: string }, take: Take<T>, signal: AbortSignal): Promise<T> {
    const attempt = (again: boolean): Promise<T> => {
      let renew = again;
      return http.send(
        async () => {
          const access = await options.access(signal, renew);
          renew = false;
          const { path: where, ...call } = make(access);
          return { ...call, url: new URL(access.url + where), headers: { ...call.headers, 'x-auth-token': access.token } };
        },
        take,
        signal,
      );
    };
    try {
      return await attempt(false).catch((error: unknown) => {
        if (error instanceof Refused && error.status === 401) return attempt(true);
        throw error;
      });
    } catch (error) {
      throw inWords(error);
    }
  }

  const is404 = (error: unknown): boolean => (error as { kind?: string }).kind === 'NotFound';

  return {
    async makeContainer(container, signal) {
      try {
        await send(() => ({ method: 'HEAD', path: path(container), headers: {} }), drained, signal);
      } catch (error) {
        if (!is404(error)) throw error;
        if (!options.createContainers)
          throw conflict(`The object storage of backups has no container "${container}", and Cairn may not make it. Ask the operator.`);
        const headers = { 'content-length': 0, ...(options.storagePolicy !== undefined && { 'x-storage-policy': options.storagePolicy }) };
        await send(() => ({ method: 'PUT', path: path(container), headers }), drained, signal);
      }
    },
    put: (container, name, body, signal) =>
      send(
        () => ({
          method: 'PUT',
          path: path(container, name),
          // Swift compares what it got with the ETag
          headers: { 'content-length': body.sizeBytes, 'content-type': 'application/octet-stream', etag: body.md5 },
          body: () => body.stream(),
        }),
        async (answer) => {
          const etag = answer.headers.etag?.replaceAll('"', '');
          await drained(answer);
          if (etag !== undefined && etag !== body.md5) throw unavailable('The object storage of backups has stored something else than was sent.');
        },
        signal,
      ),
    get: (container, name, maxBytes, signal) =>
      send(
        () => ({ method: 'GET', path: path(container, name), headers: {} }),
        (answer) => allOf(answer, maxBytes),
        signal,
      ),
    read: (container, name, take, signal) => send(() => ({ method: 'GET', path: path(container, name), headers: {} }), take, signal),
    async list(container, prefix, signal) {
      const names: string[] = [];
      for (;;) {
        const marker = names.at(-1);
        const query = `format=json&prefix=${uriEncoded(prefix)}${marker === undefined ? '' : `&marker=${uriEncoded(marker)}`}`;
        let page: readonly { readonly name?: string }[];
        try {
          page = await send(
            () => ({ method: 'GET', path: `${path(container)}?${query}`, headers: { accept: 'application/json' } }),
            async (answer) => (answer.statusCode === 204 ? [] : JSON.parse((await allOf(answer, 64 * 2 ** 20)).toString('utf8'))),
            signal,
          );
        } catch (error) {
          if (is404(error)) return names;
          throw error;
        }
        names.push(...page.flatMap(({ name }) => (name === undefined ? [] : [name])));
        // how long a page is, the server says
        if (page.length === 0) return names;
      }
    },
    async remove(container, name, signal) {
      try {
        await send(() => ({ method: 'DELETE', path: path(container, name), headers: {} }), drained, signal);
      } catch (error) {
        if (!is404(error)) throw error;
      }
    },
  };
}
