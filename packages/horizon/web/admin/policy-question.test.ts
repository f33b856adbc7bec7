import assert from 'node:assert/strict';
import { test } from 'node:test';
import { questionOf } from './policy-question.ts';

test('a question names the user, the scope, the rule and, where it was given, the target', () => {
  assert.deepEqual(questionOf({ user: 'u', scope: 'project:p', rule: 'nova os_compute_api:servers:show', target: '' }), {
    policy_explanation: { user: { id: 'u' }, scope: { project: { id: 'p' } }, service: 'nova', rule: 'os_compute_api:servers:show' },
  });
  assert.deepEqual(questionOf({ user: 'u', scope: 'system:all', rule: 'glance get_image', target: 'is_public=True\nowner=null\nproject_id=p' }), {
    policy_explanation: {
      user: { id: 'u' },
      scope: { system: { all: true } },
      service: 'glance',
      rule: 'get_image',
      target: { is_public: true, owner: null, project_id: 'p' },
    },
  });
  assert.deepEqual(
    (questionOf({ user: 'u', scope: 'domain:d', rule: 'a b', target: '' }) as { policy_explanation: { scope: object } }).policy_explanation.scope,
    { domain: { id: 'd' } },
  );
});
