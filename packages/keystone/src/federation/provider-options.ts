/** An OpenID Connect provider, as the operator describes it. */
export interface OidcOptions {
  /** The protocol that the identity provider is registered with in keystone. Default `openid`. */
  readonly protocol?: string | undefined;
  /** The issuer, exactly as its discovery document and tokens say it. https, or http on a loopback address. */
  readonly issuer: string;
  readonly clientId: string;
  /** Absent for a public client. */
  readonly clientSecret?: string | undefined;
  /** How the client proves itself. Default `basic` with a secret, else `none`. */
  readonly clientAuthentication?: 'basic' | 'post' | 'none' | undefined;
  /** Default openid, email, profile. */
  readonly scopes?: readonly string[] | undefined;
  /** Audiences of access tokens that may be shown at the protocol's auth path. Default: the client's id. */
  readonly audiences?: readonly string[] | undefined;
  /** Access tokens that are no JWT are asked about at the introspection endpoint. Default false. */
  readonly introspection?: boolean | undefined;
  /** Claims of the userinfo endpoint are taken besides those of the token. Default false. */
  readonly userInfo?: boolean | undefined;
  /** The claim that is REMOTE_USER in mappings. Default sub. */
  readonly remoteUserClaim?: string | undefined;
  /** Origins besides the issuer's that its endpoints may be at: `https://oauth2.example.org`. Default none. */
  readonly endpointOrigins?: readonly string[] | undefined;
  /** How far clocks may differ. Default 60. */
  readonly clockSkewSec?: number | undefined;
}

/** A SAML 2.0 identity provider, as the operator describes it. */
export interface SamlOptions {
  /** The protocol that the identity provider is registered with in keystone. Default `saml2`. */
  readonly protocol?: string | undefined;
  /** The identity provider's entity id. */
  readonly entityId: string;
  /** Where browsers are sent to log in (HTTP-Redirect binding); without it there is no log-in in the browser. */
  readonly ssoUrl?: string | undefined;
  /** Certificates (PEM, or base64 of DER) that its assertions are signed with. */
  readonly certificates: readonly string[];
  /** Our own entity id. Default: the address of our metadata. */
  readonly spEntityId?: string | undefined;
  /** Assertions that answer no request are taken: needed when the identity provider is another keystone. Default false. */
  readonly unsolicited?: boolean | undefined;
  /** Signatures and digests with SHA-1 are taken: upstream's keystone signs so. Default false. */
  readonly sha1?: boolean | undefined;
  /** The attribute that is REMOTE_USER in mappings. Default: the subject's name id. */
  readonly remoteUserAttribute?: string | undefined;
  /** How far clocks may differ. Default 60. */
  readonly clockSkewSec?: number | undefined;
}

/** How an identity provider of keystone is reached: by one of the two, or both. */
export interface ProviderOptions {
  readonly oidc?: OidcOptions | undefined;
  readonly saml?: SamlOptions | undefined;
}

/** This keystone as identity provider for others (`[saml]`). */
export interface SamlIdpOptions {
  readonly entityId: string;
  readonly ssoUrl: string;
  /** PEM. */
  readonly certificate: string;
  /** PEM. Secret. */
  readonly privateKey: string;
  /** How long assertions hold: `assertion_expiration_time`. Default 3600. */
  readonly assertionLifetimeSec?: number | undefined;
  readonly organization?: { readonly name: string; readonly displayName: string; readonly url: string } | undefined;
  readonly contact?:
    | {
        readonly type: 'technical' | 'support' | 'administrative' | 'billing' | 'other';
        readonly company: string;
        readonly name: string;
        readonly surname: string;
        readonly email: string;
        readonly telephone: string;
      }
    | undefined;
}
