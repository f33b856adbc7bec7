import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfig } from '@cairn/kit/config/config';
import { CloudSchema } from './config.ts';
import { federationOptions, singleSignOn, withConsole } from './config-federation.ts';

test('federation is configured by the file, secrets and certificates by files of their own', () => {
  const directory = mkdtempSync(join(tmpdir(), 'cairn-federation-'));
  const file = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  const load = (yaml: string) => loadConfig(CloudSchema, { file: file('cairn.yaml', yaml) }).identity.federation;
  const none = federationOptions(load('region: x'), '');
  assert.deepEqual([none.providers, none.samlIdp, none.trustedDashboards], [{}, undefined, []]);
  const options = federationOptions(
    load(`
identity:
  federation:
    trustedDashboards: [https://dash.example/auth/websso/]
    providers:
      corp:
        oidc: { issuer: 'https://idp.example', clientId: c, clientSecretFile: ${file('secret', 'hush\n')}, clockSkewSeconds: 5 }
        saml: { entityId: 'https://idp.example/saml', certificateFiles: [${file('cert', 'CERT')}] }
    samlIdp: { entityId: 'https://us', ssoUrl: 'https://us/sso', certificateFile: ${join(directory, 'cert')}, keyFile: ${file('key', 'KEY')} }
`),
    'https://cloud/identity',
  );
  const both = load(
    `identity: { federation: { providers: { corp: { oidc: { issuer: 'https://idp.example', clientId: c, clientSecretFile: ${join(directory, 'secret')} } } } } }`,
  );
  assert.deepEqual(withConsole(both, 'https://cloud').trustedDashboards, ['https://cloud/console/session/sso']);
  assert.deepEqual(singleSignOn(withConsole(both, 'https://cloud')), [{ provider: 'corp', protocol: 'openid' }]);
  assert.deepEqual([withConsole(both, '').trustedDashboards, singleSignOn(both)], [[], []]);
  const { oidc, saml } = options.providers.corp ?? {};
  assert.deepEqual([oidc?.issuer, oidc?.clientSecret, oidc?.clockSkewSec, saml?.certificates], ['https://idp.example', 'hush', 5, ['CERT']]);
  assert.deepEqual([options.publicUrl, options.samlIdp?.privateKey, options.samlIdp?.assertionLifetimeSec], ['https://cloud/identity', 'KEY', 3600]);
  const lost = load('identity: { federation: { providers: { x: { saml: { entityId: e, certificateFiles: [/nowhere] } } } } }');
  assert.throws(() => federationOptions(lost, ''), /identity\.federation\.providers\.x\.saml\.certificateFiles: the file \/nowhere cannot be read/);
  assert.throws(() => load('identity: { federation: { providers: { x: { oidc: { clientId: c } } } } }'), /issuer/);
  assert.throws(() => load('identity: { federation: { providers: { x: { oidc: { issuer: i, clientId: c, bogus: 1 } } } } }'), /bogus/);
  rmSync(directory, { recursive: true, force: true });
});
