import { unauthenticated } from '../../errors.ts';
import type { AuthCall, AuthMethod, AuthRequest, Proof } from './method.ts';

/** What all methods together proved. */
export type Proven = Proof & { readonly methods: readonly string[] };

/** Facts about which two methods must agree (upstream: AuthContext.IDENTITY_ATTRIBUTES). */
const AGREED = ['userId', 'projectId', 'accessTokenId', 'identityProviderId', 'protocolId'] as const;

/** The methods that a cloud knows, by name. */
export class AuthMethods {
  readonly #methods = new Map<string, AuthMethod>();

  constructor(methods: readonly AuthMethod[]) {
    for (const method of methods) this.#methods.set(method.name, method);
  }

  has(name: string): boolean {
    return this.#methods.has(name);
  }

  /** Every method that is named must hold; they run in the order given, each once. */
  async prove(names: readonly string[], request: AuthRequest, call: AuthCall, before?: Proven): Promise<Proven> {
    let all = before;
    for (const name of names) {
      const method = this.#methods.get(name);
      if (!method) throw unauthenticated(`there is no method ${name}`);
      all = combine(all, name, await method.authenticate(request, call));
    }
    if (!all) throw unauthenticated('no authentication method was given');
    return all;
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
