import { accountLocked, expecting, passwordExpired, unauthenticated } from '../../errors.ts';
import type { Compliance } from '../compliance.ts';
import type { Passwords } from '../passwords.ts';
import type { UserSecret } from '../users.ts';
import type { AuthMethod, UserReference } from './method.ts';
import type { People } from './people.ts';

interface Parts {
  readonly people: People;
  readonly passwords: Passwords;
  readonly compliance: Compliance;
}

/** keystone/auth/plugins/password.py */
export function passwordMethod(parts: Parts): AuthMethod {
  const { people, passwords, compliance } = parts;

  /** A user who is not there, not enabled or locked costs as much as a wrong password, and is told the same (OSSA-2021-003). */
  async function prove(secret: UserSecret | undefined, password: string | undefined): Promise<UserSecret> {
    const locked = secret && !secret.isPassword ? await compliance.isLocked(secret.user) : false;
    const [right] = await Promise.all([
      secret?.isPassword ? secret.isPassword(password ?? '') : passwords.verify(`user:${secret?.user.id}`, locked ? undefined : secret?.passwordHash, password),
      // a check elsewhere is hidden behind one that a user who is not there costs
      secret?.isPassword && passwords.verify('', undefined, password),
    ]);
    if (!secret) throw unauthenticated('the user is unknown or disabled');
    if (locked) throw accountLocked(secret.user.id);
    // another program has rules of its own
    if (!secret.isPassword) await compliance.record(secret.user, right);
    if (!right) throw unauthenticated(`wrong password of user ${secret.user.id}`);
    return secret;
  }

  return {
    name: 'password',
    async authenticate(request) {
      const given = request.identity.password?.user;
      if (!given) throw expecting('user', 'password');
      const found = await people.enabledPersonOf(given);
      const { user, isPassword } = await compliance.inTurn(found?.user.id ?? turnOf(given), () => prove(found, given.password));
      if (compliance.isExpired(user)) throw passwordExpired(user.id);
      await (isPassword ? compliance.sawNonlocalLogin(user) : compliance.sawLogin(user));
      return { userId: user.id };
    },
  };
}

const turnOf = ({ id, name, domain }: UserReference): string => JSON.stringify([id, name, domain]);
