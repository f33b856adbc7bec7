import type { Session } from '../session/session.ts';

type Scope = Pick<Session, 'roles' | 'domain' | 'system'>;

/** Who administers users and projects: administrators, managers of a domain, and whoever looks at the whole system. */
export const seesIdentity = ({ roles, domain, system }: Scope): boolean => roles.includes('admin') || system || (domain !== null && roles.includes('manager'));

/** Who administers the cloud. What of it they may is for the services to say. */
export const seesAdministration = ({ roles, system }: Scope): boolean => roles.includes('admin') || system;
