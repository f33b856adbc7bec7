/** Signing in with what the cloud asks for besides a password, and what a session is for: second factor, expired password, change of password, domain and system. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { noBrowser, type Page } from '../support/browser.ts';
import type { TestCloud } from '../support/cloud.ts';
import { ConsoleUser, PASSWORD } from '../support/console.ts';

const SECRET = Buffer.from('twenty bytes of seed');
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const base32 = (bytes: Buffer): string =>
  [...bytes]
    .map((byte) => byte.toString(2).padStart(8, '0'))
    .join('')
    .replace(/.{5}/g, (bits) => BASE32[Number.parseInt(bits, 2)] as string);

/** The passcode of now (RFC 6238). */
function passcode(): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const mac = createHmac('sha1', SECRET).update(counter).digest();
  const at = (mac.at(-1) as number) & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

describe('sessions of the console', { skip: noBrowser() ?? false }, () => {
  let user: ConsoleUser;
  let cloud: TestCloud;
  let page: Page;

  before(async () => {
    user = await ConsoleUser.start({ environment: { CAIRN_IDENTITY_SECURITY_COMPLIANCE_CHANGE_PASSWORD_UPON_FIRST_USE: 'true' } });
    ({ cloud, page } = user);
    await user.administrator();
  });
  after(async () => await user?.stop());

  const enter = (name: string, password: string): Promise<void> => user.enter(name, password);

  test('a password that has to be changed first is changed in place', async () => {
    await user.built();
    await page.goto(user.at('/console/'));
    await enter('boss', PASSWORD);
    await user.shown('Your password has expired');
    await page.getByLabel('New password').fill('first new password');
    await page.getByLabel('Password again').fill('another');
    await user.shown('The two passwords are not the same.');
    await user.off(user.button('Change password'));
    await page.getByLabel('Password again').fill('first new password');
    await user.fine('password-expired');
    await user.button('Change password').click();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
  });

  test('a session is for a project, a domain or the whole system, and its sections are those of its roles', async () => {
    await user.move('admin', 'The whole system');
    await user.shown('This session is not in a project');
    await user.nav('Hosts').waitFor();
    await user.fine('system-scope');
    await page.reload();
    await user.button('The whole system').waitFor();
    await user.move('The whole system', 'admin');
    await page.getByRole('progressbar').first().waitFor();
  });

  test('in a domain a session sees what is in it, also after a reload', async () => {
    const { users } = await cloud.ok('GET', '/identity/v3/users?name=boss');
    const { roles } = await cloud.ok('GET', '/identity/v3/roles?name=admin');
    await cloud.ok('PUT', `/identity/v3/domains/default/users/${users[0].id}/roles/${roles[0].id}`);
    // what the session may be for is asked when it begins or moves
    await user.move('admin', 'The whole system');
    await user.move('The whole system', 'Default');
    await user.shown('This session is not in a project');
    await user.nav('Projects').click();
    await page.getByRole('link', { name: 'alpha', exact: true }).waitFor();
    await user.fine('domain-scope');
    await page.reload();
    await page.getByRole('link', { name: 'beta', exact: true }).waitFor();
    await user.move('Default', 'admin');
    await user.nav('Servers').waitFor();
  });

  test('the own password is changed, and the session goes on; the old one is worth nothing', async () => {
    const dialog = page.getByRole('dialog');
    await user.choose('boss', 'Change password');
    await dialog.getByLabel('Password until now').fill('not this');
    await dialog.getByLabel('New password').fill('second new password');
    await dialog.getByLabel('Password again').fill('second new password');
    await dialog.getByRole('button', { name: 'Save', exact: true }).click();
    await dialog
      .getByText(/password/i)
      .first()
      .waitFor();
    await dialog.getByLabel('Password until now').fill('first new password');
    await dialog.getByRole('button', { name: 'Save', exact: true }).click();
    await dialog.waitFor({ state: 'hidden' });
    await user.nav('Servers').click();
    await user.shown('No servers yet');
    await user.signOut('boss');
    await enter('boss', 'first new password');
    await user.shown('User name, password, domain or passcode are not right');
    await enter('boss', 'second new password');
    await page.getByRole('heading', { name: 'Servers' }).first().waitFor();
    await user.signOut('boss');
  });

  test('a second factor is asked for as a step of its own, when the cloud says so; the password is not sent again', async () => {
    const options = { multi_factor_auth_enabled: true, multi_factor_auth_rules: [['password', 'totp']], ignore_change_password_upon_first_use: true };
    const eve = (await cloud.ok('POST', '/identity/v3/users', { user: { name: 'eve', password: PASSWORD, options } })).user.id;
    const { roles } = await cloud.ok('GET', '/identity/v3/roles?name=member');
    const { projects } = await cloud.ok('GET', '/identity/v3/projects?name=alpha');
    await cloud.ok('PUT', `/identity/v3/projects/${projects[0].id}/users/${eve}/roles/${roles[0].id}`);
    await cloud.ok('POST', '/identity/v3/credentials', { credential: { type: 'totp', blob: base32(SECRET), user_id: eve } });
    await enter('eve', PASSWORD);
    const field = page.getByLabel('Passcode');
    await field.waitFor();
    assert.equal(await page.getByLabel('Password', { exact: true }).count(), 0);
    await field.fill('000000');
    await user.button('Sign in').click();
    await user.shown('User name, password, domain or passcode are not right');
    await user.fine('passcode');
    await field.fill(passcode());
    const [request] = await Promise.all([
      page.waitForRequest((sent) => sent.method() === 'POST' && sent.url().endsWith('/console/session')),
      user.button('Sign in').click(),
    ]);
    assert.ok(!(request.postData() ?? '').includes(PASSWORD));
    await page.getByRole('heading', { name: 'Servers' }).first().waitFor();
    assert.deepEqual(
      (await user.context.cookies(user.at('/console/session'))).map(({ name, httpOnly }) => [name, httpOnly]),
      [['cairn_console', true]],
    );
    assert.equal(await page.evaluate('document.cookie'), '');
    assert.deepEqual(user.wrong, []);
  });
});
