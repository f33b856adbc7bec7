/** One call that a token limited by access rules may make: catalog type of the service, HTTP method, path pattern. */
export interface AccessRule {
  readonly service: string;
  readonly method: string;
  readonly path: string;
}

/** Who asks, and within which scope: a validated token as every layer below HTTP sees it. Plain data, so that a saga can keep it. */
export interface Context {
  readonly requestId: string;
  readonly userId: string;
  readonly userName: string;
  readonly userDomainId: string;
  readonly userDomainName: string;
  /** Set for a project scope. */
  readonly projectId?: string;
  readonly projectName?: string;
  readonly projectDomainId?: string;
  readonly projectDomainName?: string;
  /** Set for a domain scope. */
  readonly domainId?: string;
  readonly domainName?: string;
  /** `all` for a system scope. */
  readonly systemScope?: 'all';
  /** Role names, implied ones included. */
  readonly roles: readonly string[];
  readonly roleIds?: readonly string[];
  /** How the token was got: password, token, application_credential ... */
  readonly methods: readonly string[];
  readonly isAdminProject: boolean;
  readonly expiresAtMs: number;
  /** The limits a delegated token carries; whatever it creates inherits them (SECURITY: OSSA-2026-005). */
  readonly trustId?: string;
  readonly applicationCredentialId?: string;
  readonly applicationCredentialRestricted?: boolean;
  /** The OAuth1 access token that the token stands for. */
  readonly accessTokenId?: string;
  /** Set for a token that may make these calls alone; kit/http refuses all others. */
  readonly accessRules?: readonly AccessRule[];
  readonly auditIds?: readonly string[];
  /** The user's own token; used where a call is made in their name. Never logged. */
  readonly token?: string;
}

/** The cloud's own identity, for reconcilers and sagas that no user asked for. */
export function systemContext(requestId: string): Context {
  return {
    requestId,
    userId: 'cairn',
    userName: 'cairn',
    userDomainId: 'default',
    userDomainName: 'Default',
    systemScope: 'all',
    roles: ['admin', 'manager', 'member', 'reader', 'service'],
    methods: [],
    isAdminProject: true,
    expiresAtMs: Number.MAX_SAFE_INTEGER,
  };
}

/** True where the context carries the admin role, which by upstream's default policies sees every project. */
export const isAdmin = (ctx: Context): boolean => ctx.roles.includes('admin');
