import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestCloud } from '../testing/cloud.ts';

test('a user has no more credentials than allowed, however many ask at once; going ones make room', async () => {
  const cloud = await TestCloud.start({ keystone: { maxCredentialsPerUser: 2, maxApplicationCredentialsPerUser: 1 } });
  try {
    const admin = await cloud.admin();
    const { userId, projectId, token } = await cloud.person(admin, 'collector');
    const make = (i: number) => cloud.call(token, 'POST', '/v3/credentials', { credential: { type: 'cert', blob: `blob ${i}`, user_id: userId } });
    const answers = await Promise.all([1, 2, 3, 4].map(make));
    assert.deepEqual(answers.map((answer) => answer.status).toSorted(), [201, 201, 403, 403]);
    const refusal = answers.find((answer) => answer.status === 403)?.body.error.message;
    assert.equal(refusal, 'Unable to create additional credentials, maximum of 2 already exceeded for user.');
    const ec2 = () => cloud.call(token, 'POST', `/v3/users/${userId}/credentials/OS-EC2`, { tenant_id: projectId });
    assert.equal((await ec2()).status, 403);
    const first = answers.find((answer) => answer.status === 201)?.body.credential.id;
    await cloud.expect(204, token, 'DELETE', `/v3/credentials/${first}`);
    assert.equal((await ec2()).status, 201);
    assert.equal((await cloud.person(admin, 'another')).token.length > 0, true);
    const application = (name: string) => cloud.call(token, 'POST', `/v3/users/${userId}/application_credentials`, { application_credential: { name } });
    assert.equal((await application('one')).status, 201);
    const second = await application('two');
    assert.deepEqual(
      [second.status, second.body.error.message],
      [403, 'Unable to create additional application credentials, maximum of 1 already exceeded for user.'],
    );
  } finally {
    await cloud.close();
  }
});
