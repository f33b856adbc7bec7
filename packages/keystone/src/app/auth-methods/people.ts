import type { Clock } from '@cairn/kit/clock/clock';
import { expecting } from '../../errors.ts';
import type { ProjectTable } from '../../store/tables.ts';
import type { Lookups } from '../lookups.ts';
import type { UserSecret } from '../users.ts';
import type { DomainReference, UserReference } from './method.ts';

export type People = ReturnType<typeof createPeople>;

/** Users and domains as the bodies of logins name them. */
export function createPeople(lookups: Lookups, clock: Clock) {
  async function domainOf(given: DomainReference): Promise<ProjectTable | undefined> {
    if (!given.id && !given.name) throw expecting('id or name', 'domain');
    const domain = given.name ? await lookups.domainByName(given.name) : await lookups.projectById(given.id ?? '');
    return domain?.is_domain ? domain : undefined;
  }

  /** The user that a request names; undefined where there is none, or the domain is not there. */
  async function personOf(given: UserReference): Promise<UserSecret | undefined> {
    if (given.name !== undefined && given.name !== '') {
      if (!given.domain) throw expecting('domain', 'user');
      const domain = await domainOf(given.domain);
      return domain?.enabled ? await lookups.userByName(given.name, domain.id) : undefined;
    }
    if (!given.id) throw expecting('id or name', 'user');
    return await lookups.userById(given.id);
  }

  async function isEnabled(secret: UserSecret): Promise<boolean> {
    const domain = await lookups.projectById(secret.user.domainId);
    const { enabled, inactiveFromMs } = secret.user;
    return enabled && (inactiveFromMs === undefined || clock.nowMs() < inactiveFromMs) && domain?.enabled === 1;
  }

  return {
    domainOf,
    personOf,
    isEnabled,
    /** The named user, if there and enabled together with the domain. */
    enabledPersonOf: async (given: UserReference): Promise<UserSecret | undefined> => {
      const found = await personOf(given);
      return found && (await isEnabled(found)) ? found : undefined;
    },
  };
}
