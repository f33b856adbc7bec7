import { expecting, passwordExpired, unauthenticated } from '../../errors.ts';
import type { Core } from '../core.ts';
import type { Passwords } from '../passwords.ts';
import type { AuthMethod } from './method.ts';
import type { People } from './people.ts';

/** keystone/auth/plugins/password.py */
export function passwordMethod(core: Core, parts: { readonly people: People; readonly passwords: Passwords }): AuthMethod {
  const { people, passwords } = parts;
  return {
    name: 'password',
    async authenticate(request) {
      const given = request.identity.password?.user;
      if (!given) throw expecting('user', 'password');
      const secret = await people.enabledPersonOf(given);
      // a user who is not there or not enabled costs as much as a wrong password
      if (!(await passwords.verify(`user:${secret?.user.id}`, secret?.passwordHash, given.password)) || !secret) {
        throw unauthenticated(secret ? `wrong password of user ${secret.user.id}` : 'the user is unknown or disabled');
      }
      const { user } = secret;
      const expired = user.passwordExpiresAtMs !== null && core.env.clock.nowMs() >= user.passwordExpiresAtMs;
      if (expired && user.options.ignore_password_expiry !== true) throw passwordExpired(user.id);
      return { userId: user.id };
    },
  };
}
