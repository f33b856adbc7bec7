import { cookieOf, noCookie } from './cookie.ts';
import { BASE } from './paths.ts';

/** A request to one of the cloud's own services, as any client makes it. */
export type Call = (request: {
  readonly method: string;
  readonly url: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}) => Promise<{ readonly status: number; readonly headers: Readonly<Record<string, unknown>>; readonly body: unknown }>;

export interface SignIn {
  readonly user: string;
  /** Name of the user's domain. */
  readonly domain: string;
  readonly password: string;
  /** The six digits of a second factor, when it was asked for. */
  readonly passcode?: string | undefined;
  /** Project to begin in; the user's default one, or else the first, when absent or not theirs. */
  readonly projectId?: string | undefined;
}

/** What the page may know about its session: everything but the token. */
export interface SessionView {
  readonly user: { readonly id: string; readonly name: string; readonly domain: { readonly id: string; readonly name: string } };
  readonly project: { readonly id: string; readonly name: string; readonly domain: { readonly id: string; readonly name: string } } | null;
  /** The domain of a session that has one for its scope. */
  readonly domain: { readonly id: string; readonly name: string } | null;
  /** The whole system is the session's scope. */
  readonly system: boolean;
  readonly projects: readonly { readonly id: string; readonly name: string; readonly domain_id: string; readonly enabled: boolean }[];
  readonly roles: readonly string[];
  readonly expires_at: string;
  readonly catalog: readonly { readonly type: string; readonly name: string; readonly url: string; readonly region: string }[];
}

export interface SessionAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface Token {
  readonly user: SessionView['user'];
  readonly project?: NonNullable<SessionView['project']>;
  readonly domain?: NonNullable<SessionView['domain']>;
  readonly system?: object;
  readonly roles?: readonly { readonly name: string }[];
  readonly expires_at: string;
  readonly catalog?: readonly {
    readonly type: string;
    readonly name: string;
    readonly endpoints: readonly { readonly interface: string; readonly url: string; readonly region: string }[];
  }[];
}
type Project = SessionView['projects'][number];

const TOKENS = '/identity/v3/auth/tokens';

/**
 * Sessions of the console. A session is a token of keystone in a cookie that scripts cannot read; nothing is kept on this side, so that it
 * outlives a restart, and any control process can serve it. Whenever the token changes, the one before is revoked.
 */
export class Sessions {
  readonly #call: Call;
  readonly #nowMs: () => number;

  constructor(call: Call, nowMs: () => number) {
    this.#call = call;
    this.#nowMs = nowMs;
  }

  /** Signs in by password, and passcode where the user's rules ask for one: 401 with `needs: ['totp']` says that they do. */
  async open(wanted: SignIn, secure: boolean, before: string | undefined): Promise<SessionAnswer> {
    const user = { name: wanted.user, domain: { name: wanted.domain } };
    const totp = wanted.passcode !== undefined && wanted.passcode !== '';
    const answer = await this.#call({
      method: 'POST',
      url: TOKENS,
      body: {
        auth: {
          identity: {
            methods: totp ? ['password', 'totp'] : ['password'],
            password: { user: { ...user, password: wanted.password } },
            ...(totp && { totp: { user: { ...user, passcode: wanted.passcode } } }),
          },
        },
      },
    });
    const token = answer.headers['x-subject-token'];
    if (answer.status !== 201 || typeof token !== 'string') return refusal(answer);
    const first = (answer.body as { token: Token }).token;
    const projects = await this.#projects(token);
    const usable = projects.filter((project) => project.enabled);
    const project = usable.find((p) => p.id === wanted.projectId) ?? usable.find((p) => p.id === first.project?.id) ?? usable[0];
    if (before !== undefined && before !== token) await this.#revoke(before);
    if (project === undefined || project.id === first.project?.id) return this.#opened(token, first, projects, secure);
    return this.#scoped(token, project.id, projects, secure);
  }

  /** Who is signed in; 401 when nobody is. */
  async show(token: string | undefined, secure: boolean): Promise<SessionAnswer> {
    if (token === undefined) return { status: 401, body: { needs: [] } };
    const answer = await this.#call({ method: 'GET', url: TOKENS, token, headers: { 'x-subject-token': token } });
    if (answer.status !== 200) return { status: 401, headers: { 'set-cookie': noCookie({ path: BASE, secure }) }, body: { needs: [] } };
    return { status: 200, body: viewOf((answer.body as { token: Token }).token, await this.#projects(token)) };
  }

  /** The same user in another project. */
  async move(token: string | undefined, projectId: string, secure: boolean): Promise<SessionAnswer> {
    if (token === undefined) return { status: 401, body: { needs: [] } };
    return this.#scoped(token, projectId, undefined, secure);
  }

  /** Ends the session: the token is worth nothing from here on. */
  async close(token: string | undefined, secure: boolean): Promise<SessionAnswer> {
    if (token !== undefined) await this.#revoke(token);
    return { status: 204, headers: { 'set-cookie': noCookie({ path: BASE, secure }) } };
  }

  async #scoped(token: string, projectId: string, known: readonly Project[] | undefined, secure: boolean): Promise<SessionAnswer> {
    const answer = await this.#call({
      method: 'POST',
      url: TOKENS,
      body: { auth: { identity: { methods: ['token'], token: { id: token } }, scope: { project: { id: projectId } } } },
    });
    const scoped = answer.headers['x-subject-token'];
    if (answer.status !== 201 || typeof scoped !== 'string') return refusal(answer);
    const projects = known ?? (await this.#projects(scoped));
    await this.#revoke(token);
    return this.#opened(scoped, (answer.body as { token: Token }).token, projects, secure);
  }

  #opened(token: string, facts: Token, projects: readonly Project[], secure: boolean): SessionAnswer {
    const maxAgeSec = Math.max(1, Math.floor((Date.parse(facts.expires_at) - this.#nowMs()) / 1000));
    return { status: 200, headers: { 'set-cookie': cookieOf(token, { path: BASE, secure, maxAgeSec }) }, body: viewOf(facts, projects) };
  }

  async #projects(token: string): Promise<Project[]> {
    const answer = await this.#call({ method: 'GET', url: '/identity/v3/auth/projects', token });
    if (answer.status !== 200) return [];
    const { projects } = answer.body as { projects: readonly Project[] };
    return projects
      .map(({ id, name, domain_id, enabled }) => ({ id, name, domain_id, enabled }))
      .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.id < b.id ? -1 : 1));
  }

  async #revoke(token: string): Promise<void> {
    await this.#call({ method: 'DELETE', url: TOKENS, token, headers: { 'x-subject-token': token } });
  }
}

/** Keystone's refusal as the page needs it: its words, and which factors are missing. */
function refusal(answer: Awaited<ReturnType<Call>>): SessionAnswer {
  const body = (answer.body ?? {}) as {
    error?: { message?: string };
    required_auth_methods?: readonly (readonly string[])[];
    receipt?: { methods?: readonly string[] };
  };
  const given = new Set(body.receipt?.methods ?? []);
  const missing = (body.required_auth_methods ?? []).map((rule) => rule.filter((method) => !given.has(method)));
  const needs = missing.toSorted((a, b) => a.length - b.length)[0] ?? [];
  return { status: answer.status >= 400 ? answer.status : 502, body: { needs, ...(body.error?.message !== undefined && { message: body.error.message }) } };
}

function viewOf(token: Token, projects: readonly Project[]): SessionView {
  return {
    user: { id: token.user.id, name: token.user.name, domain: token.user.domain },
    project: token.project === undefined ? null : { id: token.project.id, name: token.project.name, domain: token.project.domain },
    domain: token.domain === undefined ? null : { id: token.domain.id, name: token.domain.name },
    system: token.system !== undefined,
    projects,
    roles: (token.roles ?? []).map((role) => role.name),
    expires_at: token.expires_at,
    catalog: (token.catalog ?? []).flatMap(({ type, name, endpoints }) =>
      endpoints.filter((endpoint) => endpoint.interface === 'public').map(({ url, region }) => ({ type, name, url, region })),
    ),
  };
}
