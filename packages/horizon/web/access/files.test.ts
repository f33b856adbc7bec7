import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { parse } from 'yaml';
import { type AccessFacts, appCredentialYaml, authUrlOf, cloudsYamlOf, openrcOf } from './files.ts';

const HOSTILE = `a'b"; $(reboot) \`id\` \\ #{x}: - & * ! | > % @ <script> 名\u0085\u2028end`;
const domain = { id: 'd1', name: `domain ${HOSTILE}` };
const facts: AccessFacts = {
  user: { id: 'u1', name: HOSTILE, domain },
  project: { id: 'p1', name: `project ${HOSTILE}`, domain },
  domain: null,
  system: false,
  catalog: [{ type: 'identity', name: 'keystone', url: 'http://cloud:8780/identity', region: 'RegionOne' }],
  origin: 'http://console',
};

/** What a shell has in its environment after it sourced the file, with the password typed in. */
const sourced = (text: string, typed: string): Record<string, string> => {
  const out = execFileSync('/bin/sh', ['-c', `${text}\nexec env -0`], {
    input: `${typed}\n`,
    encoding: 'utf8',
    env: { OS_TOKEN: 'old', OS_SYSTEM_SCOPE: 'all' },
  });
  return Object.fromEntries(
    out
      .slice(out.indexOf('\n') + 1)
      .split('\0')
      .filter((line) => line.startsWith('OS_'))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
};

test('a shell that sources openrc has every name as it is, and the password that was typed', () => {
  assert.deepEqual(sourced(openrcOf(facts), 'se cret\\n'), {
    OS_AUTH_URL: 'http://cloud:8780/identity/v3',
    OS_IDENTITY_API_VERSION: '3',
    OS_USERNAME: HOSTILE,
    OS_USER_DOMAIN_NAME: domain.name,
    OS_PROJECT_ID: 'p1',
    OS_PROJECT_NAME: `project ${HOSTILE}`,
    OS_PROJECT_DOMAIN_NAME: domain.name,
    OS_REGION_NAME: 'RegionOne',
    OS_PASSWORD: 'se cret\\n',
  });
});

test('clouds.yaml says the same, and has no password', () => {
  const { cairn } = parse(cloudsYamlOf(facts)).clouds;
  assert.deepEqual(cairn, {
    auth: {
      auth_url: 'http://cloud:8780/identity/v3',
      username: HOSTILE,
      user_domain_name: domain.name,
      project_id: 'p1',
      project_name: `project ${HOSTILE}`,
      project_domain_name: domain.name,
    },
    region_name: 'RegionOne',
    interface: 'public',
    identity_api_version: 3,
  });
});

test('a domain and the whole system are scopes too; an application credential has its own', () => {
  const auth = (text: string): object => parse(text).clouds.cairn.auth;
  assert.deepEqual(Object.keys(auth(cloudsYamlOf({ ...facts, project: null, domain }))), ['auth_url', 'username', 'user_domain_name', 'domain_id']);
  assert.equal((auth(cloudsYamlOf({ ...facts, project: null, system: true })) as { system_scope: string }).system_scope, 'all');
  assert.match(openrcOf({ ...facts, project: null, system: true }), /^export OS_SYSTEM_SCOPE=all$/m);
  const { cairn } = parse(appCredentialYaml(facts, { id: 'c1', secret: HOSTILE })).clouds;
  assert.deepEqual(
    [cairn.auth_type, cairn.auth],
    ['v3applicationcredential', { auth_url: 'http://cloud:8780/identity/v3', application_credential_id: 'c1', application_credential_secret: HOSTILE }],
  );
});

test('the identity service is found in the catalog, with or without its version, else where the console is', () => {
  const of = (url: string | undefined) =>
    authUrlOf({ origin: 'http://console', catalog: url === undefined ? [] : [{ type: 'identity', name: 'k', url, region: 'R' }] });
  assert.deepEqual(
    [of('http://a/identity/v3/'), of('http://a:5000'), of(undefined)],
    ['http://a/identity/v3', 'http://a:5000/v3', 'http://console/identity/v3'],
  );
});
