import { createContext, useContext } from 'react';
import { PAGE_HEADERS } from '../api/client.ts';
import { ApiError } from '../api/errors.ts';

/** Who is signed in, as the session endpoint tells it; the token itself never comes here. */
export interface Session {
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

export interface SignIn {
  readonly user: string;
  readonly domain: string;
  readonly password: string;
  readonly passcode?: string | undefined;
  readonly projectId?: string | undefined;
}

/** A sign-in that was refused; `needs` names the factors that are missing. */
export class SignInError extends ApiError {
  readonly needs: readonly string[];
  constructor(status: number, message: string, needs: readonly string[]) {
    super(status, message, undefined);
    this.needs = needs;
  }
}

const PROJECT_KEY = 'cairn.project';

async function ask(method: 'GET' | 'POST' | 'PUT' | 'DELETE', body?: unknown): Promise<Session | undefined> {
  const response = await fetch('/console/session', {
    method,
    headers: { ...PAGE_HEADERS, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    credentials: 'same-origin',
  });
  const value = (response.status === 204 ? undefined : await response.json()) as (Session & { message?: string; needs?: string[] }) | undefined;
  if (response.ok) return value;
  throw new SignInError(response.status, value?.message ?? `HTTP ${response.status}`, value?.needs ?? []);
}

const remember = (session: Session): Session => {
  if (session.project !== null) localStorage.setItem(PROJECT_KEY, session.project.id);
  return session;
};

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
    return remember((await ask('POST', { ...wanted, ...(projectId !== undefined && { projectId }) })) as Session);
  },
  async move(projectId: string): Promise<Session> {
    return remember((await ask('PUT', { projectId })) as Session);
  },
  async signOut(): Promise<void> {
    await ask('DELETE');
  },
};

export interface SessionHandle {
  readonly session: Session;
  readonly move: (projectId: string) => Promise<void>;
  readonly signOut: () => Promise<void>;
}

export const SessionContext = createContext<SessionHandle | undefined>(undefined);

export function useSession(): SessionHandle {
  const handle = useContext(SessionContext);
  if (handle === undefined) throw new Error('there is no session here');
  return handle;
}
