import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { parse } from 'yaml';
import { valueAt } from './json-path.ts';

// A small runner of gabbi files: HTTP requests and what must be true of their answers, in YAML (https://gabbi.readthedocs.io).

type Headers = Readonly<Record<string, string>>;

/** One request and its expectations, defaults applied. */
export interface GabbiStep {
  readonly name: string;
  readonly method: string;
  readonly url: string;
  readonly status: string;
  readonly data: unknown;
  readonly hasData: boolean;
  readonly requestHeaders: Readonly<Record<string, unknown>>;
  readonly queryParameters: Readonly<Record<string, unknown>>;
  readonly responseHeaders: Readonly<Record<string, unknown>>;
  readonly responseForbiddenHeaders: readonly string[];
  readonly responseStrings: readonly string[];
  readonly responseJsonPaths: Readonly<Record<string, unknown>>;
}

export interface GabbiFile {
  readonly fixtures: readonly string[];
  readonly steps: readonly GabbiStep[];
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly url: string;
}

export interface GabbiWorld {
  /** `http://127.0.0.1:1234` */
  readonly url: string;
  /** What `$ENVIRON` reads. */
  readonly environ: Readonly<Record<string, string>>;
  /** Turns the headers that a file writes into those that the server under test takes (tokens). */
  prepareHeaders(headers: Headers): Headers;
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const KNOWN = new Set([
  ...METHODS,
  'name',
  'desc',
  'url',
  'method',
  'status',
  'data',
  'request_headers',
  'query_parameters',
  'response_headers',
  'response_forbidden_headers',
  'response_strings',
  'response_json_paths',
  'verbose',
]);

/** Reads a file. Throws for a key that this runner does not know, so that nothing is left unchecked in silence. */
export function readGabbi(text: string): GabbiFile {
  const file = parse(text, { version: '1.1', merge: true, maxAliasCount: -1 }) as {
    fixtures?: string[];
    defaults?: Record<string, unknown>;
    tests: Record<string, unknown>[];
  };
  const defaults = file.defaults ?? {};
  const steps = file.tests.map((test): GabbiStep => {
    for (const key of [...Object.keys(test), ...Object.keys(defaults)])
      if (!KNOWN.has(key)) throw new Error(`gabbi: the runner does not know "${key}" of "${String(test['name'])}"`);
    const method = METHODS.find((m) => m in test);
    const merged = <T extends object>(key: string): T => ({ ...(defaults[key] as T | undefined), ...(test[key] as T | undefined) }) as T;
    return {
      name: String(test['name']),
      method: method ?? String(test['method'] ?? defaults['method'] ?? 'GET'),
      url: String(method ? test[method] : (test['url'] ?? defaults['url'])),
      status: String(test['status'] ?? defaults['status'] ?? 200),
      data: test['data'],
      hasData: 'data' in test,
      requestHeaders: merged('request_headers'),
      queryParameters: merged('query_parameters'),
      responseHeaders: merged('response_headers'),
      responseForbiddenHeaders: (test['response_forbidden_headers'] as string[] | undefined) ?? [],
      responseStrings: ((test['response_strings'] as unknown[] | undefined) ?? []).map(String),
      responseJsonPaths: merged('response_json_paths'),
    };
  });
  return { fixtures: file.fixtures ?? [], steps };
}

/** Runs the steps in order; returns what went wrong, by step. */
export async function runGabbi(file: GabbiFile, world: GabbiWorld): Promise<Map<string, Error>> {
  const failures = new Map<string, Error>();
  const history = new Map<string, Answer>();
  let prior: Answer | undefined;
  for (const step of file.steps) {
    try {
      const fill = filler(world, history, prior);
      const answer = await ask(step, world, fill);
      history.set(step.name, answer);
      prior = answer;
      // expectations may speak of this very answer
      expect(step, answer, filler(world, history, answer));
    } catch (error) {
      failures.set(step.name, error as Error);
    }
  }
  return failures;
}

type Fill = (value: unknown) => unknown;

const TEMPLATE =
  /\$ENVIRON\[(['"])(?<environ>.+?)\1\]|(?:\$HISTORY\[(['"])(?<history>.+?)\3\]\.)?\$RESPONSE\[(?:'(?<sq>[^']*)'|"(?<dq>[^"]*)")\]|(?:\$HISTORY\[(['"])(?<past>.+?)\7\]\.)?\$(?<plain>LAST_URL|LOCATION|URL|SCHEME|NETLOC)\b/g;

/** Replaces templates in any value, keys too; a text that is one template alone becomes the value itself, with its type. */
function filler(world: GabbiWorld, history: ReadonlyMap<string, Answer>, prior: Answer | undefined): Fill {
  const valueOf = (groups: Record<string, string | undefined>): unknown => {
    if (groups['environ'] !== undefined) {
      const value = world.environ[groups['environ']];
      if (value === undefined) throw new Error(`$ENVIRON['${groups['environ']}'] is not set by the fixture`);
      return value;
    }
    if (groups['plain'] === 'SCHEME') return 'http';
    if (groups['plain'] === 'NETLOC') return new URL(world.url).host;
    const past = groups['history'] ?? groups['past'];
    const answer = past === undefined ? prior : history.get(past);
    if (!answer) throw new Error(`no earlier answer${past === undefined ? '' : ` of "${past}"`}`);
    if (groups['plain'] === 'LOCATION') return answer.headers['location'];
    if (groups['plain'] !== undefined) return answer.url;
    return valueAt(groups['sq'] ?? groups['dq'] ?? '$', JSON.parse(answer.text));
  };
  const fill: Fill = (value) => {
    if (typeof value === 'string') {
      const matches = [...value.matchAll(TEMPLATE)];
      const [only] = matches;
      if (matches.length === 1 && only && only[0] === value) return valueOf(only.groups ?? {});
      return value.replace(TEMPLATE, (...args) => String(valueOf(args.at(-1) as Record<string, string>)));
    }
    if (Array.isArray(value)) return value.map(fill);
    if (value !== null && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([key, one]) => [String(fill(key)), fill(one)]));
    return value;
  };
  return fill;
}

async function ask(step: GabbiStep, world: GabbiWorld, fill: Fill): Promise<Answer> {
  const url = new URL(String(fill(step.url)), world.url);
  for (const [key, value] of Object.entries(step.queryParameters))
    for (const one of Array.isArray(value) ? value : [value]) url.searchParams.append(key, String(fill(one)));
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(step.requestHeaders)) headers[name.toLowerCase()] = String(fill(value));
  const data = step.hasData ? fill(step.data) : undefined;
  const body = data === undefined || data === '' ? undefined : typeof data === 'string' ? data : JSON.stringify(data);
  if (body !== undefined) headers['content-length'] ??= String(Buffer.byteLength(body));
  if (headers['content-length'] !== undefined && !/^\d+$/.test(headers['content-length']))
    return askRaw(step.method, url, world.prepareHeaders(headers), body ?? '');
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method: step.method, headers: world.prepareHeaders(headers) }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const flat = Object.fromEntries(
          Object.entries(response.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
        );
        resolve({ status: response.statusCode ?? 0, headers: flat, text: Buffer.concat(chunks).toString(), url: url.href });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** Sends what Node's own client refuses to send, and reads the answer to its end. */
async function askRaw(method: string, url: URL, headers: Headers, body: string): Promise<Answer> {
  const lines = Object.entries({ ...headers, host: url.host, connection: 'close' }).map(([name, value]) => `${name}: ${value}`);
  const text = await new Promise<string>((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(url.port), url.hostname, () =>
      socket.write(`${method} ${url.pathname}${url.search} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`),
    );
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('end', () => resolve(Buffer.concat(chunks).toString()));
  });
  const [head = '', rest = ''] = text.split('\r\n\r\n', 2);
  const [first = '', ...more] = head.split('\r\n');
  const answered = Object.fromEntries(more.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]));
  return { status: Number(first.split(' ')[1]), headers: answered, text: rest, url: url.href };
}

/** `/.../` is a pattern to be found, anything else a text. */
function patternOf(expected: unknown): RegExp | undefined {
  return typeof expected === 'string' && expected.length > 1 && expected.startsWith('/') && expected.endsWith('/')
    ? new RegExp(expected.slice(1, -1))
    : undefined;
}

function expect(step: GabbiStep, answer: Answer, fill: Fill): void {
  const seen = `${answer.status} ${answer.text.slice(0, 1_500)}`;
  assert.ok(
    step.status
      .split('||')
      .map((s) => s.trim())
      .includes(String(answer.status)),
    `status ${step.status} expected: ${seen}`,
  );
  for (const [name, raw] of Object.entries(step.responseHeaders)) {
    const expected = String(fill(raw));
    const value = answer.headers[name.toLowerCase()];
    assert.ok(value !== undefined, `header ${name} is missing`);
    const pattern = patternOf(expected);
    assert.ok(pattern ? pattern.test(value) : value === expected, `header ${name}: ${expected} expected, not ${value}`);
  }
  for (const name of step.responseForbiddenHeaders) assert.ok(!(name.toLowerCase() in answer.headers), `header ${name} is there`);
  for (const raw of step.responseStrings) {
    const expected = String(fill(raw));
    // a JSON answer may write characters otherwise than they are
    const texts = [answer.text, answer.text.replaceAll('\\"', '"').replaceAll('\\n', '\n')];
    const pattern = patternOf(expected);
    assert.ok(
      texts.some((text) => (pattern ? pattern.test(text) : text.includes(expected))),
      `text "${expected}" expected: ${seen}`,
    );
  }
  const paths = Object.entries(step.responseJsonPaths);
  if (paths.length === 0) return;
  const document: unknown = JSON.parse(answer.text);
  for (const [rawPath, raw] of paths) {
    const path = String(fill(rawPath));
    const expected = fill(raw);
    const value = valueAt(path, document);
    const pattern = patternOf(expected);
    if (pattern) assert.match(String(value), pattern, path);
    else assert.deepEqual(value, expected, `${path}: ${JSON.stringify(expected)} expected, not ${JSON.stringify(value)}: ${seen}`);
  }
}
