import { conflict } from '@cairn/kit/errors/errors';
import type { CinderDeps } from '../../app/deps.ts';
import type { SwiftBackupOptions } from '../../options.ts';
import type { Account, BackupDriver } from '../driver.ts';
import { HttpClient } from './http.ts';
import { objectBackups } from './object-driver.ts';
import { swiftUser } from './swift-access.ts';
import { type SwiftAccess, swiftStore } from './swift.ts';

/** A container's name is one part of a path. */
export function wrongSwiftContainer(name: string): string | undefined {
  if (Buffer.byteLength(name) > 256) return 'names have at most 256 bytes';
  // they are what is refused
  if (/[/\u0000-\u001f\u007f]/.test(name)) return 'names have no "/" and no control characters';
  return name === '' || name === '.' || name === '..' ? 'that is no name' : undefined;
}

/** Backups in Swift, or in what has its API. */
export function swiftBackups(deps: CinderDeps, options: SwiftBackupOptions): BackupDriver {
  const { auth } = options;
  const { clock } = deps.env;
  const http = new HttpClient({ ...options, clock });
  const shared = auth.mode === 'single_user' ? swiftUser(http, clock, auth) : undefined;

  /** A new token for each call would be a new signature for each object. */
  const tokens = new Map<string, SwiftAccess & { readonly untilMs: number }>();
  const inTheNameOf =
    (account: Account) =>
    async (_signal: AbortSignal, again: boolean): Promise<SwiftAccess> => {
      const key = JSON.stringify(account);
      const known = tokens.get(key);
      const nowMs = clock.nowMs();
      if (known && !again && known.untilMs > nowMs) return known;
      const { keystone } = deps.faces;
      if (auth.mode !== 'per_user') throw new Error('one user has all backups');
      const base =
        auth.url === undefined ? await keystone.endpointFor(deps.env.store.read, 'object-store', auth.region, account) : auth.url + account.projectId;
      if (base === undefined)
        throw conflict('The catalogue has no public endpoint of the type object-store for backups, and storage.backups.url is not set. Ask the operator.');
      const { token, expiresAtMs } = await keystone.tokenFor(account);
      // what limits or takes a user's rights takes effect for the next token
      const access = { url: base.replace(/\/+$/, ''), token, untilMs: Math.min(nowMs + RENEWED_MS, expiresAtMs - SPARE_MS) };
      for (const [old, { untilMs }] of tokens) if (untilMs <= nowMs) tokens.delete(old);
      tokens.set(key, access);
      return access;
    };

  return objectBackups({
    ...options,
    service: 'cinder.backup.drivers.swift.SwiftBackupDriver',
    defaultContainer: options.container,
    availabilityZone: deps.options.defaultAvailabilityZone,
    wrongContainer: wrongSwiftContainer,
    storeFor: (account) => swiftStore({ ...options, http, access: shared ?? inTheNameOf(account) }),
  });
}

const RENEWED_MS = 300_000;
const SPARE_MS = 60_000;
