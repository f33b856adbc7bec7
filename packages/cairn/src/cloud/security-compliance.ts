import type { SecurityCompliance } from '@cairn/keystone/options';
import type { CloudConfig } from '../config.ts';

/** keystone's rules for passwords, from the configuration, where 0 and the empty text stand for "not set". */
export function securityComplianceOf(config: CloudConfig): SecurityCompliance {
  const {
    identity: { securityCompliance: given },
  } = config;
  return {
    lockoutFailureAttempts: given.lockoutFailureAttempts || null,
    lockoutDurationSec: given.lockoutSeconds || null,
    passwordExpiresDays: given.passwordExpiresDays || null,
    uniqueLastPasswordCount: given.uniqueLastPasswordCount,
    minimumPasswordAgeDays: given.minimumPasswordAgeDays,
    passwordRegex: given.passwordRegex || null,
    passwordRegexDescription: given.passwordRegexDescription || null,
    changePasswordUponFirstUse: given.changePasswordUponFirstUse,
    disableUserAccountDaysInactive: given.disableUserAccountDaysInactive || null,
  };
}
