import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seesAdministration, seesIdentity } from './sections.ts';

test('the sections for administrators are shown by the roles and the scope of the session', () => {
  const domain = { id: 'd', name: 'd' };
  for (const [roles, inDomain, system, identity, administration] of [
    [['member', 'reader'], false, false, false, false],
    [['manager', 'member'], false, false, false, false],
    [['manager'], true, false, true, false],
    [['admin'], false, false, true, true],
    [['reader'], false, true, true, true],
  ] as const) {
    const scope = { roles, domain: inDomain ? domain : null, system };
    assert.deepEqual([seesIdentity(scope), seesAdministration(scope)], [identity, administration], roles.join());
  }
});
