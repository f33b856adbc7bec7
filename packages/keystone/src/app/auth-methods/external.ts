import { BlockList, isIP } from 'node:net';
import { unauthenticated } from '../../errors.ts';
import { DEFAULT_DOMAIN_ID, type ExternalAuth } from '../../options.ts';
import type { AuthCall, AuthMethod } from './method.ts';
import type { People } from './people.ts';

export interface ExternalMethod extends AuthMethod {
  /** Does the request say, from where that may be said, who asks? */
  applies(call: AuthCall): boolean;
}

/**
 * A proxy in front has already found out who asks and says it in a header (keystone/auth/plugins/external.py, where it is REMOTE_USER). The
 * header counts only when the request comes from one of the configured addresses; from anywhere else it is as if it were not there.
 */
export function externalMethod(options: ExternalAuth, parts: { readonly people: People }): ExternalMethod {
  const trusted = new BlockList();
  for (const each of options.proxies) {
    const [address = '', prefix] = each.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (prefix === undefined) trusted.addAddress(address, family);
    else trusted.addSubnet(address, Number(prefix), family);
  }
  const isTrusted = (address: string): boolean => isIP(address) > 0 && trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  const headerOf = (call: AuthCall, name: string): string | undefined => {
    if (!isTrusted(call.remoteAddress)) return undefined;
    const value = call.headers[name.toLowerCase()];
    // told twice is not told
    return typeof value === 'string' && value !== '' ? value : undefined;
  };

  return {
    name: 'external',
    applies: (call) => headerOf(call, options.userHeader) !== undefined,
    async authenticate(_request, call) {
      const name = headerOf(call, options.userHeader);
      if (name === undefined) throw unauthenticated('No authenticated user');
      const domainName = options.domainHeader === undefined ? undefined : headerOf(call, options.domainHeader);
      const found = await parts.people.enabledPersonOf({ name, domain: domainName === undefined ? { id: DEFAULT_DOMAIN_ID } : { name: domainName } });
      if (!found) throw unauthenticated(`Unable to lookup user ${name}`);
      return { userId: found.user.id };
    },
  };
}
