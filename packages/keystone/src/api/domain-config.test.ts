import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { engines } from '@cairn/kit/store/testing';
import { substitute } from '../app/domain-config.ts';
import { defaultKeystoneOptions } from '../options.ts';
import { TestCloud } from '../testing/cloud.ts';

for (const engine of engines()) {
  describe(`${engine}: configuration of domains`, () => {
    let cloud: TestCloud;
    let admin: string;
    before(async () => {
      cloud = await TestCloud.start({
        engine,
        keystone: {
          securityCompliance: { ...defaultKeystoneOptions.securityCompliance, passwordRegex: '^.{3,}$', passwordRegexDescription: 'three at least' },
        },
      });
      admin = await cloud.admin();
    });
    after(() => cloud.close());

    const CONFIG = { identity: { driver: 'ldap' }, ldap: { url: 'ldap://directory.example', user_tree_dn: 'ou=Users', password: 'secret' } };
    const SHOWN = { identity: { driver: 'ldap' }, ldap: { url: 'ldap://directory.example', user_tree_dn: 'ou=Users' } };

    const domainOf = async (name: string): Promise<string> => (await cloud.expect(201, admin, 'POST', '/v3/domains', { domain: { name } })).body.domain.id;

    test('the configuration of a domain comes, changes and goes, and never shows a secret', async () => {
      const at = `/v3/domains/${await domainOf('configured')}/config`;
      assert.match((await cloud.expect(404, admin, 'GET', at)).body.error.message, /^Could not find any options in domain configuration for domain /);
      assert.deepEqual((await cloud.expect(201, admin, 'PUT', at, { config: CONFIG })).body, { config: SHOWN });
      assert.deepEqual((await cloud.expect(200, admin, 'PUT', at, { config: CONFIG })).body, { config: SHOWN });
      assert.deepEqual((await cloud.expect(200, admin, 'GET', at)).body, { config: SHOWN });
      await cloud.expect(200, admin, 'HEAD', at);
      assert.deepEqual((await cloud.expect(200, admin, 'GET', `${at}/ldap`)).body, { config: { ldap: SHOWN.ldap } });
      assert.deepEqual((await cloud.expect(200, admin, 'GET', `${at}/ldap/url`)).body, { config: { url: SHOWN.ldap.url } });
      await cloud.expect(404, admin, 'GET', `${at}/ldap/password`);
      await cloud.expect(404, admin, 'GET', `${at}/ldap/suffix`);

      const changed = { identity: SHOWN.identity, ldap: { ...SHOWN.ldap, url: 'ldap://other', use_tls: true } };
      assert.deepEqual((await cloud.expect(200, admin, 'PATCH', at, { config: { ldap: { url: 'ldap://other', use_tls: true } } })).body, { config: changed });
      assert.deepEqual((await cloud.expect(200, admin, 'PATCH', `${at}/ldap`, { config: { ldap: { use_tls: false } } })).body.config.ldap.use_tls, false);
      assert.deepEqual((await cloud.expect(200, admin, 'PATCH', `${at}/ldap/url`, { config: { url: 'ldap://third' } })).body.config.ldap.url, 'ldap://third');
      await cloud.expect(404, admin, 'PATCH', `${at}/ldap/suffix`, { config: { suffix: 'dc=x' } });
      await cloud.expect(403, admin, 'PATCH', `${at}/ldap/url`, { config: { suffix: 'dc=x' } });
      await cloud.expect(403, admin, 'PATCH', `${at}/ldap`, { config: { identity: { driver: 'sql' } } });
      await cloud.expect(403, admin, 'PATCH', `${at}/ldap`, { config: { identity: { driver: 'sql' }, ldap: { url: 'x' } } });

      await cloud.expect(204, admin, 'DELETE', `${at}/ldap/url`);
      await cloud.expect(404, admin, 'GET', `${at}/ldap/url`);
      await cloud.expect(404, admin, 'DELETE', `${at}/ldap/url`);
      await cloud.expect(204, admin, 'DELETE', `${at}/identity`);
      await cloud.expect(404, admin, 'DELETE', `${at}/identity`);
      await cloud.expect(204, admin, 'DELETE', at);
      await cloud.expect(404, admin, 'GET', at);
    });

    test('options that may not be set are refused in upstream’s words', async () => {
      const at = `/v3/domains/${await domainOf('refused')}/config`;
      const told = async (config: unknown, path = at) => (await cloud.expect(403, admin, 'PUT', path, { config })).body.error.message;
      assert.equal(await told({}), 'Invalid domain specific configuration: No options specified.');
      assert.equal(
        await told({ ldap: {} }),
        'Invalid domain specific configuration: The value of group ldap specified in the config should be a dictionary of options.',
      );
      assert.equal(await told({ token: { x: 1 } }), 'Invalid domain specific configuration: Group token is not supported for domain specific configurations.');
      assert.equal(
        await told({ ldap: { colour: 1 } }),
        'Invalid domain specific configuration: Option colour in group ldap is not supported for domain specific configurations.',
      );
      for (const odd of [undefined, null, [], 'text', { ldap: 'text' }, { ldap: ['url'] }, { constructor: { name: 1 } }, { ldap: { toString: 1 } }])
        await told(odd);
      await cloud.expect(403, admin, 'GET', `${at}/token`);
      await cloud.expect(403, admin, 'GET', `${at}/ldap/colour`);
      await cloud.expect(404, admin, 'PUT', '/v3/domains/none/config', { config: CONFIG });
      await cloud.expect(404, admin, 'GET', '/v3/domains/none/config');
      await cloud.expect(404, admin, 'PUT', `/v3/domains/${cloud.ids.adminProjectId}/config`, { config: CONFIG });
    });

    test('defaults are upstream’s', async () => {
      const all = (await cloud.expect(200, admin, 'GET', '/v3/domains/config/default')).body.config;
      assert.deepEqual(all.identity, { driver: 'sql', list_limit: null });
      assert.equal(Object.keys(all.ldap).length, 49);
      assert.deepEqual(
        [all.ldap.url, all.ldap.user_objectclass, all.ldap.user_attribute_ignore],
        ['ldap://localhost', 'inetOrgPerson', ['default_project_id']],
      );
      assert.deepEqual((await cloud.expect(200, admin, 'GET', '/v3/domains/config/ldap/default')).body.config, { ldap: all.ldap });
      assert.deepEqual((await cloud.expect(200, admin, 'GET', '/v3/domains/config/identity/driver/default')).body.config, { driver: 'sql' });
      await cloud.expect(403, admin, 'GET', '/v3/domains/config/ldap/password/default');
      await cloud.expect(403, admin, 'GET', '/v3/domains/config/token/default');
      await cloud.expect(403, admin, 'GET', '/v3/domains/config/ldap/colour/default');
    });

    test('rules for passwords are readable by anyone with a token, for the default domain alone', async () => {
      const { token } = await cloud.person(admin, 'reader');
      const at = '/v3/domains/default/config/security_compliance';
      assert.deepEqual((await cloud.expect(200, token, 'GET', at)).body, {
        config: { security_compliance: { password_regex: '^.{3,}$', password_regex_description: 'three at least' } },
      });
      assert.deepEqual((await cloud.expect(200, token, 'GET', `${at}/password_regex`)).body, { config: { password_regex: '^.{3,}$' } });
      await cloud.expect(403, token, 'GET', `${at}/lockout_duration`);
      await cloud.expect(403, admin, 'GET', `/v3/domains/${await domainOf('else')}/config/security_compliance`);
      await cloud.expect(403, token, 'GET', '/v3/domains/default/config');
      await cloud.expect(403, admin, 'PATCH', at, { config: { security_compliance: { password_regex: 'x' } } });
      await cloud.expect(403, token, 'GET', '/v3/domains/config/default');
    });

    test('options go with their domain', async () => {
      const id = await domainOf('brief');
      await cloud.expect(201, admin, 'PUT', `/v3/domains/${id}/config`, { config: CONFIG });
      await cloud.expect(200, admin, 'PATCH', `/v3/domains/${id}`, { domain: { enabled: false } });
      await cloud.expect(204, admin, 'DELETE', `/v3/domains/${id}`);
      assert.deepEqual(await cloud.keystone.app.domainConfigs.full(id), {});
    });

    test('texts may name secrets', async () => {
      const id = await domainOf('substituted');
      await cloud.expect(201, admin, 'PUT', `/v3/domains/${id}/config`, {
        config: { ldap: { user: 'cn=%(password)s,100%%', suffix: '%(nothing)s', password: 'p', url: '50%' } },
      });
      assert.deepEqual((await cloud.keystone.app.domainConfigs.full(id)).ldap, { user: 'cn=p,100%', suffix: '%(nothing)s', password: 'p', url: '50%' });
      assert.equal((await cloud.expect(200, admin, 'GET', `/v3/domains/${id}/config/ldap/user`)).body.config.user, 'cn=%(password)s,100%%');
      const secrets = new Map([['password', '%(password)s $&']]);
      assert.equal(substitute('a%(password)sb', secrets), 'a%(password)s $&b', 'a secret is not read again');
      assert.equal(substitute('%d', secrets), '%d');
    });
  });
}
