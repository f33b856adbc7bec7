import { createHash, createHmac } from 'node:crypto';
import { signingKeyV4, uriEncoded, V4 } from '@cairn/kit/net/aws-signature';

/** A request as the service that received it describes it for the check of its signature: the body of POST /v3/ec2tokens. */
export interface SignedRequest {
  readonly verb: string;
  readonly host: string;
  readonly path: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** As the client sent them; versions 0 to 2 look at none. */
  readonly headers: Readonly<Record<string, unknown>>;
  /** SHA-256 of the body in hexadecimal; version 4 alone. */
  readonly bodyHash: string;
}

const hmac = (algorithm: 'sha1' | 'sha256', key: string | Buffer, text: string | Buffer): Buffer => createHmac(algorithm, key).update(text).digest();

/** A parameter's text as the senders' library has it. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return value === null || value === undefined ? 'None' : typeof value === 'number' ? String(value) : JSON.stringify(value);
}

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
const canonicalQuery = (params: SignedRequest['params']): string =>
  Object.keys(params)
    .toSorted(byBytes)
    .map((key) => `${uriEncoded(key)}=${uriEncoded(textOf(params[key]))}`)
    .join('&');

/** Versions 0 and 1: nothing but parameters, under SHA-1. */
const version0 = (secret: string, { params }: SignedRequest): string =>
  hmac('sha1', secret, textOf(params.Action) + textOf(params.Timestamp)).toString('base64');

function version1(secret: string, { params }: SignedRequest): string {
  const keys = Object.keys(params).toSorted((a, b) => byBytes(a.toLowerCase(), b.toLowerCase()));
  return hmac('sha1', secret, keys.map((key) => key + textOf(params[key])).join('')).toString('base64');
}

/** Version 2: the call too; the method of signing is part of what is signed, whatever the client wrote. */
function version2(secret: string, { verb, host, path, params }: SignedRequest): string {
  const query = canonicalQuery({ ...params, SignatureMethod: 'HmacSHA256' });
  return hmac('sha256', secret, `${verb}\n${host}\n${path}\n${query}`).toString('base64');
}

const isVersion4 = ({ headers, params }: SignedRequest): boolean =>
  typeof headers.Authorization === 'string' ? headers.Authorization.startsWith(V4) : params['X-Amz-Algorithm'] === V4;

/** Version 4, with what the Authorization header or the X-Amz-* parameters say. Undefined where they contradict each other. */
function version4(secret: string, request: SignedRequest): string | undefined {
  const { headers, params } = request;
  const said = (name: string): string => {
    if (typeof headers.Authorization === 'string') return headers.Authorization.split(`${name}=`)[1]?.split(',')[0] ?? '';
    return textOf(params[`X-Amz-${name}`] ?? '');
  };
  const date = textOf(headers['X-Amz-Date'] ?? params['X-Amz-Date'] ?? '');
  const [, day, region, service, ...end] = said('Credential').split('/');
  if (!day || region === undefined || service === undefined || !date.startsWith(day)) return undefined;
  const lower = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase().trim(), textOf(value).trim()]));
  // an old library signs the host without its port
  const stripsPort = /^Boto\/2\.[0-9]\.[0-2]/.test(lower.get('user-agent') ?? '');
  const signed = said('SignedHeaders');
  const lines = signed
    .split(';')
    .filter((name) => lower.has(name))
    .map((name) => `${name}:${name === 'host' && stripsPort ? lower.get(name)?.split(':')[0] : lower.get(name)}`);
  const verb = request.verb.toUpperCase();
  const canonical = [verb, request.path, verb === 'POST' ? '' : canonicalQuery(params), `${lines.join('\n')}\n`, signed, request.bodyHash].join('\n');
  const scope = [day, region, service, ...end].join('/');
  const toSign = [V4, date, scope, createHash('sha256').update(canonical).digest('hex')].join('\n');
  return hmac('sha256', signingKeyV4(secret, day, region, service), toSign).toString('hex');
}

/** The signature that the holder of `secret` would have made; undefined for a form that there is not. */
export function signatureOf(secret: string, request: SignedRequest): string | undefined {
  switch (request.params.SignatureVersion) {
    case '0':
      return version0(secret, request);
    case '1':
      return version1(secret, request);
    case '2':
      return version2(secret, request);
    default:
      return isVersion4(request) ? version4(secret, request) : undefined;
  }
}

const S3_SERVICES: readonly string[] = ['s3', 'iam', 'sts'];

/** The signature under a text that an S3 service made from a request: version 4 by its first line, or else version 2 of S3's own. */
export function s3SignatureOf(secret: string, toSign: Buffer): string | undefined {
  if (toSign.subarray(0, 4).toString('latin1') !== 'AWS4') return hmac('sha1', secret, toSign).toString('base64');
  const lines = toSign.toString('latin1').split('\n');
  const [date = '', region = '', service = '', end, ...more] = (lines[2] ?? '').split('/');
  if (lines.length !== 4 || lines[0] !== V4 || end !== 'aws4_request' || more.length > 0 || !S3_SERVICES.includes(service)) return undefined;
  return hmac('sha256', signingKeyV4(secret, date, region, service), toSign).toString('hex');
}
