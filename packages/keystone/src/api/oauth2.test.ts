import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { TestCloud } from '../testing/cloud.ts';

let cloud: TestCloud;
let credential: { id: string; secret: string };
let projectId: string;
before(async () => {
  cloud = await TestCloud.start();
  const admin = await cloud.admin();
  const person = await cloud.person(admin, 'robot');
  projectId = person.projectId;
  const body = { application_credential: { name: 'oauth2' } };
  credential = (await cloud.expect(201, person.token, 'POST', `/v3/users/${person.userId}/application_credentials`, body)).body.application_credential;
});
after(() => cloud.close());

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const ask = (form: Record<string, string>, headers: Record<string, string> = {}) =>
  cloud.call(undefined, 'POST', '/v3/OS-OAUTH2/token', new URLSearchParams(form).toString(), { ...FORM, ...headers });
const basic = (id: string, secret: string) => ({ authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` });
const grant = { grant_type: 'client_credentials' };

test('an application credential gets a bearer token, by HTTP basic or by the form', async () => {
  for (const answer of [
    await ask(grant, basic(credential.id, credential.secret)),
    await ask({ ...grant, client_id: credential.id, client_secret: credential.secret }),
  ]) {
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    const { access_token, ...rest } = answer.body;
    assert.deepEqual(rest, { token_type: 'Bearer', expires_in: 3600 });
    const shown = await cloud.expect(200, access_token, 'GET', '/v3/auth/tokens', undefined, { 'x-subject-token': access_token });
    assert.deepEqual([shown.body.token.project.id, shown.body.token.methods], [projectId, ['application_credential']]);
  }
});

test('what is wrong is said as OAuth 2.0 says it', async () => {
  const none = await ask({});
  assert.deepEqual([none.status, none.body], [400, { error: 'invalid_request', error_description: 'The parameter grant_type is required.' }]);
  const other = await ask({ grant_type: 'password' });
  assert.deepEqual(
    [other.status, other.body],
    [400, { error: 'unsupported_grant_type', error_description: 'The parameter grant_type password is not supported.' }],
  );
  const failed = { error: 'invalid_client', error_description: 'Client authentication failed.' };
  for (const form of [grant, { ...grant, client_id: credential.id }, { ...grant, client_secret: 'x' }]) {
    const answer = await ask(form);
    assert.deepEqual([answer.status, answer.body, answer.headers.get('www-authenticate')], [401, failed, `Keystone uri="${cloud.url}/v3"`]);
  }
  for (const headers of [basic(credential.id, 'wrong'), basic('nobody', 'x')]) {
    const answer = await ask(grant, headers);
    assert.deepEqual([answer.status, answer.body], [401, { error: 'invalid_client', error_description: 'The request you have made requires authentication.' }]);
  }
  const json = await cloud.call(undefined, 'POST', '/v3/OS-OAUTH2/token', grant);
  assert.deepEqual([json.status, json.body.error], [400, 'invalid_request']);
});

test('only POST gets tokens', async () => {
  for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
    const answer = await cloud.call(undefined, method, '/v3/OS-OAUTH2/token');
    assert.deepEqual([answer.status, answer.body], [405, { error: 'other_error', error_description: 'The method is not allowed for the requested URL.' }]);
  }
});

test('a certificate that only a header tells of is not believed', async () => {
  const answer = await ask({ ...grant, client_id: cloud.ids.adminUserId }, { SSL_CLIENT_CERT: 'x', 'ssl-client-cert': 'x', 'x-ssl-client-cert': 'x' });
  assert.deepEqual([answer.status, answer.body.error], [401, 'invalid_client']);
});
