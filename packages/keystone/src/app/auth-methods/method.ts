import type { ApplicationCredential } from '../application-credentials.ts';

/** `{id}` or `{name}`. */
export interface DomainReference {
  readonly id?: string;
  readonly name?: string;
}

export interface UserReference {
  readonly id?: string;
  readonly name?: string;
  readonly domain?: DomainReference;
}

/** The body of POST /v3/auth/tokens, already valid in form. */
export interface AuthRequest {
  readonly identity: {
    readonly methods: readonly string[];
    readonly password?: { readonly user?: UserReference & { readonly password?: string } };
    readonly totp?: { readonly user?: UserReference & { readonly passcode?: unknown } };
    readonly token?: { readonly id?: string };
    readonly application_credential?: { readonly id?: string; readonly name?: string; readonly secret?: string; readonly user?: UserReference };
    /** What the body says for any method, by the method's name. */
    readonly [method: string]: unknown;
  };
  readonly scope?:
    | string
    | {
        readonly project?: { readonly id?: string; readonly name?: string; readonly domain?: DomainReference };
        readonly domain?: DomainReference;
        readonly system?: unknown;
        readonly unscoped?: unknown;
        readonly 'OS-TRUST:trust'?: { readonly id?: string };
      };
}

/** The HTTP request that brought an AuthRequest, as far as methods look at it. */
export interface AuthCall {
  readonly requestId: string;
  readonly remoteAddress: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The full address that was asked for, with the query. */
  readonly url: string;
  /** User agent, for the audit record. */
  readonly userAgent?: string | undefined;
}

/** What one method found out, or all of them together. What two of them say about the same must not differ; of expiries the earliest counts. */
export interface Proof {
  readonly userId: string;
  /** Methods that count as passed besides the method itself: those of the token that is shown. */
  readonly methods?: readonly string[];
  readonly expiresAtMs?: number;
  readonly parentAuditId?: string;
  readonly applicationCredential?: ApplicationCredential;
  /** The scope that the proof brings along and that cannot be chosen: of an application credential, an OAuth1 access token. */
  readonly projectId?: string;
  /** OAuth1. */
  readonly accessTokenId?: string;
  /** Federation: all three, or none. */
  readonly identityProviderId?: string;
  readonly protocolId?: string;
  readonly groupIds?: readonly string[];
}

/** One way to prove who asks (keystone/auth/plugins). */
export interface AuthMethod {
  /** As `identity.methods` names it. */
  readonly name: string;
  /** Throws Unauthorized for a proof that does not hold, InvalidInput for a body that is not the method's. */
  authenticate(request: AuthRequest, call: AuthCall): Promise<Proof>;
}
