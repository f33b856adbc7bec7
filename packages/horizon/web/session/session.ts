import { createContext, useContext } from 'react';
import type { SessionView } from '../../src/session-view.ts';
import { PAGE_HEADERS } from '../api/client.ts';
import { ApiError } from '../api/errors.ts';
import { sessionEnd } from '../api/session-end.ts';

/** Who is signed in, as the session endpoint tells it; the token itself never comes here. */
export type Session = SessionView;

export interface SignIn {
  readonly user: string;
  readonly domain: string;
  /** Absent in the second step, which the first one's receipt is good for. */
  readonly password?: string | undefined;
  readonly passcode?: string | undefined;
  readonly projectId?: string | undefined;
}

/** What a session is for. */
export type Scope = { readonly projectId: string } | { readonly domainId: string } | { readonly system: true };

interface PasswordChange {
  readonly userId: string;
  readonly user: string;
  readonly domain: string;
  readonly password: string;
  readonly newPassword: string;
  readonly projectId?: string | undefined;
}

/** An identity provider at which one can sign in. */
export interface Way {
  readonly provider: string;
  readonly protocol: string;
}

/** Where a single sign-on begins; it ends at the session of this very console. */
export const wayHref = ({ provider, protocol }: Way, origin: string): string =>
  `/identity/v3/auth/OS-FEDERATION/identity_providers/${encodeURIComponent(provider)}/protocols/${encodeURIComponent(protocol)}/websso?${new URLSearchParams({ origin: `${origin}/console/session/sso` })}`;

/** A sign-in that was refused; `needs` names the factors that are missing, `expired` the user whose password has to be changed first. */
export class SignInError extends ApiError {
  readonly needs: readonly string[];
  readonly expired: string | undefined;
  constructor(status: number, message: string, needs: readonly string[], expired: string | undefined) {
    super(status, message, undefined);
    this.needs = needs;
    this.expired = expired;
  }
}

const PROJECT_KEY = 'cairn.project';

async function ask<T = Session>(method: 'GET' | 'POST' | 'PUT' | 'DELETE', body?: unknown, path = ''): Promise<T | undefined> {
  const response = await fetch(`/console/session${path}`, {
    method,
    headers: { ...PAGE_HEADERS, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    credentials: 'same-origin',
  });
  const value = (response.status === 204 ? undefined : await response.json()) as (T & { message?: string; needs?: string[]; expired?: string }) | undefined;
  if (response.ok) return value;
  throw new SignInError(response.status, value?.message ?? `HTTP ${response.status}`, value?.needs ?? [], value?.expired);
}

/** Another session takes the place of this one, or of none. */
async function become(...[method, body, path]: Parameters<typeof ask>): Promise<Session> {
  const session = (await sessionEnd.change(() => ask(method, body, path))) as Session;
  if (session.project !== null) localStorage.setItem(PROJECT_KEY, session.project.id);
  return session;
}

export const sessions = {
  /** The session of this browser; undefined when nobody is signed in. */
  async current(): Promise<Session | undefined> {
    try {
      return await ask('GET');
    } catch (error) {
      if (error instanceof SignInError && error.status === 401) return undefined;
      throw error;
    }
  },
  async signIn(wanted: SignIn): Promise<Session> {
    const projectId = wanted.projectId ?? localStorage.getItem(PROJECT_KEY) ?? undefined;
    return become('POST', { ...wanted, ...(projectId !== undefined && { projectId }) });
  },
  async move(scope: Scope): Promise<Session> {
    return become('PUT', scope);
  },
  /** Changes the own password, and signs in with the new one. */
  async changePassword(wanted: PasswordChange): Promise<Session> {
    return become('POST', wanted, '/password');
  },
  async ways(): Promise<readonly Way[]> {
    return (await ask<{ single_sign_on: readonly Way[] }>('GET', undefined, '/ways'))?.single_sign_on ?? [];
  },
  async signOut(): Promise<void> {
    await sessionEnd.change(() => ask('DELETE'));
  },
};

export interface SessionHandle {
  readonly session: Session;
  /** The region whose services the page asks; undefined when the catalog has none. */
  readonly region: string | undefined;
  readonly move: (scope: Scope) => Promise<void>;
  /** Goes on with a session that was got in another way. */
  readonly replace: (session: Session) => void;
  readonly signOut: () => Promise<void>;
}

export const SessionContext = createContext<SessionHandle | undefined>(undefined);

export function useSession(): SessionHandle {
  const handle = useContext(SessionContext);
  if (handle === undefined) throw new Error('there is no session here');
  return handle;
}
