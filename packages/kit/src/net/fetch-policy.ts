import { isIP, isIPv4, isIPv6 } from 'node:net';
import { lookup } from 'node:dns/promises';
import { type CairnError, invalidInput } from '../errors/errors.ts';
import { isOwnAddress, isPublicAddress, networksOf } from './addresses.ts';

/** What may be fetched. Names follow glance's `[import_filtering_opts]`. */
export interface FetchPolicy {
  readonly allowedSchemes: readonly string[];
  readonly allowedPorts: readonly number[];
  /** When not empty: only these hosts (`mirror.example.org`, `*.example.org`, an address), and those wherever their addresses are. */
  readonly allowedHosts: readonly string[];
  readonly disallowedHosts: readonly string[];
  /** Networks (CIDR) that may be reached though they are not public: the operator's own mirrors. */
  readonly allowedNetworks: readonly string[];
}

export const defaultFetchPolicy: FetchPolicy = {
  allowedSchemes: ['http', 'https'],
  allowedPorts: [80, 443],
  allowedHosts: [],
  disallowedHosts: [],
  allowedNetworks: [],
};

export interface Resolved {
  readonly address: string;
  readonly family: 4 | 6;
}

/** Names to addresses; an argument so that tests can lie as attackers do. */
export type Resolve = (host: string) => Promise<readonly Resolved[]>;

/** The machine's own resolver, hosts file included. */
export const systemResolve: Resolve = async (host) => (await lookup(host, { all: true })).map((a) => ({ address: a.address, family: a.family === 6 ? 6 : 4 }));

/** A URL that passed, with the very addresses that may be connected to. */
export interface Target {
  readonly url: URL;
  readonly port: number;
  readonly addresses: readonly Resolved[];
}

const MAX_URL = 2_048;
const PARTS = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)(?:[/?#]|$)/;
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i;

/** The refusal: says which rule, never what a name resolved to. */
const refused = (reason: string, detail?: unknown): CairnError =>
  invalidInput(`The URL is not allowed: ${reason}.`, { type: 'UrlRefused', ...(detail !== undefined && { detail }) });

/** A name that nobody knows is no attack, and may be known the next time. */
const unresolved = (detail: string): CairnError => invalidInput('The host of the URL cannot be found.', { type: 'UrlUnresolved', detail });

/**
 * Reads a URL without letting any parser be kind: what a browser would turn into another host (`http://0x7f.1`, `http://127.1`,
 * `http://１２７.0.0.1`, `http://a@b`, `http://host.`, backslashes, escapes) is refused, not understood.
 */
export function parseUrl(text: string): URL {
  if (text.length > MAX_URL || /[^\x21-\x7e]/.test(text)) throw refused('it is too long, or has characters that do not belong into a URL');
  const match = PARTS.exec(text);
  if (!match) throw refused('scheme://host is expected');
  const authority = match[2] as string;
  if (authority.includes('@')) throw refused('it has a user or a password in it');
  if (/[\\%]/.test(authority) || text.includes('\\')) throw refused('its host is spelled with escapes');
  const spelled = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(authority);
  const host = spelled?.[1]?.toLowerCase();
  if (!spelled || !host) throw refused('its host cannot be read');
  checkHost(host);
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw refused('it cannot be read');
  }
  const same = host.startsWith('[') ? isIPv6(url.hostname.slice(1, -1)) : url.hostname === host;
  if (!same || url.username !== '' || url.password !== '') throw refused('its host is spelled in an unusual way');
  return url;
}

function checkHost(host: string): void {
  if (host.startsWith('[')) {
    if (!isIPv6(host.slice(1, -1)) || host.includes('%')) throw refused('its host is no IPv6 address');
    return;
  }
  if (isIPv4(host)) return;
  if (host.length > 253 || host.endsWith('.')) throw refused('its host is too long or ends with a dot');
  const labels = host.split('.');
  if (!labels.every((label) => LABEL.test(label))) throw refused('its host is no host name');
  // 2130706433, 127.1, 0177.0.0.1 and 0x7f.0.0.1 are addresses to some resolvers
  if (/^(?:\d+|0x[0-9a-f]*)$/i.test(labels.at(-1) as string)) throw refused('its host is a number');
}

/** Judges URLs by a policy and pins the addresses that were judged, so that a name that changes its mind gains nothing. */
export class FetchGuard {
  readonly #policy: FetchPolicy;
  readonly #resolve: Resolve;
  readonly #networks: { has(address: string): boolean };

  /** Throws when the policy names networks that are none. */
  constructor(policy: FetchPolicy, resolve: Resolve = systemResolve) {
    this.#policy = policy;
    this.#resolve = resolve;
    this.#networks = networksOf(policy.allowedNetworks);
  }

  /** Everything but the name's addresses. Throws InvalidInput of type `UrlRefused`. */
  parse(text: string): { readonly url: URL; readonly port: number; readonly named: boolean } {
    const url = parseUrl(text);
    const policy = this.#policy;
    const scheme = url.protocol.slice(0, -1);
    if ((scheme !== 'http' && scheme !== 'https') || !policy.allowedSchemes.includes(scheme)) throw refused('its scheme is not one of those allowed');
    const port = url.port === '' ? (scheme === 'https' ? 443 : 80) : Number(url.port);
    if (!policy.allowedPorts.includes(port)) throw refused('its port is not one of those allowed');
    const host = hostOf(url);
    if (matches(policy.disallowedHosts, host)) throw refused('its host is not one of those allowed');
    const named = matches(policy.allowedHosts, host);
    if (policy.allowedHosts.length > 0 && !named) throw refused('its host is not one of those allowed');
    return { url, port, named };
  }

  /** Judges a URL with the addresses of its host. Throws InvalidInput of type `UrlRefused`, or `UrlUnresolved` for a name without addresses. */
  async check(text: string): Promise<Target> {
    const { url, port, named } = this.parse(text);
    const host = hostOf(url);
    const literal = isIP(host);
    let addresses: readonly Resolved[];
    try {
      addresses = literal ? [{ address: host, family: literal === 6 ? 6 : 4 }] : await this.#resolve(host);
    } catch (cause) {
      throw unresolved(String(cause));
    }
    if (addresses.length === 0) throw unresolved('no address');
    // one address that may not be reached spoils the name: it is how rebinding begins
    for (const { address } of addresses) if (!named && !this.#reachable(address)) throw refused('its host is not a public one', { host, address });
    return { url, port, addresses };
  }

  #reachable(address: string): boolean {
    return this.#networks.has(address) || (isPublicAddress(address) && !isOwnAddress(address));
  }
}

const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '').toLowerCase();

const matches = (patterns: readonly string[], host: string): boolean =>
  patterns.some((pattern) => {
    const wanted = pattern.toLowerCase();
    return wanted.startsWith('*.') ? host.endsWith(wanted.slice(1)) && host.length > wanted.length - 1 : host === wanted;
  });
