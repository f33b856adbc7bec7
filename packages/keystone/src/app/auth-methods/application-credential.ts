import { expecting, unauthenticated } from '../../errors.ts';
import type { ApplicationCredential, ApplicationCredentials } from '../application-credentials.ts';
import type { Core } from '../core.ts';
import type { Lookups } from '../lookups.ts';
import type { Passwords } from '../passwords.ts';
import type { AuthMethod, AuthRequest } from './method.ts';
import type { People } from './people.ts';

interface Parts {
  readonly people: People;
  readonly lookups: Lookups;
  readonly passwords: Passwords;
  readonly applicationCredentials: ApplicationCredentials;
}

/** keystone/auth/plugins/application_credential.py. The user is always the credential's own, whatever the body says (OSSA-2026-003). */
export function applicationCredentialMethod(core: Core, parts: Parts): AuthMethod {
  const { people, lookups, passwords, applicationCredentials } = parts;
  const isPast = (credential: ApplicationCredential): boolean => credential.expiresAtUs !== null && core.env.clock.nowMs() * 1000 >= credential.expiresAtUs;

  async function credentialOf(given: NonNullable<AuthRequest['identity']['application_credential']>): Promise<ApplicationCredential | undefined> {
    if (given.id) return await applicationCredentials.find(given.id);
    const owner = given.user && (await people.personOf(given.user));
    return owner && given.name ? await applicationCredentials.findByName(owner.user.id, given.name) : undefined;
  }

  return {
    name: 'application_credential',
    async authenticate(request) {
      const given = request.identity.application_credential;
      if (!given?.id && !given?.name) throw expecting('id or name', 'application credential');
      if (!given.id && !given.user) throw expecting('user', 'application credential');
      const credential = await credentialOf(given);
      const owner = credential && (await lookups.userById(credential.userId));
      const usable = credential && owner && (await people.isEnabled(owner)) && !isPast(credential) ? credential : undefined;
      if (!(await passwords.verify(`application_credential:${usable?.id}`, usable?.secretHash, given.secret)) || !usable) {
        throw unauthenticated('the application credential or its secret is wrong, expired, or its user is disabled');
      }
      return { userId: usable.userId, applicationCredential: usable, ...(usable.projectId !== null && { projectId: usable.projectId }) };
    },
  };
}
