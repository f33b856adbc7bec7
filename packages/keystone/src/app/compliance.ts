import { passwordAge, passwordInHistory, passwordRequirements, passwordUnchecked } from '../errors.ts';
import { sawNonlocalUser } from '../store/id-mappings.ts';
import * as store from '../store/user-logins.ts';
import type { UserTable } from '../store/tables.ts';
import type { Db } from '@cairn/kit/store/store';
import { userKey } from '../cache/changes.ts';
import { type Core, type ResourceOptions, touch } from './core.ts';
import type { Passwords } from './passwords.ts';
import { compilePythonRegex } from './python-regex.ts';

const DAY_MS = 86_400_000;
/** A password that a user chose is kept beside the one in use, as upstream does with `unique_last_password_count` of 0. */
const LEAST_KEPT = 1;
/** Users whose day of the last login is known to be written. */
const REMEMBERED_USERS = 50_000;

const startOfDay = (atMs: number): number => atMs - (atMs % DAY_MS);
const holds = (options: ResourceOptions, name: string): boolean => options[name] === true;

/** What of a user's login may be looked at without asking the database. */
export interface LoginFacts {
  readonly id: string;
  readonly options: ResourceOptions;
  readonly passwordExpiresAtMs: number | null;
  readonly lastActiveAtMs: number | null;
}

export type Compliance = ReturnType<typeof createCompliance>;

/** The rules of `[security_compliance]` (keystone/identity/backends/sql.py, sql_model.py; keystone/common/validation/validators.py). */
export function createCompliance(core: Core, parts: { readonly passwords: Passwords }) {
  const { env } = core;
  const rules = core.options.securityCompliance;
  const strength = rules.passwordRegex ? compilePythonRegex(rules.passwordRegex) : undefined;
  const written = new Map<string, number>();
  const turns = new Map<string, Promise<unknown>>();

  /** The moment from which a user counts as disabled for not having logged in. */
  function inactiveFromMs(row: Pick<UserTable, 'options' | 'last_active_at_ms' | 'created_at_ms'>, options: ResourceOptions): number | undefined {
    const days = rules.disableUserAccountDaysInactive;
    if (days === null || holds(options, 'ignore_user_inactivity')) return undefined;
    return startOfDay(row.last_active_at_ms ?? row.created_at_ms) + days * DAY_MS;
  }

  /** Refuses a new password that is too weak, whoever sets it. */
  function checkStrength(password: unknown): void {
    if (!rules.passwordRegex) return;
    if (typeof password !== 'string') throw passwordUnchecked('Password must be a string type');
    if (strength === undefined) throw passwordUnchecked('Unable to validate password due to invalid configuration');
    if (!strength(password)) throw passwordRequirements(rules.passwordRegexDescription);
  }

  /** When a password set now expires. One set by somebody else must be changed before the first use, where that is the rule. */
  function expiryOf(options: ResourceOptions, nowMs: number, bySelf: boolean): number | null {
    if (!bySelf && rules.changePasswordUponFirstUse && !holds(options, 'ignore_change_password_upon_first_use')) return nowMs;
    if (rules.passwordExpiresDays === null || holds(options, 'ignore_password_expiry')) return null;
    return Math.floor((nowMs + rules.passwordExpiresDays * DAY_MS) / 1000) * 1000;
  }

  /** Refuses a user's own choice that is too early, or one of the passwords before. */
  async function checkOwnChoice(db: Db, userId: string, password: string): Promise<void> {
    const newest =
      rules.uniqueLastPasswordCount > 0 || rules.minimumPasswordAgeDays > 0
        ? await store.newestPasswords(db, userId, Math.max(1, rules.uniqueLastPasswordCount))
        : [];
    const [current] = newest;
    const nowMs = env.clock.nowMs();
    if (current?.self_service && rules.minimumPasswordAgeDays > 0) {
      const leftMs = current.created_at_ms + rules.minimumPasswordAgeDays * DAY_MS - nowMs;
      if (leftMs > 0) throw passwordAge(rules.minimumPasswordAgeDays, Math.floor(leftMs / DAY_MS));
    }
    for (const old of newest.slice(0, rules.uniqueLastPasswordCount)) {
      if (old.password_hash && (await parts.passwords.matches(old.password_hash, password))) throw passwordInHistory(rules.uniqueLastPasswordCount);
    }
  }

  /** True while a user's wrong passwords keep everybody out. */
  async function isLocked(user: LoginFacts): Promise<boolean> {
    const most = rules.lockoutFailureAttempts;
    if (most === null || holds(user.options, 'ignore_lockout_failure_attempts')) return false;
    const failures = await store.failuresOf(env.store.read, user.id);
    if (!failures || failures.count < most) return false;
    if (rules.lockoutDurationSec === null || failures.atMs === null) return true;
    if (failures.atMs + rules.lockoutDurationSec * 1000 > env.clock.nowMs()) return true;
    await env.store.write((tx) => store.clearFailures(tx, user.id));
    return false;
  }

  /** After the password was looked at. */
  async function record(user: LoginFacts, right: boolean): Promise<void> {
    if (rules.lockoutFailureAttempts === null) return;
    if (!right) await env.store.write((tx) => store.addFailure(tx, user.id, env.clock.nowMs()));
    else if ((await store.failuresOf(env.store.read, user.id))?.count) await env.store.write((tx) => store.clearFailures(tx, user.id));
  }

  const isExpired = (user: LoginFacts): boolean =>
    user.passwordExpiresAtMs !== null && !holds(user.options, 'ignore_password_expiry') && env.clock.nowMs() >= user.passwordExpiresAtMs;

  /** Remembers the day of a user's login: one write per user and day. */
  async function sawLogin(user: LoginFacts): Promise<void> {
    const today = startOfDay(env.clock.nowMs());
    if (user.lastActiveAtMs === today || written.get(user.id) === today) return;
    await env.store.write(async (tx) => {
      await store.setLastActive(tx, user.id, today);
      // only where the day decides who is disabled does anything rest on it
      if (rules.disableUserAccountDaysInactive !== null) await touch(core, tx, [userKey(user.id)]);
    });
    remember(user.id, today);
  }

  /** The same for a user of another program, of whom nothing else is kept. */
  async function sawNonlocalLogin(user: LoginFacts & { readonly domainId: string; readonly name: string }): Promise<void> {
    const nowMs = env.clock.nowMs();
    const today = startOfDay(nowMs);
    if (written.get(user.id) === today) return;
    await env.store.write((tx) => sawNonlocalUser(tx, user, nowMs, today));
    remember(user.id, today);
  }

  function remember(userId: string, today: number): void {
    if (written.size >= REMEMBERED_USERS) written.clear();
    written.set(userId, today);
  }

  /** Logins of one user one after another while wrong ones are counted, so that many at once are no more than so many guesses. */
  async function inTurn<T>(who: string, work: () => Promise<T>): Promise<T> {
    if (rules.lockoutFailureAttempts === null) return await work();
    const before = turns.get(who) ?? Promise.resolve();
    const mine = before.then(work, work);
    const settled = mine.catch(() => undefined);
    turns.set(who, settled);
    try {
      return await mine;
    } finally {
      if (turns.get(who) === settled) turns.delete(who);
    }
  }

  return {
    inactiveFromMs,
    checkStrength,
    expiryOf,
    checkOwnChoice,
    isLocked,
    isExpired,
    record,
    sawLogin,
    sawNonlocalLogin,
    inTurn,
    /** Passwords before the present one that stay for comparison. */
    keptPasswords: Math.max(LEAST_KEPT, rules.uniqueLastPasswordCount),
    /** What a user gets who is enabled anew. */
    enabledAnew: (nowMs: number): Partial<UserTable> => ({
      failed_auth_count: 0,
      failed_auth_at_ms: null,
      ...(rules.disableUserAccountDaysInactive !== null && { last_active_at_ms: startOfDay(nowMs) }),
    }),
  };
}
