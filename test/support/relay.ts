import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { TestNamespace } from './netns.ts';

export interface RelayAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  // tests look into any answer
  readonly body: any;
}

type Reply = { readonly id: number } & (
  | { readonly failed: string }
  | { readonly failed?: never; readonly status: number; readonly headers: Record<string, string>; readonly body: string }
);

/** Requests to a cloud that only the processes of a network namespace can reach. */
export class Relay {
  readonly #url: string;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #next = 0;
  token = '';

  /** `url`: of the cloud, as seen from the namespace. */
  constructor(namespace: TestNamespace, url: string) {
    this.#url = url;
    this.#child = spawn(...namespace.inside(process.execPath, [join(import.meta.dirname, 'relay.child.ts')]), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('message', (reply: Reply) => {
      this.#waiting.get(reply.id)?.(reply);
      this.#waiting.delete(reply.id);
    });
  }

  /** One request; rejects when no whole answer comes. */
  async call(method: string, path: string, body?: unknown, options: { readonly headers?: Readonly<Record<string, string>> } = {}): Promise<RelayAnswer> {
    const id = this.#next++;
    const reply = await new Promise<Reply>((resolve) => {
      this.#waiting.set(id, resolve);
      const headers = {
        ...(this.token && { 'x-auth-token': this.token }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...options.headers,
      };
      this.#child.send({ id, method, url: this.#url + path, headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
    });
    if (reply.failed !== undefined) throw new Error(`${method} ${path}: no answer (${reply.failed})`);
    const isJson = reply.headers['content-type']?.includes('json') && reply.body !== '';
    return { status: reply.status, headers: reply.headers, body: isJson ? JSON.parse(reply.body) : reply.body };
  }

  /** The same, rejecting what is not a success; gives the body. */
  async ok(method: string, path: string, body?: unknown, options: Parameters<Relay['call']>[3] = {}): Promise<RelayAnswer['body']> {
    const answer = await this.call(method, path, body, options);
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** Logs in as the user of an `openrc`; later calls are theirs. */
  async login(env: NodeJS.ProcessEnv): Promise<void> {
    const domain = { name: 'Default' };
    this.token = '';
    const answer = await this.call('POST', '/identity/v3/auth/tokens', {
      auth: {
        identity: { methods: ['password'], password: { user: { name: env.OS_USERNAME, domain, password: env.OS_PASSWORD } } },
        scope: { project: { name: env.OS_PROJECT_NAME, domain } },
      },
    });
    if (answer.status !== 201) throw new Error(`login: ${answer.status} ${JSON.stringify(answer.body)}`);
    this.token = answer.headers['x-subject-token'] ?? '';
  }

  close(): void {
    if (this.#child.connected) this.#child.disconnect();
  }
}
