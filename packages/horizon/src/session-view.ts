/** What the page may know about its session: everything but the token. */
export interface SessionView {
  readonly user: { readonly id: string; readonly name: string; readonly domain: { readonly id: string; readonly name: string } };
  readonly project: { readonly id: string; readonly name: string; readonly domain: { readonly id: string; readonly name: string } } | null;
  /** The domain of a session that has one for its scope. */
  readonly domain: { readonly id: string; readonly name: string } | null;
  /** The whole system is the session's scope. */
  readonly system: boolean;
  readonly projects: readonly { readonly id: string; readonly name: string; readonly domain_id: string; readonly enabled: boolean }[];
  /** Domains, and perhaps the whole system, that the session could be for. */
  readonly scopes: { readonly domains: readonly { readonly id: string; readonly name: string }[]; readonly system: boolean };
  readonly roles: readonly string[];
  readonly expires_at: string;
  readonly catalog: readonly { readonly type: string; readonly name: string; readonly url: string; readonly region: string }[];
}
