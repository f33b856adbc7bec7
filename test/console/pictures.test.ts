/**
 * Makes the pictures of the documentation: main pages in both languages and both colour modes. Runs only when it is said where they go:
 * `CAIRN_TEST_SCREENSHOTS=docs/screenshots node --test test/console/pictures.test.ts`.
 */
import assert from 'node:assert/strict';
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { noBrowser } from '../support/browser.ts';
import { ConsoleUser, PASSWORD } from '../support/console.ts';

const folder = process.env.CAIRN_TEST_SCREENSHOTS;
/** What a picture may weigh: they are part of the repository. */
const HEAVIEST_BYTES = 150_000;
const USED_MS = 120_000;
const VIEWS = ['overview', 'servers', 'launch-flow', 'topology', 'volumes', 'images'] as const;
/** All of them in two looks, the first two in the others. */
const LOOKS = [
  { name: 'en-light', language: 'en', theme: 'light', views: VIEWS },
  { name: 'zh-dark', language: 'zh-CN', theme: 'dark', views: VIEWS },
  { name: 'en-dark', language: 'en', theme: 'dark', views: VIEWS.slice(0, 2) },
  { name: 'zh-light', language: 'zh-CN', theme: 'light', views: VIEWS.slice(0, 2) },
] as const;

test('pictures of the console', { skip: noBrowser() ?? (folder === undefined ? 'CAIRN_TEST_SCREENSHOTS says where pictures go' : false) }, async () => {
  const target = folder ?? '';
  mkdirSync(target, { recursive: true });
  const user = await ConsoleUser.start({ hosts: 3 });
  try {
    const { cloud, page } = user;
    const token = await cloud.login('ann', PASSWORD, 'alpha');
    const make = (path: string, body: unknown) => cloud.ok('POST', path, body, { token });
    const { networks } = await cloud.ok('GET', '/network/v2.0/networks?router:external=true', undefined, { token });
    const { router } = await make('/network/v2.0/routers', { router: { name: 'gate', external_gateway_info: { network_id: networks[0].id } } });
    const { images } = await cloud.ok('GET', '/image/v2/images', undefined, { token });
    const { flavors } = await cloud.ok('GET', '/compute/v2.1/flavors', undefined, { token });
    const flavor = flavors.find((one: { name: string }) => one.name === 'm1.nano') ?? flavors[0];
    let serverId = '';
    for (const [index, name] of ['web', 'data'].entries()) {
      const { network } = await make('/network/v2.0/networks', { network: { name } });
      const { subnet } = await make('/network/v2.0/subnets', { subnet: { name, network_id: network.id, ip_version: 4, cidr: `10.${20 + index}.0.0/24` } });
      await cloud.ok('PUT', `/network/v2.0/routers/${router.id}/add_router_interface`, { subnet_id: subnet.id }, { token });
      for (const number of [1, 2, 3]) {
        const server = { name: `${name}-${number}`, imageRef: images[0].id, flavorRef: flavor.id, networks: [{ uuid: network.id }] };
        serverId = (await make('/compute/v2.1/servers', { server })).server.id;
      }
      await make('/volume/v3/volumes', { volume: { name: `${name}-disk`, size: 20 * (index + 1) } });
    }
    // so that lines of processor time have something to show
    await sleep(USED_MS);
    await user.signIn();
    const paths: Readonly<Record<(typeof VIEWS)[number], string>> = {
      overview: '/console/',
      servers: '/console/servers',
      'launch-flow': `/console/servers/${serverId}?tab=flow`,
      topology: '/console/topology',
      volumes: '/console/volumes',
      images: '/console/images',
    };
    for (const look of LOOKS) {
      await page.evaluate(`localStorage.setItem('cairn.language', '${look.language}'); localStorage.setItem('cairn.theme', '${look.theme}');`);
      for (const view of look.views) {
        await page.goto(user.at(paths[view]));
        await page.getByRole('navigation').first().waitFor();
        await page.waitForLoadState('load');
        if (view === 'launch-flow') await page.locator('[data-step=compute_spawn][data-state=done]').waitFor();
        if (view === 'topology') await page.locator('.react-flow__node', { hasText: 'web-1' }).waitFor();
        if (view === 'servers') await page.getByRole('link', { name: 'web-1' }).waitFor();
        if (view === 'volumes') await page.getByRole('link', { name: 'web-disk' }).waitFor();
        if (view === 'images') await page.getByRole('link', { name: 'cirros' }).waitFor();
        await user.settled();
        const path = join(target, `${view}-${look.name}.png`);
        await page.screenshot({ path });
        assert.ok(statSync(path).size <= HEAVIEST_BYTES, `${path}: ${statSync(path).size} bytes`);
      }
    }
    assert.deepEqual(user.wrong, []);
  } finally {
    await user.stop();
  }
});
