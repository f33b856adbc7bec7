import { readdirSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { Client, type Filter, InvalidCredentialsError, NoSuchObjectError, ResultCodeError, SizeLimitExceededError } from 'ldapts';
import type { Clock } from '@cairn/kit/clock/clock';
import { isCairnError } from '@cairn/kit/errors/errors';
import { directoryUnavailable } from '../errors.ts';
import { type LdapSettings, LdapSettingsError } from './ldap-options.ts';

/** An entry with its attributes by their names in lower case. */
export interface LdapEntry {
  readonly dn: string;
  readonly attributes: ReadonlyMap<string, readonly string[]>;
}

export type Scope = 'base' | 'one' | 'sub';

/** upstream waits for ever by default; here a directory that does not answer is one that is not there. */
const CONNECT_TIMEOUT_MS = 5_000;
const OPERATION_TIMEOUT_MS = 20_000;
const DEREF = { always: 'always', finding: 'find', searching: 'search', never: 'never', default: 'never' } as const;

interface Pooled {
  readonly client: Client;
  readonly bornMs: number;
}

/** Connections to the servers of one domain: a few that are bound as the configured user and search, and one for each check of a password. */
export class LdapConnections {
  readonly #settings: LdapSettings;
  readonly #clock: Clock;
  readonly #urls: readonly string[];
  readonly #tls: ConnectionOptions;
  readonly #idle: Pooled[] = [];
  readonly #waiting: (() => void)[] = [];
  #busy = 0;
  #closed = false;

  constructor(settings: LdapSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
    this.#urls = (settings.text('url') ?? '').split(/[\s,]+/).filter((url) => url !== '');
    if (this.#urls.length === 0 || !this.#urls.every((url) => /^ldaps?:\/\//i.test(url)))
      throw new LdapSettingsError('option url should be ldap:// or ldaps://');
    if (settings.flag('use_tls') && this.#urls.some((url) => /^ldaps:/i.test(url))) throw new LdapSettingsError('use_tls and ldaps:// exclude each other');
    this.#tls = tlsOptions(settings);
  }

  /** Entries below `base`; none where `base` is not there. `idAttribute` may hold the 16 bytes of a UUID instead of a text. */
  async search(base: string, scope: Scope, filter: Filter, attributes: readonly string[], idAttribute?: string): Promise<LdapEntry[]> {
    const pageSize = this.#settings.integer('page_size');
    const deref = DEREF[(this.#settings.text('alias_dereferencing') ?? 'default') as keyof typeof DEREF];
    return await this.#withClient(async (client) => {
      try {
        const { searchEntries } = await client.search(base, {
          scope,
          filter,
          attributes: [...attributes],
          derefAliases: deref,
          ...(idAttribute !== undefined && { explicitBufferAttributes: [idAttribute] }),
          ...(pageSize > 0 && { paged: { pageSize } }),
        });
        return searchEntries.map(entryOf);
      } catch (error) {
        if (error instanceof NoSuchObjectError) return [];
        if (error instanceof SizeLimitExceededError) {
          throw directoryUnavailable('Number of User/Group entities returned by LDAP exceeded size limit. Contact your LDAP administrator.');
        }
        throw error;
      }
    });
  }

  /** True when the password is the entry's. An empty one never is: a server takes it for a bind as nobody. */
  async isPassword(dn: string, password: string): Promise<boolean> {
    if (password === '' || dn === '') return false;
    const client = await this.#connect();
    try {
      await client.bind(dn, password);
      return true;
    } catch (error) {
      // whatever the server has against this bind, the password is not accepted
      if (error instanceof ResultCodeError) return false;
      throw unreachable(error);
    } finally {
      await quietly(client);
    }
  }

  /** Ends the connections that nobody uses; the others end with their work. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { client } of this.#idle.splice(0)) await quietly(client);
  }

  async #withClient<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const most = this.#settings.flag('use_pool') ? Math.max(1, this.#settings.integer('pool_size')) : Number.POSITIVE_INFINITY;
    while (this.#busy >= most) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#busy += 1;
    try {
      return await this.#attempt(work);
    } finally {
      this.#busy -= 1;
      this.#waiting.shift()?.();
    }
  }

  async #attempt<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const kept = this.#takeIdle();
    if (kept) {
      try {
        return await this.#use(kept, work);
      } catch (error) {
        // the server may have closed a connection that was idle
        if (error instanceof ResultCodeError || !isConnectionError(error)) throw error;
      }
    }
    return await this.#use({ client: await this.#bound(), bornMs: this.#clock.nowMs() }, work);
  }

  async #use<T>(pooled: Pooled, work: (client: Client) => Promise<T>): Promise<T> {
    try {
      const result = await work(pooled.client);
      if (this.#settings.flag('use_pool') && !this.#closed) this.#idle.push(pooled);
      else await quietly(pooled.client);
      return result;
    } catch (error) {
      await quietly(pooled.client);
      throw isConnectionError(error) ? unreachable(error) : error;
    }
  }

  #takeIdle(): Pooled | undefined {
    const lifetimeMs = this.#settings.integer('pool_connection_lifetime') * 1000;
    for (let kept = this.#idle.pop(); kept; kept = this.#idle.pop()) {
      if (kept.client.isConnected && this.#clock.nowMs() - kept.bornMs < lifetimeMs) return kept;
      void quietly(kept.client);
    }
    return undefined;
  }

  async #bound(): Promise<Client> {
    const client = await this.#connect();
    const user = this.#settings.text('user');
    const { password } = this.#settings;
    try {
      await (user !== undefined && password !== undefined ? client.bind(user, password) : client.bind('', ''));
      return client;
    } catch (error) {
      await quietly(client);
      if (error instanceof InvalidCredentialsError)
        throw directoryUnavailable('Unable to authenticate against Identity backend - Invalid username or password');
      throw error instanceof ResultCodeError ? error : unreachable(error);
    }
  }

  /** To the first server that answers; with TLS where that is asked for. */
  async #connect(): Promise<Client> {
    let last: unknown;
    for (const url of this.#urls) {
      const secure = /^ldaps:/i.test(url);
      const client = new Client({
        url,
        timeout: OPERATION_TIMEOUT_MS,
        connectTimeout: CONNECT_TIMEOUT_MS,
        strictDN: false,
        ...(secure && { tlsOptions: this.#tls }),
      });
      try {
        if (this.#settings.flag('use_tls')) {
          const { hostname } = new URL(url);
          await client.startTLS({ ...this.#tls, host: hostname, ...(isIP(hostname) === 0 && { servername: hostname }) });
        } else if (this.#urls.length > 1) await answers(client);
        return client;
      } catch (error) {
        await quietly(client);
        last = error;
      }
    }
    throw unreachable(last);
  }
}

/** Rejects where the server is not there; whether it lets nobody in is another matter. */
async function answers(client: Client): Promise<void> {
  try {
    await client.bind('', '');
  } catch (error) {
    if (!(error instanceof ResultCodeError)) throw error;
  }
}

const quietly = (client: Client): Promise<void> => client.unbind().catch(() => undefined);

/** Not an answer of the server, nor an error of ours: the line. */
const isConnectionError = (error: unknown): boolean =>
  error instanceof Error && !(error instanceof ResultCodeError) && !isCairnError(error) && !(error instanceof TypeError);

const unreachable = (error: unknown) =>
  directoryUnavailable('The directory of this domain cannot be reached.', error instanceof Error ? error.message : String(error));

function tlsOptions(settings: LdapSettings): ConnectionOptions {
  const certificates: Buffer[] = [];
  const [file, folder] = [settings.text('tls_cacertfile'), settings.text('tls_cacertdir')];
  try {
    if (file !== undefined) certificates.push(readFileSync(file));
    else if (folder !== undefined) for (const name of readdirSync(folder)) if (/\.(pem|crt|0)$/.test(name)) certificates.push(readFileSync(join(folder, name)));
  } catch (error) {
    throw new LdapSettingsError(`the certificates of tls_cacertfile or tls_cacertdir cannot be read: ${(error as Error).message}`);
  }
  return { rejectUnauthorized: settings.text('tls_req_cert') === 'demand', ...(certificates.length > 0 && { ca: certificates }) };
}

type Raw = Buffer | Buffer[] | string | string[];

function entryOf(raw: { readonly dn: string; readonly [name: string]: Raw }): LdapEntry {
  const attributes = new Map<string, readonly string[]>();
  for (const [name, value] of Object.entries(raw)) {
    if (name === 'dn') continue;
    const values = (Array.isArray(value) ? value : [value]).map(textOf).filter((text) => text !== undefined);
    attributes.set(name.toLowerCase(), [...(attributes.get(name.toLowerCase()) ?? []), ...values]);
  }
  return { dn: raw.dn, attributes };
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** UTF-8, or the 16 bytes of a UUID as directories of Microsoft keep it; what is neither is left out. */
function textOf(value: Buffer | string): string | undefined {
  if (typeof value === 'string') return value;
  try {
    return utf8.decode(value);
  } catch {
    if (value.length !== 16) return undefined;
    const swapped = Buffer.from([3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15].map((at) => value[at] as number)).toString('hex');
    return swapped.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }
}
