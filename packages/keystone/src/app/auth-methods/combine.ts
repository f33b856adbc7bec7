import { isCairnError } from '@cairn/kit/errors/errors';
import { unauthenticated } from '../../errors.ts';
import type { ExternalMethod } from './external.ts';
import type { AuthCall, AuthMethod, AuthRequest, Proof } from './method.ts';

/** What all methods together proved. */
export type Proven = Proof & { readonly methods: readonly string[] };

/** Facts about which two methods must agree (upstream: AuthContext.IDENTITY_ATTRIBUTES). */
const AGREED = ['userId', 'projectId', 'accessTokenId', 'identityProviderId', 'protocolId'] as const;

/** The methods that a cloud knows, by name. */
export class AuthMethods {
  readonly #methods = new Map<string, AuthMethod>();

  readonly #external: ExternalMethod | undefined;

  /** `external` is tried before the others on every request that it applies to, named or not. */
  constructor(methods: readonly AuthMethod[], external?: ExternalMethod) {
    for (const method of external ? [external, ...methods] : methods) this.#methods.set(method.name, method);
    this.#external = external;
  }

  has(name: string): boolean {
    return this.#methods.has(name);
  }

  /** Every method that is named must hold; they run in the order given, each once. */
  async prove(names: readonly string[], request: AuthRequest, call: AuthCall): Promise<Proven> {
    let all = await this.#unasked(request, call);
    for (const name of names) {
      const method = this.#methods.get(name);
      if (!method) throw unauthenticated(`there is no method ${name}`);
      all = combine(all, name, await method.authenticate(request, call));
    }
    if (!all) throw unauthenticated('no authentication method was given');
    return all;
  }

  /** What the external method finds out by itself; that it fails is no matter, the named methods decide. */
  async #unasked(request: AuthRequest, call: AuthCall): Promise<Proven | undefined> {
    if (!this.#external?.applies(call)) return undefined;
    try {
      return combine(undefined, this.#external.name, await this.#external.authenticate(request, call));
    } catch (error) {
      if (isCairnError(error, 'Unauthorized')) return undefined;
      throw error;
    }
  }
}

/** Adds what one more method found out. Throws Unauthorized where it says something else than the ones before. */
export function combine(all: Proven | undefined, name: string, one: Proof): Proven {
  for (const fact of AGREED) {
    if (all?.[fact] !== undefined && one[fact] !== undefined && all[fact] !== one[fact]) throw unauthenticated(`the methods disagree about ${fact}`);
  }
  const expiries = [all?.expiresAtMs, one.expiresAtMs].filter((expiry) => expiry !== undefined);
  return {
    ...all,
    ...one,
    methods: [...new Set([...(all?.methods ?? []), name, ...(one.methods ?? [])])],
    ...(expiries.length > 0 && { expiresAtMs: Math.min(...expiries) }),
  };
}
