import { createHash, createHmac } from 'node:crypto';

/** Version 4 of AWS's signatures: what S3 services know their callers by. */
export const V4 = 'AWS4-HMAC-SHA256';

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** RFC 3986: everything but letters, digits and `-_.~`. */
export const uriEncoded = (text: string): string => encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

/** The key of version 4 for one day, region and service. */
export function signingKeyV4(secret: string, date: string, region: string, service: string): Buffer {
  let key = hmac(`AWS4${secret}`, date);
  for (const part of [region, service, 'aws4_request']) key = hmac(key, part);
  return key;
}

export interface V4Request {
  readonly method: string;
  /** As it is sent, each part of the path encoded (`uriEncoded`); no query. */
  readonly url: URL;
  /** Parameters as they are, not encoded. */
  readonly query: Readonly<Record<string, string>>;
  /** More headers to be signed, by their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** SHA-256 of the body, hexadecimal. */
  readonly bodySha256: string;
}

export interface V4Credentials {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly region: string;
  readonly service: string;
}

/** The headers that make a request one of the holder's of the key: those given, and the signature over all of them. */
export function signV4(request: V4Request, credentials: V4Credentials, nowMs: number): Record<string, string> {
  const { method, url, query, bodySha256 } = request;
  const { accessKey, secretKey, region, service } = credentials;
  const time = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, '');
  const day = time.slice(0, 8);
  const headers: Record<string, string> = { ...request.headers, host: url.host, 'x-amz-content-sha256': bodySha256, 'x-amz-date': time };
  const names = Object.keys(headers).toSorted();
  const lines = names.map((name) => `${name}:${(headers[name] ?? '').trim()}\n`).join('');
  const canonical = [method, url.pathname, queryText(query), lines, names.join(';'), bodySha256].join('\n');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = [V4, time, scope, createHash('sha256').update(canonical).digest('hex')].join('\n');
  const signature = hmac(signingKeyV4(secretKey, day, region, service), toSign).toString('hex');
  return { ...headers, authorization: `${V4} Credential=${accessKey}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}` };
}

/** A query as version 4 signs it, which is how it is sent, too. */
export const queryText = (query: Readonly<Record<string, string>>): string =>
  Object.keys(query)
    .toSorted()
    .map((name) => `${uriEncoded(name)}=${uriEncoded(query[name] ?? '')}`)
    .join('&');
