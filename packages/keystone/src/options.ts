import type { Policy } from '@cairn/kit/policy/policy';
import type { ProviderOptions, SamlIdpOptions } from './federation/provider-options.ts';

/** What an operator may set for keystone; names of upstream's options in the comments. */
export interface KeystoneOptions {
  /** The rules of the cloud's services by code name, with the operator's files applied: for explanations. Asked for when they are needed, since services are made one after the other. */
  readonly policiesOfServices: () => ReadonlyMap<string, Policy>;
  /** Cairn's data directory; key repositories are below `keystone/` in it. */
  readonly dataDir: string;
  /** How tokens are written: `[token] provider`. */
  readonly tokenProvider: 'fernet' | 'jws';
  /** How long a token lives: `[token] expiration`. */
  readonly tokenLifetimeSec: number;
  /** How long past its expiry a service may still validate one: `[token] allow_expired_window`. */
  readonly allowExpiredWindowSec: number;
  /** Fernet keys kept, the staged one included: `[fernet_tokens] max_active_keys`. */
  readonly maxActiveKeys: number;
  /** bcrypt's cost for new passwords and secrets: `[identity] password_hash_rounds`. Tests lower it. */
  readonly bcryptCost: number;
  /** How long the in-memory proof of a password that was verified spares the next verification. 0 switches it off. */
  readonly passwordProofTtlMs: number;
  /** `max_project_tree_depth`, without the domain on top. */
  readonly maxProjectTreeDepth: number;
  /** The most entries of one page: `max_db_limit`. */
  readonly maxListLimit: number;
  /** Audit records that are not written, by `identity.authenticate.<outcome>`: `notification_opt_out`. */
  readonly notificationOptOut: readonly string[];
  /** How long a receipt of a login that lacks a method holds: `[receipt] expiration`. */
  readonly receiptLifetimeSec: number;
  /** Windows of 30 seconds before the present one whose TOTP passcode still counts: `[totp] included_previous_windows`. */
  readonly totpPreviousWindows: number;
  /** `[auth] external`: absent, nobody is believed who others say that they are. */
  readonly external?: ExternalAuth;
  /** How old the signature of an EC2 request may be: `[credential] auth_ttl`. */
  readonly ec2SignatureLifetimeSec: number;
  /** `[oauth1] request_token_duration`; 0 is for ever. */
  readonly oauth1RequestLifetimeSec: number;
  /** `[oauth1] access_token_duration`; 0 is for ever. */
  readonly oauth1AccessLifetimeSec: number;
  /** Credentials and application credentials that one user may have; -1 for as many as wanted: `user_limit` of `[credential]` and `[application_credential]`. */
  readonly maxCredentialsPerUser: number;
  readonly maxApplicationCredentialsPerUser: number;
  /** `[trust] max_redelegation_count`. */
  readonly maxRedelegationCount: number;
  readonly federation: FederationOptions;
  readonly securityCompliance: SecurityCompliance;
  /** Whether parents and children limit each other's limits: `[unified_limit] enforcement_model`. */
  readonly limitModel: 'flat' | 'strict_two_level';
  /** How long what a directory said of a user is believed before it is asked again; a login always asks. */
  readonly directoryCacheMs: number;
}

/** Federation; see docs/identity-federation.md. */
export interface FederationOptions {
  /** Pages that may be given a token after a log-in in the browser, in full: `[federation] trusted_dashboard`. */
  readonly trustedDashboards: readonly string[];
  /** Minutes that memberships of a mapping outlive the token, where the identity provider has no setting: `default_authorization_ttl`. */
  readonly defaultAuthorizationTtlMin: number;
  /** `attribute_mapping_default_schema_version`. */
  readonly defaultSchemaVersion: '1.0' | '2.0' | '3.0';
  /** Attribute that names the identity provider where the protocol does not say: `remote_id_attribute`. '' for the issuer itself. */
  readonly remoteIdAttribute: string;
  /** Where browsers reach the identity service, for the addresses that identity providers send them back to; '' for the one they say themselves. */
  readonly publicUrl: string;
  /** How to log in, by the id of the identity provider. */
  readonly providers: Readonly<Record<string, ProviderOptions>>;
  /** This keystone as SAML identity provider for others; absent, it is none. */
  readonly samlIdp?: SamlIdpOptions | undefined;
}

/** A proxy in front that authenticates and tells who it was. It must drop these headers from what comes in. */
export interface ExternalAuth {
  /** Header with the user's name, e.g. `X-Remote-User`. */
  readonly userHeader: string;
  /** Header with the name of the user's domain; the default domain where it is absent. */
  readonly domainHeader?: string;
  /** Addresses or networks (`10.0.0.0/24`) that the headers are believed from. */
  readonly proxies: readonly string[];
}

/** `[security_compliance]`. Off by default; null where nothing is set. */
export interface SecurityCompliance {
  /** Wrong passwords in a row after which the user is locked: `lockout_failure_attempts`. */
  readonly lockoutFailureAttempts: number | null;
  /** How long; null until an administrator enables the user again: `lockout_duration`. */
  readonly lockoutDurationSec: number | null;
  /** `password_expires_days`. */
  readonly passwordExpiresDays: number | null;
  /** The newest passwords that a user may not choose again; 0: any: `unique_last_password_count`. */
  readonly uniqueLastPasswordCount: number;
  /** Days before a user may change a password that the user chose: `minimum_password_age`. */
  readonly minimumPasswordAgeDays: number;
  /** Matched at the start of a new password, as Python's `re.match`: `password_regex`. */
  readonly passwordRegex: string | null;
  /** Told to whoever chose a password that does not match: `password_regex_description`. */
  readonly passwordRegexDescription: string | null;
  /** `change_password_upon_first_use`. */
  readonly changePasswordUponFirstUse: boolean;
  /** Days without a login after which a user counts as disabled: `disable_user_account_days_inactive`. */
  readonly disableUserAccountDaysInactive: number | null;
}

export const DEFAULT_DOMAIN_ID = 'default';

export const defaultKeystoneOptions: Omit<KeystoneOptions, 'dataDir'> = {
  tokenProvider: 'fernet',
  tokenLifetimeSec: 3600,
  allowExpiredWindowSec: 48 * 3600,
  maxActiveKeys: 3,
  bcryptCost: 12,
  passwordProofTtlMs: 300_000,
  maxProjectTreeDepth: 5,
  maxListLimit: 1000,
  notificationOptOut: ['identity.authenticate.success', 'identity.authenticate.pending'],
  receiptLifetimeSec: 300,
  totpPreviousWindows: 1,
  ec2SignatureLifetimeSec: 900,
  oauth1RequestLifetimeSec: 28_800,
  oauth1AccessLifetimeSec: 86_400,
  maxCredentialsPerUser: -1,
  maxApplicationCredentialsPerUser: -1,
  maxRedelegationCount: 3,
  federation: { trustedDashboards: [], defaultAuthorizationTtlMin: 0, defaultSchemaVersion: '1.0', remoteIdAttribute: '', publicUrl: '', providers: {} },
  securityCompliance: {
    lockoutFailureAttempts: null,
    lockoutDurationSec: 1800,
    passwordExpiresDays: null,
    uniqueLastPasswordCount: 0,
    minimumPasswordAgeDays: 0,
    passwordRegex: null,
    passwordRegexDescription: null,
    changePasswordUponFirstUse: false,
    disableUserAccountDaysInactive: null,
  },
  limitModel: 'flat',
  policiesOfServices: () => new Map(),
  directoryCacheMs: 60_000,
};
