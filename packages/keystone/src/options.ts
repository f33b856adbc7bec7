/** What an operator may set for keystone; names of upstream's options in the comments. */
export interface KeystoneOptions {
  /** Cairn's data directory; key repositories are below `keystone/` in it. */
  readonly dataDir: string;
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
  /** How long a receipt of a login that lacks a method holds: `[receipt] expiration`. */
  readonly receiptLifetimeSec: number;
  /** Windows of 30 seconds before the present one whose TOTP passcode still counts: `[totp] included_previous_windows`. */
  readonly totpPreviousWindows: number;
  /** `[auth] external`: absent, nobody is believed who others say that they are. */
  readonly external?: ExternalAuth;
  /** `[trust] max_redelegation_count`. */
  readonly maxRedelegationCount: number;
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

export const DEFAULT_DOMAIN_ID = 'default';

export const defaultKeystoneOptions: Omit<KeystoneOptions, 'dataDir'> = {
  tokenLifetimeSec: 3600,
  allowExpiredWindowSec: 48 * 3600,
  maxActiveKeys: 3,
  bcryptCost: 12,
  passwordProofTtlMs: 300_000,
  maxProjectTreeDepth: 5,
  maxListLimit: 1000,
  receiptLifetimeSec: 300,
  totpPreviousWindows: 1,
  maxRedelegationCount: 3,
};
