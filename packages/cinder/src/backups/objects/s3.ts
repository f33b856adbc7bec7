import { conflict } from '@cairn/kit/errors/errors';
import type { Clock } from '@cairn/kit/clock/clock';
import { queryText, signV4, uriEncoded } from '@cairn/kit/net/aws-signature';
import { allOf, type Call, drained, type HttpClient, inWords } from './http.ts';
import type { ObjectBody, ObjectStore } from './object-store.ts';

export interface S3Options {
  readonly http: HttpClient;
  readonly clock: Clock;
  /** Buckets are in the path, as every S3 service has it. */
  readonly url: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly region: string;
  readonly createContainers: boolean;
}

const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

interface Ask {
  readonly method: string;
  readonly bucket: string;
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: ObjectBody;
}

/** Buckets by the API of Amazon S3. */
export function s3Store(options: S3Options): ObjectStore {
  const { http, clock } = options;
  const base = options.url.replace(/\/+$/, '');
  const credentials = { accessKey: options.accessKey, secretKey: options.secretKey, region: options.region, service: 's3' };

  const callOf = ({ method, bucket, key, query = {}, body }: Ask): Call => {
    const url = new URL(`${base}/${uriEncoded(bucket)}${key === undefined ? '' : `/${key.split('/').map(uriEncoded).join('/')}`}`);
    const extra = body && { 'content-md5': Buffer.from(body.md5, 'hex').toString('base64'), 'content-type': 'application/octet-stream' };
    const headers = signV4({ method, url, query, headers: { ...extra }, bodySha256: body?.sha256 ?? EMPTY }, credentials, clock.nowMs());
    if (Object.keys(query).length > 0) url.search = `?${queryText(query)}`;
    return {
      method,
      url,
      headers: { ...headers, ...(method === 'PUT' && { 'content-length': body?.sizeBytes ?? 0 }) },
      ...(body && { body: () => body.stream() }),
    };
  };
  async function send<T>(ask: Ask, take: Parameters<typeof http.send<T>>[1], signal: AbortSignal): Promise<T> {
    try {
      return await http.send(async () => callOf(ask), take, signal);
    } catch (error) {
      throw inWords(error);
    }
  }
  const is404 = (error: unknown): boolean => (error as { kind?: string }).kind === 'NotFound';

  return {
    async makeContainer(bucket, signal) {
      try {
        await send({ method: 'HEAD', bucket }, drained, signal);
      } catch (error) {
        if (!is404(error)) throw error;
        if (!options.createContainers) throw conflict(`The object storage of backups has no bucket "${bucket}", and Cairn may not make it. Ask the operator.`);
        await send({ method: 'PUT', bucket }, drained, signal);
      }
    },
    put: (bucket, key, body, signal) => send({ method: 'PUT', bucket, key, body }, drained, signal),
    get: (bucket, key, maxBytes, signal) => send({ method: 'GET', bucket, key }, (answer) => allOf(answer, maxBytes), signal),
    read: (bucket, key, take, signal) => send({ method: 'GET', bucket, key }, take, signal),
    async list(bucket, prefix, signal) {
      const names: string[] = [];
      let next: string | undefined;
      do {
        const query = { 'list-type': '2', 'encoding-type': 'url', prefix, ...(next !== undefined && { 'continuation-token': next }) };
        let page: string;
        try {
          page = await send({ method: 'GET', bucket, query }, async (answer) => (await allOf(answer, 64 * 2 ** 20)).toString('utf8'), signal);
        } catch (error) {
          if (is404(error)) return names;
          throw error;
        }
        for (const [, key = ''] of page.matchAll(/<Key>([^<]*)<\/Key>/g)) names.push(decodeURIComponent(unescaped(key).replaceAll('+', '%20')));
        const token = /<NextContinuationToken>([^<]*)<\/NextContinuationToken>/.exec(page)?.[1];
        next = token === undefined || !/<IsTruncated>true</.test(page) ? undefined : unescaped(token);
      } while (next !== undefined);
      return names;
    },
    async remove(bucket, key, signal) {
      try {
        await send({ method: 'DELETE', bucket, key }, drained, signal);
      } catch (error) {
        if (!is404(error)) throw error;
      }
    },
  };
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const unescaped = (text: string): string => text.replace(/&(\w+);/g, (whole, name: string) => ENTITIES[name] ?? whole);
