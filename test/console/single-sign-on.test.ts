/** Signing in to the console at an OpenID Connect provider: Chromium, a whole cloud, and a whole provider (npm's oidc-provider) with its own pages. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { OidcIdp } from '@cairn/keystone/testing/oidc';
import { freePort } from '@cairn/kit/testing/free-port';
import { noBrowser, type Page } from '../support/browser.ts';
import type { TestCloud } from '../support/cloud.ts';
import { ConsoleUser } from '../support/console.ts';

const PROVIDER = '/identity/v3/auth/OS-FEDERATION/identity_providers/corp/protocols/openid/websso';
const RULES = [
  { local: [{ user: { name: '{0}' } }], remote: [{ type: 'OIDC-name' }] },
  { local: [{ groups: '{0}', domain: { id: 'default' } }], remote: [{ type: 'OIDC-groups' }] },
];

describe('single sign-on in the console', { skip: noBrowser() ?? false }, () => {
  let user: ConsoleUser;
  let cloud: TestCloud;
  let page: Page;
  let idp: OidcIdp;
  let evil: Server;
  let evilUrl: string;
  /** The origins whose pages the browser was on, in order. */
  const origins: string[] = [];

  before(async () => {
    const port = await freePort();
    const publicUrl = `http://127.0.0.1:${port}`;
    idp = await OidcIdp.start({ redirectUris: [`${publicUrl}/identity/v3/OS-FEDERATION/identity_providers/corp/protocols/openid/callback`] });
    const oidc = { issuer: idp.issuer, clientId: idp.clientId, clientSecret: idp.clientSecret, scopes: ['openid', 'email', 'profile', 'groups'] };
    user = await ConsoleUser.start({ port, config: { listen: { publicUrl }, identity: { federation: { providers: { corp: { oidc } } } } } });
    ({ cloud, page } = user);
    assert.equal(cloud.url, publicUrl);
    const F = '/identity/v3/OS-FEDERATION';
    await cloud.ok('PUT', `${F}/mappings/m`, { mapping: { rules: RULES } });
    await cloud.ok('PUT', `${F}/identity_providers/corp`, { identity_provider: { enabled: true, remote_ids: [idp.issuer] } });
    await cloud.ok('PUT', `${F}/identity_providers/corp/protocols/openid`, { protocol: { mapping_id: 'm' } });
    const { group } = await cloud.ok('POST', '/identity/v3/groups', { group: { name: 'devs' } });
    const { roles } = await cloud.ok('GET', '/identity/v3/roles?name=member');
    const { projects } = await cloud.ok('GET', '/identity/v3/projects?name=alpha');
    await cloud.ok('PUT', `/identity/v3/projects/${projects[0].id}/groups/${group.id}/roles/${roles[0].id}`);
    page.on('framenavigated', (frame) => void (frame === page.mainFrame() && origins.push(new URL(frame.url()).origin)));
    // a site that would like to sign the reader in as somebody else
    evil = createServer((request, response) => {
      const token = new URL(request.url ?? '/', 'http://evil').searchParams.get('token') ?? '';
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end(`<form method="post" action="${publicUrl}/console/session/sso"><input name="token" value="${token}"><button>Go</button></form>`);
    });
    await new Promise<void>((resolve) => evil.listen(0, '127.0.0.1', resolve));
    evilUrl = `http://127.0.0.1:${(evil.address() as AddressInfo).port}`;
  });
  after(async () => {
    await user?.stop();
    await idp?.close();
    evil?.closeAllConnections();
    evil?.close();
  });

  /** From the console's sign-in to the page of the provider, or past it. */
  const begin = () => user.page.getByRole('link', { name: 'Sign in with corp' }).click();

  test('the button leads to the provider, and its log-in back to a session in a project of the group', async () => {
    await user.built();
    await page.goto(user.at('/console/'));
    await page.getByRole('link', { name: 'Sign in with corp' }).waitFor();
    await user.fine('sign-in-sso');
    await begin();
    await page.getByPlaceholder('Enter any login').fill('ann');
    assert.equal(new URL(page.url()).origin, idp.issuer);
    await page.getByPlaceholder('and password').fill('any');
    await page.getByRole('button', { name: 'Sign-in' }).click();
    await page.getByRole('button', { name: 'Continue' }).click();
    await user.button('Ann Example').waitFor();
    await user.button('alpha').waitFor();
    assert.equal(page.url(), user.at('/console/'));
    assert.deepEqual([...new Set(origins)].sort(), [cloud.url, idp.issuer].sort());
    const cookies = await user.context.cookies(user.at('/console/'));
    assert.deepEqual(
      cookies.filter(({ name }) => name === 'cairn_console').map(({ httpOnly, sameSite, path }) => [httpOnly, sameSite, path]),
      [[true, 'Strict', '/console']],
    );
    assert.equal(await page.evaluate('document.cookie'), '');
    await user.nav('Servers').click();
    await user.shown('No servers yet');
    await user.fine('servers-sso');
  });

  test('signing out ends the session; the provider, who still knows the browser, is not asked until somebody wants it', async () => {
    const [cookie] = (await user.context.cookies(user.at('/console/'))).filter(({ name }) => name === 'cairn_console');
    const token = cookie?.value ?? '';
    assert.equal((await cloud.call('GET', '/compute/v2.1/servers', undefined, { token })).status, 200);
    await user.signOut('Ann Example');
    assert.equal((await cloud.call('GET', '/compute/v2.1/servers', undefined, { token })).status, 401);
    await page.reload();
    await page.getByLabel('User name').waitFor();
    await begin();
    await user.button('Ann Example').waitFor();
    await user.signOut('Ann Example');
  });

  test('whoever belongs to no project here comes to a session that says so', async () => {
    await user.context.clearCookies();
    await page.goto(user.at('/console/'));
    await begin();
    await page.getByPlaceholder('Enter any login').fill('bob');
    await page.getByPlaceholder('and password').fill('any');
    await page.getByRole('button', { name: 'Sign-in' }).click();
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.waitForURL((url) => url.origin === cloud.url && url.pathname.startsWith('/console/'));
    await user.button('Bob;admins').waitFor();
    await user.shown('This session is not in a project');
    await user.signOut('Bob;admins');
  });

  test('OSSA class 23: the token goes to this console alone, and the browser to no other site', async () => {
    for (const origin of [
      `${evilUrl}/`,
      `${cloud.url}.evil.example/console/session/sso`,
      `${cloud.url}/console/session/sso?next=${evilUrl}`,
      `${evilUrl}/console/session/sso`,
    ]) {
      const answer = await cloud.call('GET', `${PROVIDER}?${new URLSearchParams({ origin })}`, undefined, { token: '' });
      assert.equal(answer.status, 401, origin);
      assert.equal(answer.headers.get('location'), null);
    }
    // a good token, but the form is another site's
    const token = await cloud.login('ann', 'correct horse battery staple', 'alpha');
    await page.goto(`${evilUrl}/?${new URLSearchParams({ token })}`);
    const [answer] = await Promise.all([page.waitForResponse((response) => response.url().endsWith('/console/session/sso')), page.getByText('Go').click()]);
    assert.equal(answer.status(), 403);
    await page.goto(user.at('/console/?next=https://evil.example/'));
    await page.getByLabel('User name').waitFor();
    assert.equal(new URL(page.url()).origin, cloud.url);
  });
});
