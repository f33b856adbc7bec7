import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { freePort } from '@cairn/kit/testing/free-port';
import { Browser } from '../testing/browser.ts';
import { TestCloud } from '../testing/cloud.ts';
import { envelope, responseXml, type Said, SamlIdp, selfSigned } from '../testing/saml.ts';

const F = '/v3/OS-FEDERATION';
const ORIGIN = 'https://dash.example/auth/websso/';
const PAOS = 'application/vnd.paos+xml';
const RULES = [
  { local: [{ user: { name: '{0}', email: '{1}' } }], remote: [{ type: 'MELLON_NAME_ID' }, { type: 'email' }] },
  { local: [{ groups: '{0}', domain: { id: 'default' } }], remote: [{ type: 'urn:oid:groups' }] },
];
const K2K_RULES = [
  { local: [{ user: { name: '{0}' } }], remote: [{ type: 'openstack_user' }] },
  { local: [{ groups: '{0}' }], remote: [{ type: 'openstack_groups' }] },
];

describe('log-ins at a SAML identity provider', () => {
  let idp: SamlIdp;
  /** A second identity provider of the same cloud, with a key of its own. */
  let evil: SamlIdp;
  /** Is the identity provider of `cloud` by way of its keystone. */
  let home: TestCloud;
  let cloud: TestCloud;
  let admin: string;
  let url: string;
  const protocolUrl = (id: string): string => `${url}/v3/OS-FEDERATION/identity_providers/${id}/protocols/saml2`;
  const keystoneKeys = selfSigned('keystone.example');

  before(async () => {
    const port = await freePort();
    url = `http://127.0.0.1:${port}/identity`;
    idp = await SamlIdp.start();
    evil = await SamlIdp.start();
    const defaults = {
      trustedDashboards: [ORIGIN],
      defaultAuthorizationTtlMin: 0,
      defaultSchemaVersion: '1.0',
      remoteIdAttribute: '',
      publicUrl: '',
      providers: {},
    } as const;
    const samlIdp = { entityId: 'http://home.example/v3/OS-FEDERATION/saml2/idp', ssoUrl: 'http://home.example/sso', ...keystoneKeys };
    home = await TestCloud.start({ keystone: { federation: { ...defaults, samlIdp } } });
    const saml = (from: SamlIdp) => ({ saml: { entityId: from.entityId, ssoUrl: from.ssoUrl, certificates: [from.keys.certificate] } });
    cloud = await TestCloud.start({
      port,
      keystone: {
        federation: {
          ...defaults,
          publicUrl: url,
          providers: {
            corp: saml(idp),
            evil: saml(evil),
            home: { saml: { entityId: samlIdp.entityId, certificates: [keystoneKeys.certificate], unsolicited: true } },
          },
        },
      },
    });
    admin = await cloud.admin();
    const make = (path: string, body: unknown) => cloud.expect(201, admin, 'PUT', F + path, body);
    await make('/mappings/m', { mapping: { rules: RULES } });
    await make('/mappings/k2k', { mapping: { rules: K2K_RULES } });
    for (const id of ['corp', 'evil', 'home']) {
      await make(`/identity_providers/${id}`, { identity_provider: { enabled: true } });
      await make(`/identity_providers/${id}/protocols/saml2`, { protocol: { mapping_id: id === 'home' ? 'k2k' : 'm' } });
    }
    for (const name of ['devs', 'ops', 'admins']) await cloud.expect(201, admin, 'POST', '/v3/groups', { group: { name } });
    for (const [id, provider] of [
      ['corp', idp],
      ['evil', evil],
    ] as const) {
      provider.trust(await (await fetch(`${protocolUrl(id)}/metadata`)).text());
    }
  });
  after(async () => {
    await cloud?.close();
    await home?.close();
    await idp?.close();
    await evil?.close();
  });

  const depart = async (browser: Browser, id = 'corp'): Promise<string> => {
    const response = await browser.request(
      `${url}/v3/auth/OS-FEDERATION/identity_providers/${id}/protocols/saml2/websso?${new URLSearchParams({ origin: ORIGIN })}`,
    );
    assert.equal(response.status, 302, await response.text());
    return response.headers.get('location') ?? '';
  };
  const shown = async (token: string) => (await cloud.expect(200, token, 'GET', '/v3/auth/tokens', undefined, { 'x-subject-token': token })).body.token;

  test('a dashboard gets a token by a browser that logs in at the identity provider', async () => {
    const browser = new Browser();
    const { action, form } = await idp.logIn(browser, await depart(browser), 'ann');
    assert.equal(action, `${protocolUrl('corp')}/acs`);
    const { response, text } = await browser.visit(action, { form });
    assert.equal(response.status, 200, text);
    const token = await shown(/id="token" value="([^"]+)"/.exec(text)?.[1] ?? '');
    assert.deepEqual([token.user.name, token.methods, token.user['OS-FEDERATION'].groups.length], ['ann', ['saml2'], 2]);
    const stored = (await cloud.expect(200, admin, 'GET', `/v3/users/${token.user.id}`)).body.user;
    assert.equal(stored.email, 'ann@example.org');
    assert.deepEqual(
      browser.names().filter((name) => name.startsWith('cairn_')),
      [],
    );
  });

  test('a value of an attribute is one value, whatever signs are in it', async () => {
    const browser = new Browser();
    const { action, form } = await idp.logIn(browser, await depart(browser), 'bob');
    const { text } = await browser.visit(action, { form });
    const token = await shown(/id="token" value="([^"]+)"/.exec(text)?.[1] ?? '');
    assert.deepEqual(token.user['OS-FEDERATION'].groups, []);
  });

  test('OSSA class: an answer is good once, in the browser that asked, and for what it asked', async () => {
    const browser = new Browser();
    const { action, form } = await idp.logIn(browser, await depart(browser), 'ann');
    assert.equal((await new Browser().visit(action, { form })).response.status, 401, 'another browser');
    assert.equal((await browser.visit(action, { form: { ...form, RelayState: 'x' } })).response.status, 401, 'another state');
    assert.equal((await browser.visit(action, { form: { SAMLResponse: form.SAMLResponse ?? '' } })).response.status, 401, 'no state');
    const second = await depart(browser);
    const other = { ...form, RelayState: new URL(second).searchParams.get('RelayState') ?? '' };
    assert.equal((await browser.visit(action, { form: other })).response.status, 401, 'the answer to another request');
    assert.equal((await browser.visit(action.replace('/corp/', '/evil/'), { form })).response.status, 401, 'another identity provider');
    // the same again, as a thief of browser and answer would
    const thief = new Browser();
    const stolen = await idp.logIn(thief, await depart(thief), 'ann');
    const headers = { cookie: await cookiesFor(thief, stolen.action) };
    const send = () => fetch(stolen.action, { method: 'POST', headers, body: new URLSearchParams(stolen.form) });
    assert.deepEqual([(await send()).status, (await send()).status], [200, 401]);
  });

  // one answer, bent in every way: by the enhanced client's path, which needs no browser

  const ask = async (id = 'corp'): Promise<{ id: string; acsUrl: string; issuer: string; text: string }> => {
    const response = await fetch(`${protocolUrl(id)}/auth`, { headers: { accept: `*/*,${PAOS}`, paos: 'ver="urn:liberty:paos:2003-08"' } });
    const text = await response.text();
    assert.deepEqual([response.status, response.headers.get('content-type')], [200, PAOS], text);
    const issuer = /<samlp:AuthnRequest.*?<saml:Issuer>([^<]*)</s.exec(text)?.[1] ?? '';
    return { id: / ID="([^"]+)"/.exec(text)?.[1] ?? '', acsUrl: /responseConsumerURL="([^"]+)"/.exec(text)?.[1] ?? '', issuer, text };
  };
  const bring = async (body: string, to = 'corp'): Promise<Response> =>
    await fetch(`${protocolUrl(to)}/acs`, { method: 'POST', headers: { 'content-type': PAOS }, body, redirect: 'manual' });
  const fetchToken = async (brought: Response, id = 'corp'): Promise<Response> =>
    await fetch(`${protocolUrl(id)}/auth`, { headers: { cookie: (brought.headers.get('set-cookie') ?? '').split(';')[0] ?? '' } });

  test('a client without a browser logs in by envelopes (ECP)', async () => {
    const asked = await ask();
    const basic = `Basic ${Buffer.from('ann:ann-secret').toString('base64')}`;
    const answered = await fetch(idp.ecpUrl, { method: 'POST', headers: { authorization: basic, 'content-type': 'text/xml' }, body: asked.text });
    const brought = await bring(await answered.text());
    assert.deepEqual([brought.status, brought.headers.get('location')], [302, `${protocolUrl('corp')}/auth`]);
    const got = await fetchToken(brought);
    assert.equal(got.status, 201);
    assert.equal((await shown(got.headers.get('x-subject-token') ?? '')).user.name, 'ann');
    assert.equal((await fetchToken(brought)).status, 401, 'once');
  });

  const bend = async (change: Partial<Said>, by: SamlIdp = idp): Promise<string> => {
    const asked = await ask();
    return await by.respond({ ...by.said(asked, 'ann'), ...change });
  };
  const status = async (response: string, to = 'corp'): Promise<number> => (await bring(envelope(response, `${protocolUrl(to)}/acs`), to)).status;

  test('the unbent answer is taken, and once only', async () => {
    const response = await bend({});
    assert.deepEqual([await status(response), await status(response)], [302, 401]);
  });

  test('answers that are old, early, for somebody else, of somebody else or to nothing are refused', async () => {
    const nowMs = Date.now();
    const bent: readonly (readonly [string, Partial<Said>])[] = [
      ['another audience', { audience: 'https://else.example' }],
      ['no audience', { audience: undefined }],
      ['another recipient', { recipient: 'https://else.example/acs' }],
      ['another issuer', { issuer: 'https://else.example' }],
      ['ended', { notOnOrAfterMs: nowMs - 120_000 }],
      ['not yet', { notBeforeMs: nowMs + 120_000 }],
      ['no request', { inResponseTo: undefined }],
      ['a request that we never made', { inResponseTo: '_made-up' }],
      ['not for the bearer', { method: 'urn:oasis:names:tc:SAML:2.0:cm:sender-vouches' }],
      ['nobody logged in', { authnStatement: false }],
    ];
    for (const [name, change] of bent) assert.equal(await status(await bend(change)), 401, name);
    assert.equal(await status(await bend({ notOnOrAfterMs: nowMs - 10_000 })), 302, 'clocks may differ by a minute');
    assert.equal(await status(await bend({}), 'evil'), 401, 'brought to another provider’s address');
    const elsewhere = await ask('evil');
    assert.equal(
      await status(await idp.respond(idp.said({ ...elsewhere, acsUrl: `${protocolUrl('corp')}/acs` }, 'ann'))),
      401,
      'a request for another provider',
    );
  });

  test('OSSA class: answers that are not signed, or not by the provider’s key, or changed afterwards, are refused', async () => {
    const asked = await ask();
    assert.equal(await status(responseXml(idp.said(asked, 'ann'))), 401, 'not signed');
    const other = await evil.respond({ ...evil.said(asked, 'ann'), issuer: idp.entityId });
    assert.equal(await status(other), 401, 'signed by another provider');
    const good = await bend({});
    assert.equal(await status(good.replace('>ann<', '>bob<')), 401, 'another name');
    assert.equal(await status(good.replace('>devs<', '>admins<')), 401, 'another group');
    assert.equal(await status(good.replace(/<(\w+:)?SignatureValue>[^<]{20}/, (found) => `${found.slice(0, -20)}${'A'.repeat(20)}`)), 401, 'another signature');
    assert.equal(await status(good.replaceAll('rsa-sha256', 'rsa-sha1')), 401, 'SHA-1');
    assert.equal(
      await status(good.replaceAll('http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', 'http://www.w3.org/2000/09/xmldsig#hmac-sha1')),
      401,
      'HMAC',
    );
    const unsigned = good.replace(/<(ds:)?Signature[ >].*?<\/(ds:)?Signature>/s, '');
    assert.equal(unsigned.includes('SignatureValue'), false);
    assert.equal(await status(unsigned), 401, 'the signature taken out');
  });

  test('OSSA class: signatures do not count for what is wrapped around them', async () => {
    const wrap = async (make: (parts: { assertion: string; forged: string; signature: string; whole: string }) => string): Promise<number> => {
      const whole = await bend({});
      const assertion = /<saml:Assertion.*<\/saml:Assertion>/s.exec(whole)?.[0] ?? '';
      const signature = /<(ds:)?Signature[ >].*?<\/(ds:)?Signature>/s.exec(assertion)?.[0] ?? '';
      assert.ok(assertion && signature);
      const forged = assertion.replace(signature, '').replace('>ann<', '>bob<').replace('>devs<', '>admins<');
      return await status(make({ assertion, forged, signature, whole }));
    };
    const renamed = (xml: string): string => xml.replace(/ ID="[^"]+"/, ' ID="_forged"');
    const around = (whole: string, assertion: string, inner: string): string => whole.replace(assertion, inner);
    const cases: readonly (readonly [string, Parameters<typeof wrap>[0]])[] = [
      ['two assertions, the forged one first', ({ whole, assertion, forged }) => around(whole, assertion, renamed(forged) + assertion)],
      ['two assertions, the forged one last', ({ whole, assertion, forged }) => around(whole, assertion, assertion + renamed(forged))],
      [
        'the signed one in an extension',
        ({ whole, assertion, forged }) => around(whole, assertion, `<samlp:Extensions>${assertion}</samlp:Extensions>${renamed(forged)}`),
      ],
      [
        'the signed one within the signature of the forged one',
        ({ whole, assertion, forged, signature }) =>
          around(
            whole,
            assertion,
            renamed(forged).replace(
              '</saml:Issuer>',
              `</saml:Issuer>${signature.replace(/<\/(ds:)?Signature>$/, (end) => `<Object>${assertion.replace(signature, '')}</Object>${end}`)}`,
            ),
          ),
      ],
      [
        'the signed one within the forged one',
        ({ whole, assertion, forged }) => around(whole, assertion, renamed(forged).replace('</saml:Assertion>', `${assertion}</saml:Assertion>`)),
      ],
      [
        'the signature moved to a forged one of the same id',
        ({ whole, assertion, forged, signature }) => around(whole, assertion, forged.replace('</saml:Issuer>', `</saml:Issuer>${signature}`)),
      ],
      [
        'the same id twice',
        ({ whole, assertion, forged, signature }) => around(whole, assertion, forged.replace('</saml:Issuer>', `</saml:Issuer>${signature}`) + assertion),
      ],
      [
        'a response around the response',
        ({ whole, assertion, forged }) =>
          around(whole, assertion, renamed(forged)).replace('</samlp:Response>', `<samlp:Extensions>${whole}</samlp:Extensions></samlp:Response>`),
      ],
    ];
    assert.equal(await wrap(({ whole }) => whole), 302, 'nothing wrapped');
    for (const [name, make] of cases) assert.equal(await wrap(make), 401, name);
    const split = await bend({ nameId: 'ann<!-- no comment -->.evil' });
    const brought = await bring(envelope(split, `${protocolUrl('corp')}/acs`));
    assert.equal(brought.status, 302);
    const got = await fetchToken(brought);
    assert.equal((await shown(got.headers.get('x-subject-token') ?? '')).user.name, 'ann.evil', 'a comment cuts no name short');
  });

  test('OSSA class 24: document types, entities and nonsense are refused', async () => {
    const good = await bend({});
    for (const body of [
      `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>${envelope(good, 'x')}`,
      `<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">]>${envelope(good, 'x')}`,
      '',
      'nonsense',
      '<x/>',
      envelope('', 'x'),
      envelope(good + good, 'x'),
      good,
      `<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body><samlp:Response>`,
    ]) {
      assert.equal((await bring(body)).status, 401, body.slice(0, 80));
    }
    assert.equal((await bring('x'.repeat(2_000_000))).status, 413);
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    assert.equal((await fetch(`${protocolUrl('corp')}/acs`, { method: 'POST', headers: form, body: 'SAMLResponse=x&RelayState=y' })).status, 401);
    for (const path of ['acs', 'metadata'])
      assert.equal((await fetch(`${protocolUrl('none')}/${path}`, { method: path === 'acs' ? 'POST' : 'GET' })).status, path === 'acs' ? 401 : 404);
  });

  test('without a proof there is no log-in, whatever headers say', async () => {
    const headers = { REMOTE_USER: 'ann', 'X-Remote-User': 'ann', MELLON_NAME_ID: 'ann', email: 'a@x', 'Shib-Identity-Provider': idp.entityId };
    for (const method of ['GET', 'POST']) assert.equal((await fetch(`${protocolUrl('corp')}/auth`, { method, headers })).status, 401);
    assert.equal((await fetch(`${protocolUrl('corp')}/auth`, { headers: { cookie: 'cairn_saml_session=guessed' } })).status, 401);
  });

  test('another keystone is an identity provider, and its users get tokens here', async () => {
    const homeAdmin = await home.admin();
    const acsUrl = `${protocolUrl('home')}/acs`;
    const sp = { enabled: true, auth_url: `${protocolUrl('home')}/auth`, sp_url: acsUrl };
    await home.expect(201, homeAdmin, 'PUT', `${F}/service_providers/away`, { service_provider: sp });
    const person = await home.person(homeAdmin, 'karl');
    const { id: groupId } = (await home.expect(201, homeAdmin, 'POST', '/v3/groups', { group: { name: 'devs' } })).body.group;
    await home.expect(204, homeAdmin, 'PUT', `/v3/groups/${groupId}/users/${person.userId}`);
    const exchange = (token: string, path = 'saml2/ecp', spId = 'away') =>
      fetch(`${home.url}/v3/auth/OS-FEDERATION/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ auth: { identity: { methods: ['token'], token: { id: token } }, scope: { service_provider: { id: spId } } } }),
      });
    const exchanged = await exchange(person.token);
    const text = await exchanged.text();
    assert.deepEqual(
      [exchanged.status, exchanged.headers.get('content-type'), exchanged.headers.get('x-sp-url'), exchanged.headers.get('x-auth-url')],
      [200, 'text/xml', sp.sp_url, sp.auth_url],
      text,
    );
    assert.match(text, /ss:mem:[0-9a-f]{32}/);
    for (const [name, value] of Object.entries({
      openstack_user: 'karl',
      openstack_user_domain: 'Default',
      openstack_project: 'project-karl',
      openstack_project_domain: 'Default',
      openstack_roles: 'member',
    })) {
      assert.match(text, new RegExp(`<saml:Attribute Name="${name}"><saml:AttributeValue xsi:type="xs:string">${value}<`));
    }
    const brought = await bring(text, 'home');
    assert.equal(brought.status, 302);
    const got = await fetchToken(brought, 'home');
    assert.equal(got.status, 201);
    const token = await shown(got.headers.get('x-subject-token') ?? '');
    assert.deepEqual([token.user.name, token.user['OS-FEDERATION'].groups.length, token.user['OS-FEDERATION'].identity_provider], ['karl', 1, { id: 'home' }]);
    assert.equal((await bring(text, 'home')).status, 401, 'the same assertion again');
    const plain = await exchange(person.token, 'saml2');
    assert.match(await plain.text(), /^<samlp:Response /);

    assert.equal((await exchange(await home.tokenOf({ id: person.userId, password: person.password }))).status, 403, 'an unscoped token');
    assert.equal((await exchange('nonsense')).status, 404);
    assert.equal((await exchange(person.token, 'saml2', 'none')).status, 404);
    const robot = (
      await home.expect(201, person.token, 'POST', `/v3/users/${person.userId}/application_credentials`, { application_credential: { name: 'r' } })
    ).body.application_credential;
    const limited = await home.expect(201, undefined, 'POST', '/v3/auth/tokens', {
      auth: { identity: { methods: ['application_credential'], application_credential: { id: robot.id, secret: robot.secret } } },
    });
    assert.equal((await exchange(limited.headers.get('x-subject-token') ?? '')).status, 403, 'OSSA class 12: limits are not lost on the way');
    await home.expect(200, homeAdmin, 'PATCH', `${F}/service_providers/away`, { service_provider: { enabled: false } });
    assert.equal((await exchange(person.token)).status, 403);
    for (const path of ['saml2', 'saml2/ecp']) assert.equal((await home.call(undefined, 'GET', `/v3/auth/OS-FEDERATION/${path}`)).status, 405);
    const bad = await fetch(`${home.url}/v3/auth/OS-FEDERATION/saml2`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"auth":{}}',
    });
    assert.equal(bad.status, 400);
  });

  test('the identity provider’s metadata has entity and certificate', async () => {
    const response = await fetch(`${home.url}${F}/saml2/metadata`);
    const text = await response.text();
    assert.deepEqual([response.status, response.headers.get('content-type')], [200, 'text/xml']);
    assert.match(text, /entityID="http:\/\/home\.example\/v3\/OS-FEDERATION\/saml2\/idp"/);
    assert.ok(text.includes(keystoneKeys.certificate.replace(/-----[^-]+-----|\s/g, '')));
    assert.equal((await fetch(`${url}${F}/saml2/metadata`)).status, 404, 'a cloud that is none says so');
  });
});

/** The cookies that a browser would send to an address. */
async function cookiesFor(browser: Browser, address: string): Promise<string> {
  const seen = createServer((request, response) => response.end(request.headers.cookie ?? ''));
  await new Promise<void>((resolve) => seen.listen(0, '127.0.0.1', resolve));
  const copy = new URL(address);
  copy.port = String((seen.address() as AddressInfo).port);
  const { text } = await browser.visit(copy.href);
  seen.closeAllConnections();
  await new Promise((resolve) => seen.close(resolve));
  return text;
}
