import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { freePort } from '@cairn/kit/testing/free-port';
import { type CryptoKey, generateKeyPair, generateSecret } from 'jose';
import { createOidcClient } from '../federation/oidc.ts';
import { trustedOrigin } from '../federation/restricted-fetch.ts';
import { Browser } from '../testing/browser.ts';
import { type Answer, TestCloud } from '../testing/cloud.ts';
import { OidcIdp } from '../testing/oidc.ts';

const F = '/v3/OS-FEDERATION';
const ORIGIN = 'https://dash.example/auth/websso/';
const RULES = [
  { local: [{ user: { id: '{0}', name: '{1}', email: '{2}' } }], remote: [{ type: 'OIDC-sub' }, { type: 'OIDC-name' }, { type: 'HTTP_OIDC_EMAIL' }] },
  { local: [{ groups: '{0}', domain: { id: 'default' } }], remote: [{ type: 'OIDC_CLAIM_groups' }] },
  // tokens of programs have no name
  { local: [{ user: { name: 'program {0}' } }], remote: [{ type: 'OIDC-sub' }, { type: 'OIDC-client_id', any_one_of: ['cairn-sso'] }] },
];

describe('log-ins at an OpenID Connect provider', () => {
  let idp: OidcIdp;
  let opaque: OidcIdp;
  let cloud: TestCloud;
  let admin: string;
  let url: string;
  before(async () => {
    const port = await freePort();
    url = `http://127.0.0.1:${port}/identity`;
    const callback = (id: string): string => `${url}/v3/OS-FEDERATION/identity_providers/${id}/protocols/openid/callback`;
    idp = await OidcIdp.start({ redirectUris: [callback('corp')] });
    opaque = await OidcIdp.start({ redirectUris: [callback('opaque')], accessTokens: 'opaque' });
    const scopes = ['openid', 'email', 'profile', 'groups'];
    const { clientId, clientSecret } = idp;
    cloud = await TestCloud.start({
      port,
      keystone: {
        federation: {
          trustedDashboards: ['https://DASH.example/auth/websso/'],
          defaultAuthorizationTtlMin: 0,
          defaultSchemaVersion: '1.0',
          remoteIdAttribute: '',
          publicUrl: url,
          providers: {
            corp: { oidc: { issuer: idp.issuer, clientId, clientSecret, scopes, audiences: [idp.audience, clientId] } },
            opaque: { oidc: { issuer: opaque.issuer, clientId, clientSecret, scopes, introspection: true, userInfo: true } },
          },
        },
      },
    });
    assert.equal(cloud.url, url);
    admin = await cloud.admin();
    const make = (path: string, body: unknown) => cloud.expect(201, admin, 'PUT', F + path, body);
    await make('/mappings/m', { mapping: { rules: RULES } });
    for (const [id, issuer] of [
      ['corp', idp.issuer],
      ['opaque', opaque.issuer],
    ]) {
      await make(`/identity_providers/${id}`, { identity_provider: { enabled: true, remote_ids: [issuer] } });
      await make(`/identity_providers/${id}/protocols/openid`, { protocol: { mapping_id: 'm' } });
    }
    for (const name of ['devs', 'ops', 'admins']) await cloud.expect(201, admin, 'POST', '/v3/groups', { group: { name } });
  });
  after(async () => {
    await cloud?.close();
    await idp?.close();
    await opaque?.close();
  });

  const show = async (bearer: string | undefined, path = `${F}/identity_providers/corp/protocols/openid/auth`, method = 'POST'): Promise<Answer> =>
    await cloud.call(undefined, method, path, undefined, bearer === undefined ? {} : { authorization: `Bearer ${bearer}` });
  const depart = async (browser: Browser, path = '/v3/auth/OS-FEDERATION/identity_providers/corp/protocols/openid/websso'): Promise<string> => {
    const response = await browser.request(`${url}${path}?${new URLSearchParams({ origin: ORIGIN })}`);
    assert.equal(response.status, 302, await response.text());
    return response.headers.get('location') ?? '';
  };
  const tokenIn = (text: string): string => /name="token" id="token" value="([^"]+)"/.exec(text)?.[1] ?? '';

  test('an access token that is a JWT gets an unscoped token', async () => {
    const token = await idp.token({ grant_type: 'password', username: 'ann', password: 'ann-secret', scope: 'openid' });
    for (const method of ['POST', 'GET']) {
      const answer = await show(token, undefined, method);
      assert.equal(answer.status, 201, JSON.stringify(answer.body));
      const { user, methods } = answer.body.token;
      assert.deepEqual(
        [user.name, methods, user['OS-FEDERATION'].identity_provider, user['OS-FEDERATION'].groups.length],
        ['Ann Example', ['openid'], { id: 'corp' }, 2],
      );
      const subject = answer.headers.get('x-subject-token') ?? '';
      await cloud.expect(200, subject, 'GET', `${F}/projects`);
      const stored = (await cloud.expect(200, admin, 'GET', `/v3/users/${user.id}`)).body.user;
      assert.deepEqual([stored.email, stored.federated[0].protocols], ['ann@example.org', [{ protocol_id: 'openid', unique_id: 'ann' }]]);
    }
  });

  test('client credentials are a log-in of a program', async () => {
    const answer = await show(await idp.token({ grant_type: 'client_credentials', scope: 'openid' }));
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
    assert.equal(answer.body.token.user.name, 'program cairn-sso');
  });

  test('an access token that is no JWT is asked about, and userinfo adds claims', async () => {
    const path = `${F}/identity_providers/opaque/protocols/openid/auth`;
    const browser = new Browser();
    const back = await opaque.logIn(browser, await depart(browser, '/v3/auth/OS-FEDERATION/identity_providers/opaque/protocols/openid/websso'), 'ann');
    const { response, text } = await browser.visit(back);
    assert.equal(response.status, 200, text);
    const answer = await show(await opaque.token({ grant_type: 'client_credentials' }), path);
    assert.equal(answer.status, 401, 'a program has no userinfo');
    const user = await show(await opaque.token({ grant_type: 'password', username: 'bob', password: 'bob-secret', scope: 'openid email profile' }), path);
    assert.deepEqual([user.status, user.body.token?.user.name], [201, 'Bob;admins'], JSON.stringify(user.body));
    assert.ok(opaque.asked.includes('/token/introspection'));
    assert.equal((await show('no-token-of-theirs', path)).status, 401);
    assert.equal((await show('no-token-of-theirs')).status, 401, 'and who is not to be asked is not asked');
    assert.equal(idp.asked.includes('/token/introspection'), false);
  });

  test('tokens that are forged, expired, for somebody else or of somebody else are refused', async () => {
    assert.equal((await show(await idp.forge({ name: 'Ann', email: 'a@x' }))).status, 201, 'the forge works');
    const nowSec = Math.floor(Date.now() / 1000);
    const other = await generateKeyPair('RS256');
    const bad: readonly (readonly [string, string])[] = [
      ['another key', await idp.forge({}, { key: other.privateKey })],
      ['an unknown key', await idp.forge({}, { key: other.privateKey, kid: 'two' })],
      ['another audience', await idp.forge({ aud: 'https://else.example' })],
      ['no audience', await idp.forge({ aud: undefined })],
      ['another issuer', await idp.forge({ iss: 'https://evil.example' })],
      ['expired', await idp.forge({ exp: nowSec - 120 })],
      ['not yet', await idp.forge({ nbf: nowSec + 600 })],
      ['without end', await idp.forge({ exp: undefined })],
      ['without subject', await idp.forge({ sub: undefined })],
      ['a shared secret', await idp.forge({}, { key: (await generateSecret('HS256')) as CryptoKey, alg: 'HS256' })],
      [
        'no signature',
        `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify({ iss: idp.issuer, aud: idp.audience, sub: 'ann', iat: nowSec, exp: nowSec + 60 })).toString('base64url')}.`,
      ],
      ['another provider’s', await opaque.forge({ aud: idp.audience })],
      ['no token', 'eyJ.x.y'],
      ['far too long', 'a'.repeat(20_000)],
    ];
    for (const [name, token] of bad) {
      const answer = await show(token.slice(0, 15_000) === token ? token : token.slice(0, 12_000));
      assert.deepEqual([answer.status, answer.body.error.message], [401, 'The request you have made requires authentication.'], name);
    }
    assert.equal((await show(await idp.forge({ exp: nowSec - 10, name: 'Ann', email: 'a@x' }))).status, 201, 'clocks may differ by a minute');
  });

  test('without a proof there is no log-in, whatever headers say', async () => {
    const forged = {
      REMOTE_USER: 'ann',
      'X-Remote-User': 'ann',
      'OIDC-sub': 'ann',
      'OIDC-name': 'Ann',
      HTTP_OIDC_EMAIL: 'a@x',
      'OIDC-iss': idp.issuer,
      'X-User-Id': 'x',
    };
    for (const path of [`${F}/identity_providers/corp/protocols/openid/auth`, `${F}/identity_providers/none/protocols/openid/auth`]) {
      assert.equal((await cloud.call(undefined, 'GET', path, undefined, forged)).status, 401);
    }
    assert.equal((await show('x', `${F}/identity_providers/none/protocols/openid/auth`)).status, 401);
    assert.equal((await show(await idp.forge({}), `${F}/identity_providers/corp/protocols/saml2/auth`)).status, 401);
  });

  test('a dashboard gets a token by a browser that logs in at the provider', async () => {
    const browser = new Browser();
    const location = await depart(browser);
    const asked = new URL(location);
    assert.equal(asked.origin, idp.issuer);
    assert.deepEqual(
      ['response_type', 'code_challenge_method', 'client_id', 'scope'].map((name) => asked.searchParams.get(name)),
      ['code', 'S256', 'cairn-sso', 'openid email profile groups'],
    );
    for (const secret of ['state', 'nonce', 'code_challenge']) assert.ok((asked.searchParams.get(secret)?.length ?? 0) >= 43, secret);
    const back = await idp.logIn(browser, location, 'ann');
    assert.ok(back.startsWith(`${url}/v3/OS-FEDERATION/identity_providers/corp/protocols/openid/callback?`));
    const { response, text } = await browser.visit(back);
    assert.equal(response.status, 200, text);
    assert.match(response.headers.get('content-type') ?? '', /^text\/html/);
    assert.match(text, /<form id="sso" name="sso" action="https:\/\/dash\.example\/auth\/websso\/" method="post">/);
    assert.match(response.headers.get('content-security-policy') ?? '', /form-action https:\/\/dash\.example$/);
    assert.equal(response.headers.get('cache-control'), 'no-store');
    const token = tokenIn(text);
    const shown = await cloud.expect(200, token, 'GET', '/v3/auth/tokens', undefined, { 'x-subject-token': token });
    assert.deepEqual([shown.body.token.user.name, shown.body.token.user['OS-FEDERATION'].groups.length], ['Ann Example', 2]);
    assert.deepEqual(
      browser.names().filter((name) => name.startsWith('cairn_sso')),
      [],
      'the browser keeps nothing of it',
    );
  });

  test('a value of a claim is one value, whatever signs are in it', async () => {
    const answer = await show(await idp.token({ grant_type: 'password', username: 'bob', password: 'bob-secret', scope: 'openid' }));
    assert.deepEqual([answer.body.token.user.name, answer.body.token.user['OS-FEDERATION'].groups], ['Bob;admins', []]);
  });

  test('OSSA class: a state is good once, for the browser that it was made for, and not for long', async () => {
    const browser = new Browser();
    const back = await idp.logIn(browser, await depart(browser), 'ann');
    assert.equal((await new Browser().visit(back)).response.status, 401, 'another browser');
    const tampered = new URL(back);
    tampered.searchParams.set('state', 'x'.repeat(43));
    assert.equal((await browser.visit(tampered.href)).response.status, 401, 'another state');
    const elsewhere = back.replace('/corp/', '/opaque/');
    assert.equal((await browser.visit(elsewhere)).response.status, 401, 'another provider');
    const jar = cookieHeader(browser, back);
    assert.equal((await browser.visit(back)).response.status, 200);
    const again = await fetch(back, { headers: { cookie: await jar } });
    assert.equal(again.status, 401, 'the same again, cookie and all');
    const victim = new Browser();
    await depart(victim);
    const attacker = new Browser();
    const attack = await idp.logIn(attacker, await depart(attacker), 'bob');
    assert.equal((await victim.visit(attack)).response.status, 401, 'nobody is logged in as somebody else by a link');
  });

  test('OSSA class 25: an origin that is no dashboard gets nothing, and no token goes there', async () => {
    const path = '/v3/auth/OS-FEDERATION/websso/openid';
    const missing = await cloud.call(undefined, 'GET', path);
    assert.deepEqual([missing.status, missing.body.error.message], [400, 'Request must have an origin query parameter']);
    for (const origin of [
      'https://evil.example/auth/websso/',
      'https://dash.example/',
      'https://dash.example/auth/websso/evil',
      'https://dash.example.evil.example/auth/websso/',
      'https://dash.example@evil.example/auth/websso/',
      'https://dash.example/auth/websso/#',
      'http://dash.example/auth/websso/',
      '//dash.example/auth/websso/',
      'javascript:alert(1)',
      '"><script>',
    ]) {
      const answer = await cloud.call(undefined, 'GET', `${path}?${new URLSearchParams({ origin })}`);
      assert.deepEqual([answer.status, answer.body.error.message], [401, 'The request you have made requires authentication.'], origin);
    }
  });

  test('OSSA class 25: strangers who start log-ins leave nothing behind', async () => {
    const count = async (): Promise<number[]> => {
      const { kysely } = cloud.world.env.store.read;
      const tables = ['keystone_federation_used', 'keystone_federation_session', 'keystone_user'];
      return await Promise.all(
        tables.map(
          async (table) =>
            (
              await kysely
                .selectFrom(table as never)
                .selectAll()
                .execute()
            ).length,
        ),
      );
    };
    const before = await count();
    for (let i = 0; i < 200; i++)
      assert.equal(
        (await new Browser().request(`${url}/v3/auth/OS-FEDERATION/identity_providers/corp/protocols/openid/websso?${new URLSearchParams({ origin: ORIGIN })}`))
          .status,
        302,
      );
    for (let i = 0; i < 50; i++) await fetch(`${url}/v3/OS-FEDERATION/identity_providers/corp/protocols/openid/callback?state=${i}&code=x`);
    assert.deepEqual(await count(), before);
  });

  test('with several providers of a protocol the browser may choose', async () => {
    const { response, text } = await new Browser().visit(`${url}/v3/auth/OS-FEDERATION/websso/openid?${new URLSearchParams({ origin: ORIGIN })}`);
    assert.equal(response.status, 200);
    const links = [...text.matchAll(/href="([^"]+)"/g)].map((match) => (match[1] ?? '').replaceAll('&amp;', '&'));
    assert.deepEqual(
      links.map((link) => /identity_providers\/(\w+)\//.exec(link)?.[1]),
      ['corp', 'opaque'],
    );
    assert.equal((await new Browser().request(links[0] ?? '')).status, 302);
    assert.equal((await cloud.call(undefined, 'GET', `/v3/auth/OS-FEDERATION/websso/none?${new URLSearchParams({ origin: ORIGIN })}`)).status, 401);
  });

  test('a provider that answers with an error, or is away, is no log-in', async () => {
    const browser = new Browser();
    const state = new URL(await depart(browser)).searchParams.get('state') ?? '';
    const back = `${url}/v3/OS-FEDERATION/identity_providers/corp/protocols/openid/callback`;
    assert.equal((await browser.visit(`${back}?${new URLSearchParams({ state, error: 'access_denied', iss: idp.issuer })}`)).response.status, 401);
    assert.equal((await browser.visit(`${back}?${new URLSearchParams({ state, code: 'guessed', iss: idp.issuer })}`)).response.status, 401);
    assert.equal((await browser.visit(`${back}?${new URLSearchParams({ state, code: 'guessed', iss: 'https://evil.example' })}`)).response.status, 401);
    const away = createOidcClient({ issuer: `http://127.0.0.1:${await freePort()}`, clientId: 'x' });
    await assert.rejects(away.bearer('eyJ.x.y'), { kind: 'Unavailable' });
  });

  test('only the provider’s own origins are ever asked', async () => {
    for (const issuer of ['http://idp.example', 'ftp://127.0.0.1', 'https://user:pw@idp.example', 'nonsense', 'http://127.0.0.1.evil.example'])
      assert.throws(() => trustedOrigin(issuer), RangeError);
    for (const issuer of ['https://idp.example/realms/x', 'http://127.0.0.1:8080', 'http://localhost', 'http://[::1]:1']) assert.ok(trustedOrigin(issuer));
    const hits: string[] = [];
    const inside = createServer((request, response) => {
      hits.push(request.url ?? '');
      response.end('{}');
    });
    await new Promise<void>((resolve) => inside.listen(0, '127.0.0.1', resolve));
    const secret = `http://127.0.0.1:${(inside.address() as AddressInfo).port}`;
    const lying = createServer((_request, response) => {
      const issuer = `http://127.0.0.1:${(lying.address() as AddressInfo).port}`;
      response.setHeader('content-type', 'application/json');
      response.end(
        JSON.stringify({
          issuer,
          jwks_uri: `${secret}/keys`,
          introspection_endpoint: `${secret}/ask`,
          authorization_endpoint: `${issuer}/a`,
          token_endpoint: `${secret}/t`,
        }),
      );
    });
    await new Promise<void>((resolve) => lying.listen(0, '127.0.0.1', resolve));
    const issuer = `http://127.0.0.1:${(lying.address() as AddressInfo).port}`;
    const misled = createOidcClient({ issuer, clientId: 'x', introspection: true });
    for (const token of [await idp.forge({ iss: issuer, aud: 'x' }), 'opaque']) await assert.rejects(misled.bearer(token), { kind: 'Unavailable' });
    assert.deepEqual(hits, []);
    const posing = createOidcClient({ issuer: `${issuer}/`, clientId: 'x' });
    await assert.rejects(posing.bearer('eyJ.x.y'), (error: { kind?: string }) => error.kind === 'Unavailable' || error.kind === 'Unauthorized');
    for (const server of [inside, lying]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});

/** The cookies that a browser would send to an address, taken before they are used up. */
async function cookieHeader(browser: Browser, address: string): Promise<string> {
  const seen = createServer((request, response) => response.end(request.headers.cookie ?? ''));
  await new Promise<void>((resolve) => seen.listen(0, '127.0.0.1', resolve));
  const { port } = seen.address() as AddressInfo;
  const copy = new URL(address);
  copy.port = String(port);
  const { text } = await browser.visit(copy.href);
  seen.closeAllConnections();
  await new Promise((resolve) => seen.close(resolve));
  return text;
}
