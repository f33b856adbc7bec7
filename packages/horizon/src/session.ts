import { cookieOf, HOME, noCookie, RECEIPT } from './cookie.ts';
import { BASE, SESSION_PATH } from './paths.ts';
import type { SessionView } from './session-view.ts';

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
  /** Absent in the second step: the receipt of the first stands for it. */
  readonly password?: string | undefined;
  /** The six digits of a second factor, when it was asked for. */
  readonly passcode?: string | undefined;
  /** Project to begin in; the user's default one, or else the first, when absent or not theirs. */
  readonly projectId?: string | undefined;
}

/** What a session is for. */
export type Scope = { readonly projectId: string } | { readonly domainId: string } | { readonly system: true };

/** A user's own change of password; keystone asks for the old one, so that it needs no session. */
export interface PasswordChange {
  readonly userId: string;
  readonly user: string;
  readonly domain: string;
  readonly password: string;
  readonly newPassword: string;
  readonly projectId?: string | undefined;
}

export interface SessionAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
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
/** Where the user may go. */
type Reach = Pick<SessionView, 'projects' | 'scopes'>;

const TOKENS = '/identity/v3/auth/tokens';
/** How long keystone's receipts hold. */
const RECEIPT_SEC = 300;

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

  /**
   * Signs in by password, and passcode where the user's rules ask for one: 401 with `needs: ['totp']` says that they do, and leaves a receipt in a
   * cookie, so that the second step needs the passcode alone. 401 with `expired` names the user whose password has to be changed first.
   */
  async open(wanted: SignIn, secure: boolean, before: string | undefined, receipt?: string): Promise<SessionAnswer> {
    const user = { name: wanted.user, domain: { name: wanted.domain } };
    const totp = wanted.passcode !== undefined && wanted.passcode !== '';
    const second = wanted.password === undefined;
    const answer = await this.#call({
      method: 'POST',
      url: TOKENS,
      ...(second && receipt !== undefined && { headers: { 'openstack-auth-receipt': receipt } }),
      body: {
        auth: {
          identity: {
            methods: [...(second ? [] : ['password']), ...(totp || second ? ['totp'] : [])],
            ...(!second && { password: { user: { ...user, password: wanted.password } } }),
            ...((totp || second) && { totp: { user: { ...user, passcode: wanted.passcode ?? '' } } }),
          },
        },
      },
    });
    const token = answer.headers['x-subject-token'];
    if (answer.status !== 201 || typeof token !== 'string') return refusal(answer, secure);
    const opened = await this.#begin(token, (answer.body as { token: Token }).token, wanted.projectId, secure, before);
    return receipt === undefined ? opened : withCookie(opened, noCookie({ path: SESSION_PATH, secure, name: RECEIPT }));
  }

  /** The session of somebody whom an identity provider vouched for: keystone's page brought the token. */
  async adopt(token: string, secure: boolean, before: string | undefined): Promise<SessionAnswer> {
    const answer = await this.#call({ method: 'GET', url: TOKENS, token, headers: { 'x-subject-token': token } });
    if (answer.status !== 200) return refusal({ ...answer, status: 401 }, secure);
    return this.#begin(token, (answer.body as { token: Token }).token, undefined, secure, before);
  }

  /** Changes a user's own password and signs in with the new one: the tokens of the old one are worth nothing any more. */
  async changePassword(wanted: PasswordChange, secure: boolean, before: string | undefined): Promise<SessionAnswer> {
    const answer = await this.#call({
      method: 'POST',
      url: `/identity/v3/users/${encodeURIComponent(wanted.userId)}/password`,
      body: { user: { original_password: wanted.password, password: wanted.newPassword } },
    });
    if (answer.status !== 204) return refusal(answer, secure);
    return this.open({ user: wanted.user, domain: wanted.domain, password: wanted.newPassword, projectId: wanted.projectId }, secure, before);
  }

  /** From a token without a scope, or with any, to a session in a project that its user can use. */
  async #begin(token: string, first: Token, projectId: string | undefined, secure: boolean, before: string | undefined): Promise<SessionAnswer> {
    const reach = await this.#reach(token);
    const usable = reach.projects.filter((project) => project.enabled);
    const project = usable.find((p) => p.id === projectId) ?? usable.find((p) => p.id === first.project?.id) ?? usable[0];
    if (before !== undefined && before !== token) await this.#revoke(before);
    if (project === undefined || project.id === first.project?.id) return this.#opened(token, first, reach, secure);
    return this.#scoped(token, { projectId: project.id }, reach, secure);
  }

  /** Who is signed in; 401 when nobody is. */
  async show(token: string | undefined, secure: boolean): Promise<SessionAnswer> {
    if (token === undefined) return { status: 401, body: { needs: [] } };
    const answer = await this.#call({ method: 'GET', url: TOKENS, token, headers: { 'x-subject-token': token } });
    if (answer.status !== 200) return { status: 401, headers: { 'set-cookie': noCookie({ path: BASE, secure }) }, body: { needs: [] } };
    return { status: 200, body: viewOf((answer.body as { token: Token }).token, await this.#reach(token)) };
  }

  /** The same user in another project, in a domain, or with the whole system in view. */
  async move(token: string | undefined, scope: Scope, secure: boolean, home?: string): Promise<SessionAnswer> {
    if (token === undefined) return { status: 401, body: { needs: [] } };
    if (!('system' in scope)) {
      const moved = await this.#scoped(home ?? token, scope, undefined, secure);
      if (home === undefined || moved.status !== 200) return moved;
      await this.#revoke(token);
      return withCookie(moved, noCookie({ path: SESSION_PATH, secure, name: HOME }));
    }
    const answer = await this.#scoped(token, scope, undefined, secure, home === undefined);
    const facts = answer.body as SessionView;
    if (home !== undefined || answer.status !== 200) return answer;
    const maxAgeSec = this.#secondsTo(facts.expires_at);
    return withCookie(answer, cookieOf(token, { path: SESSION_PATH, secure, name: HOME, maxAgeSec }));
  }

  /** The same answer, with the token that led back from the whole system worth nothing any more. */
  async leave(answer: SessionAnswer, home: string | undefined, secure: boolean): Promise<SessionAnswer> {
    if (home === undefined || answer.status >= 400) return answer;
    await this.#revoke(home);
    return withCookie(answer, noCookie({ path: SESSION_PATH, secure, name: HOME }));
  }

  /** Ends the session: the token is worth nothing from here on. Where it could not be revoked the session goes on, and the answer says so. */
  async close(token: string | undefined, secure: boolean): Promise<SessionAnswer> {
    const revoked = token === undefined ? undefined : await this.#revoke(token);
    if (revoked !== undefined && revoked.status >= 500) return refusal(revoked, secure);
    return { status: 204, headers: { 'set-cookie': noCookie({ path: BASE, secure }) } };
  }

  async #scoped(token: string, scope: Scope, known: Reach | undefined, secure: boolean, keep = false): Promise<SessionAnswer> {
    const answer = await this.#call({
      method: 'POST',
      url: TOKENS,
      body: { auth: { identity: { methods: ['token'], token: { id: token } }, scope: scopeOf(scope) } },
    });
    const scoped = answer.headers['x-subject-token'];
    if (answer.status !== 201 || typeof scoped !== 'string') return refusal(answer, secure);
    const reach = known ?? (await this.#reach(scoped));
    if (!keep) await this.#revoke(token);
    return this.#opened(scoped, (answer.body as { token: Token }).token, reach, secure);
  }

  #opened(token: string, facts: Token, reach: Reach, secure: boolean): SessionAnswer {
    return {
      status: 200,
      headers: { 'set-cookie': cookieOf(token, { path: BASE, secure, maxAgeSec: this.#secondsTo(facts.expires_at) }) },
      body: viewOf(facts, reach),
    };
  }

  #secondsTo(expiresAt: string): number {
    return Math.max(1, Math.floor((Date.parse(expiresAt) - this.#nowMs()) / 1000));
  }

  async #reach(token: string): Promise<Reach> {
    const ask = async (url: string): Promise<unknown> => {
      const answer = await this.#call({ method: 'GET', url, token });
      return answer.status === 200 ? answer.body : undefined;
    };
    const [projects, domains, system] = await Promise.all([
      this.#projects(token),
      ask('/identity/v3/auth/domains') as Promise<{ domains: readonly { id: string; name: string; enabled: boolean }[] } | undefined>,
      ask('/identity/v3/auth/system') as Promise<{ system: readonly object[] } | undefined>,
    ]);
    const usable = (domains?.domains ?? []).filter(({ enabled }) => enabled).map(({ id, name }) => ({ id, name }));
    return { projects, scopes: { domains: usable, system: (system?.system ?? []).length > 0 } };
  }

  async #projects(token: string): Promise<Project[]> {
    const answer = await this.#call({ method: 'GET', url: '/identity/v3/auth/projects', token });
    if (answer.status !== 200) return [];
    const { projects } = answer.body as { projects: readonly Project[] };
    return projects
      .map(({ id, name, domain_id, enabled }) => ({ id, name, domain_id, enabled }))
      .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.id < b.id ? -1 : 1));
  }

  #revoke(token: string): ReturnType<Call> {
    return this.#call({ method: 'DELETE', url: TOKENS, token, headers: { 'x-subject-token': token } });
  }
}

/** A scope in keystone's words. */
const scopeOf = (scope: Scope): object =>
  'projectId' in scope ? { project: { id: scope.projectId } } : 'domainId' in scope ? { domain: { id: scope.domainId } } : { system: { all: true } };

/** One more cookie in an answer. */
function withCookie(answer: SessionAnswer, cookie: string): SessionAnswer {
  const before = answer.headers?.['set-cookie'] ?? [];
  return { ...answer, headers: { ...answer.headers, 'set-cookie': [...(typeof before === 'string' ? [before] : before), cookie] } };
}

/** Upstream names the user in the sentence, and nowhere else. */
const EXPIRED = /^The password is expired and needs to be changed for user: ([0-9A-Za-z_-]{1,64})\.$/;

/** Keystone's refusal as the page needs it: its words, which factors are missing, whose password has expired; a receipt goes into a cookie. */
function refusal(answer: Awaited<ReturnType<Call>>, secure: boolean): SessionAnswer {
  const body = (answer.body ?? {}) as {
    error?: { message?: string };
    required_auth_methods?: readonly (readonly string[])[];
    receipt?: { methods?: readonly string[] };
  };
  const given = new Set(body.receipt?.methods ?? []);
  const missing = (body.required_auth_methods ?? []).map((rule) => rule.filter((method) => !given.has(method)));
  const needs = missing.toSorted((a, b) => a.length - b.length)[0] ?? [];
  const message = body.error?.message;
  const expired = EXPIRED.exec(message ?? '')?.[1];
  const receipt = answer.headers['openstack-auth-receipt'];
  const refused: SessionAnswer = {
    status: answer.status >= 400 ? answer.status : 502,
    body: { needs, ...(message !== undefined && { message }), ...(expired !== undefined && { expired }) },
  };
  if (typeof receipt !== 'string') return refused;
  return withCookie(refused, cookieOf(receipt, { path: SESSION_PATH, secure, name: RECEIPT, maxAgeSec: RECEIPT_SEC }));
}

function viewOf(token: Token, reach: Reach): SessionView {
  return {
    user: { id: token.user.id, name: token.user.name, domain: token.user.domain },
    project: token.project === undefined ? null : { id: token.project.id, name: token.project.name, domain: token.project.domain },
    domain: token.domain === undefined ? null : { id: token.domain.id, name: token.domain.name },
    system: token.system !== undefined,
    ...reach,
    roles: (token.roles ?? []).map((role) => role.name),
    expires_at: token.expires_at,
    catalog: (token.catalog ?? []).flatMap(({ type, name, endpoints }) =>
      endpoints.filter((endpoint) => endpoint.interface === 'public').map(({ url, region }) => ({ type, name, url, region })),
    ),
  };
}
