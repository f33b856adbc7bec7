import type { ApplicationCredentials } from '../application-credentials.ts';
import { audited } from '../audit.ts';
import type { Compliance } from '../compliance.ts';
import type { Core } from '../core.ts';
import type { Credentials } from '../credentials.ts';
import type { MappedLogins } from '../federation/mapped.ts';
import type { Lookups } from '../lookups.ts';
import type { OAuth1 } from '../oauth1.ts';
import type { Passwords } from '../passwords.ts';
import type { Tokens } from '../tokens.ts';
import { applicationCredentialMethod } from './application-credential.ts';
import { AuthMethods } from './combine.ts';
import { externalMethod } from './external.ts';
import { oauth1Method } from './oauth1.ts';
import { mappedMethod } from './mapped.ts';
import { passwordMethod } from './password.ts';
import type { People } from './people.ts';
import { tokenMethod } from './token.ts';
import { totpMethod } from './totp.ts';

interface Parts {
  readonly people: People;
  readonly lookups: Lookups;
  readonly passwords: Passwords;
  readonly compliance: Compliance;
  readonly tokens: Tokens;
  readonly applicationCredentials: ApplicationCredentials;
  readonly credentials: Credentials;
  readonly oauth1: OAuth1;
  readonly mapped: MappedLogins;
}

/** Names by which a federated token may be shown: the method's own, and those of upstream's protocols. */
const FEDERATED = ['mapped', 'saml2', 'openid'] as const;

/** Every authentication method there is. A new one is a file beside this one and a line here. */
export function createAuthMethods(core: Core, parts: Parts): AuthMethods {
  const { external } = core.options;
  return new AuthMethods(
    [
      audited(core, parts.lookups, passwordMethod(parts), (request) => request.identity.password?.user),
      tokenMethod(parts),
      applicationCredentialMethod(core, parts),
      totpMethod(core, parts),
      ...FEDERATED.map((name) => mappedMethod(name, parts)),
      oauth1Method(parts),
    ],
    external && externalMethod(external, parts),
  );
}
