/** Several regions in the console: their services are those of the catalog, wherever they are; the choice is kept, and can be sent to somebody as a link. */
import assert from 'node:assert/strict';
import { createServer, request as send, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { noBrowser, type Page } from '../support/browser.ts';
import type { TestCloud } from '../support/cloud.ts';
import { ConsoleUser, PASSWORD, WAIT_MS } from '../support/console.ts';

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly cookie: string | undefined;
}

describe('regions in the console', { skip: noBrowser() ?? false }, () => {
  let user: ConsoleUser;
  let cloud: TestCloud;
  let page: Page;
  /** The second region: the same services behind other addresses, which notes what it is asked. */
  let south: Server;
  const asked: Asked[] = [];

  before(async () => {
    user = await ConsoleUser.start();
    ({ cloud, page } = user);
    south = createServer((request, response) => {
      const url = request.url ?? '/';
      asked.push({ method: request.method ?? '', url, cookie: request.headers.cookie });
      const onward = send(cloud.url + url.replace(/^\/south/, ''), { method: request.method ?? 'GET', headers: request.headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      onward.on('error', () => response.destroy());
      request.pipe(onward);
    });
    await new Promise<void>((resolve) => south.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(south.address() as AddressInfo).port}`;
    await cloud.ok('POST', '/identity/v3/regions', { region: { id: 'south' } });
    const { services } = await cloud.ok('GET', '/identity/v3/services');
    const { endpoints } = await cloud.ok('GET', '/identity/v3/endpoints?interface=public');
    for (const { id, type } of services.filter((service: { type: string }) => ['compute', 'network', 'image', 'block-storage'].includes(service.type))) {
      const own = endpoints.find((endpoint: { service_id: string }) => endpoint.service_id === id);
      assert.ok(own, type);
      const url = `${origin}/south${own.url.slice(cloud.url.length)}`;
      await cloud.ok('POST', '/identity/v3/endpoints', { endpoint: { service_id: id, interface: 'public', region_id: 'south', url } });
    }
  });
  after(async () => {
    await user?.stop();
    south?.closeAllConnections();
    south?.close();
  });

  const was = (method: string, url: RegExp): Asked | undefined => asked.find((one) => one.method === method && url.test(one.url));
  const regionOfAddress = () => new URL(page.url()).searchParams.get('region');

  test('the console begins in its own region, and asks no other', async () => {
    await user.signIn();
    await user.button('RegionOne').waitFor();
    await user.shown('No servers yet');
    assert.deepEqual(asked, []);
    assert.equal(regionOfAddress(), null);
  });

  test('in another region its endpoints are asked, with the token and without the cookie', async () => {
    await user.move('RegionOne', 'south');
    await user.nav('Networks').click();
    await user.button('Create network').first().click();
    await user.dialog().getByLabel('Name').fill('there');
    await user.dialog().getByLabel('Addresses (CIDR)').fill('10.8.0.0/24');
    await user.confirm('Create');
    await page.getByRole('cell', { name: '10.8.0.0/24' }).waitFor();
    assert.equal(regionOfAddress(), 'south');
    assert.ok(was('POST', /^\/south\/network\/v2\.0\/networks$/));
    assert.deepEqual(
      asked.filter(({ cookie }) => cookie !== undefined),
      [],
    );
    await user.fine('region');
    await user.button('Open the activity panel').click();
    await page.getByRole('button', { name: 'POST /network/v2.0/networks', exact: true }).click();
    await user.shown(/^openstack --os-region-name south network create .*there$/);
    await user.button('Close the activity panel').click();
  });

  test('what changes there comes to the screen, though its events do not come here', async () => {
    const token = await cloud.login('ann', PASSWORD, 'alpha');
    await cloud.ok('POST', '/network/v2.0/networks', { network: { name: 'of somebody else' } }, { token });
    await page.getByRole('link', { name: 'of somebody else' }).waitFor();
  });

  test('the choice is kept in this browser, and is in every address', async () => {
    await page.goto(user.at('/console/volumes'));
    await user.button('south').waitFor();
    await page.waitForURL((url) => url.searchParams.get('region') === 'south');
    await cloud.until('volumes are asked for there', async () => was('GET', /^\/south\/volume\/v3\/volumes\/detail/) !== undefined, WAIT_MS);
    assert.match((await user.nav('Images').getAttribute('href')) ?? '', /[?&]region=south$/);
  });

  test('a link leads somebody else to the page in that region, through the sign-in; one to the own region leads back', async () => {
    const other = await user.browser.newContext({ locale: 'en-US' });
    const theirs = await other.newPage();
    theirs.setDefaultTimeout(WAIT_MS);
    asked.length = 0;
    await theirs.goto(user.at('/console/images?region=south'));
    await theirs.getByLabel('User name').fill('ann');
    await theirs.getByLabel('Password').fill(PASSWORD);
    await theirs.getByRole('button', { name: 'Sign in' }).click();
    await theirs.getByRole('button', { name: 'south', exact: true }).waitFor();
    await theirs.getByRole('link', { name: 'cirros' }).first().waitFor();
    assert.ok(was('GET', /^\/south\/image\/v2\/images/));
    await theirs.goto(user.at('/console/images?region=RegionOne'));
    await theirs.getByRole('button', { name: 'RegionOne', exact: true }).waitFor();
    await theirs.goto(user.at('/console/images?region=nowhere'));
    await theirs.getByRole('button', { name: 'RegionOne', exact: true }).waitFor();
    await other.close();
  });

  test('a region that does not answer says so', async () => {
    south.closeAllConnections();
    await new Promise((resolve) => south.close(resolve));
    await user.nav('Images').click();
    await user.shown(/The region south does not answer/);
    await user.move('south', 'RegionOne');
    await user.nav('Images').click();
    await page.getByRole('link', { name: 'cirros' }).first().waitFor();
  });
});
