import { readFileSync } from 'node:fs';
import type { Paths } from '../daemon/paths.ts';
import { running } from '../daemon/process.ts';

/** Calls the running cloud as its admin. */
export interface AdminClient {
  readonly url: string;
  readonly token: string;
  /** Path with the service's prefix: `/compute/v2.1/servers`. Rejects with the fault's words on 4xx and 5xx. */
  json(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<unknown>;
  stream(method: string, path: string, data: ReadableStream): Promise<void>;
}

export async function adminClient(paths: Paths): Promise<AdminClient> {
  const there = running(paths);
  if (!there) throw new Error('no cloud runs here; "./cairn up" first');
  const { adminPassword } = JSON.parse(readFileSync(paths.secrets, 'utf8')) as { adminPassword: string };
  const login = await fetch(`${there.url}/identity/v3/auth/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      auth: {
        identity: { methods: ['password'], password: { user: { name: 'admin', domain: { id: 'default' }, password: adminPassword } } },
        scope: { project: { name: 'admin', domain: { id: 'default' } } },
      },
    }),
  });
  const token = login.headers.get('x-subject-token');
  if (!token) throw new Error(`the cloud refused its own admin: ${login.status} ${await login.text()}`);
  const call = async (method: string, path: string, init: RequestInit): Promise<Response> => {
    const response = await fetch(there.url + path, { ...init, method, headers: { 'x-auth-token': token, ...(init.headers as Record<string, string>) } });
    if (response.status >= 400) throw new Error(`${method} ${path}: ${response.status}: ${wordsOf(await response.text())}`);
    return response;
  };
  return {
    url: there.url,
    token,
    async json(method, path, body, headers = {}) {
      const response = await call(method, path, {
        headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return text === '' ? undefined : JSON.parse(text);
    },
    async stream(method, path, data) {
      await call(method, path, { headers: { 'content-type': 'application/octet-stream' }, body: data, duplex: 'half' } as RequestInit);
    },
  };
}

/** The message inside any service's fault envelope. */
export function wordsOf(text: string): string {
  try {
    const find = (value: unknown): string | undefined => {
      if (value === null || typeof value !== 'object') return undefined;
      for (const [key, child] of Object.entries(value)) {
        if ((key === 'message' || key === 'detail') && typeof child === 'string' && child) return child;
        const inner = find(child);
        if (inner) return inner;
      }
      return undefined;
    };
    return find(JSON.parse(text)) ?? text.slice(0, 300);
  } catch {
    return text.slice(0, 300);
  }
}
