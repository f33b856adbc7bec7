import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Browser, noBrowser, openBrowser, type Page, watch } from '../support/browser.ts';
import { TestNamespace } from '../support/netns.ts';

/** What a first user does in the console, with a real guest: sign in, launch, watch how it comes to be, log in by display and serial line, delete. */
describe('the console and a real guest', { skip: noBrowser() ?? false }, () => {
  const main = join(import.meta.dirname, '..', '..', 'packages', 'cairn', 'src', 'main.ts');
  // guests run as users of their own, who must be able to reach their disks
  const data = mkdtempSync('/var/tmp/cairn-console-');
  chmodSync(data, 0o711);
  const tools = mkdtempSync('/var/tmp/cairn-console-tools-');
  const PATIENCE_MS = Number(process.env.CAIRN_TEST_WAIT_MS ?? 300_000);
  let namespace: TestNamespace;
  let browser: Browser;
  let page: Page;
  let wrong: readonly string[];
  let url = '';

  const cairn = async (args: readonly string[]): Promise<void> => {
    const { code, output } = await namespace.run(process.execPath, [main, ...args, '--data', data], { timeoutMs: 900_000 });
    assert.equal(code, 0, output);
  };
  const tab = async (name: string): Promise<void> => page.getByRole('tab', { name, exact: true }).click();
  const button = (name: string) => page.getByRole('button', { name, exact: true });

  before(async () => {
    namespace = new TestNamespace(`cairnpage${process.pid}`);
    await cairn(['up', '--yes']);
    url = JSON.parse(readFileSync(join(data, 'run', 'cairn.json'), 'utf8')).url;
    // the cloud is at an address of the namespace alone
    browser = await openBrowser((program) => {
      const path = join(tools, 'chromium');
      const [command, args] = namespace.inside(program, []);
      writeFileSync(path, `#!/bin/sh\nexec ${[command, ...args].join(' ')} "$@"\n`, { mode: 0o755 });
      return path;
    });
    page = await (await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: 'en-US', reducedMotion: 'reduce' })).newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    wrong = watch(page);
  });
  after(async () => {
    await browser?.close();
    if (existsSync(data)) await cairn(['down', '--destroy']);
    namespace.remove();
    for (const path of [data, tools]) rmSync(path, { recursive: true, force: true });
  });

  test('from sign-in to a server that runs, with its flow', { timeout: 2 * PATIENCE_MS }, async () => {
    const password = /^export OS_PASSWORD='(.*)'$/m.exec(readFileSync(join(data, 'openrc'), 'utf8'))?.[1] ?? '';
    await page.goto(`${url}/console/`);
    await page.getByLabel('User name').fill('admin');
    await page.getByLabel('Password').fill(password);
    await button('Sign in').click();
    await page.getByText('No servers yet').waitFor();
    await page.getByRole('link', { name: 'Launch a server' }).first().click();
    await page.getByLabel('Name', { exact: true }).fill('first');
    await page.getByText(/^openstack server create --image \S+ --flavor \S+/).waitFor();
    await button('Launch a server').click();
    await page.locator('[data-step=compute_spawn][data-state=done]').waitFor();
    await page.getByText('Active', { exact: true }).first().waitFor();
  });

  test('its serial line asks who logs in', { timeout: 2 * PATIENCE_MS }, async () => {
    await tab('Serial line');
    await page.locator('[data-console-state=open]').waitFor();
    await button('Type into the console').click();
    const asked = page
      .locator('.xterm-rows')
      .getByText(/login:/)
      .first();
    // a line says nothing to whom comes after the prompt
    while (!(await asked.isVisible())) {
      await page.keyboard.press('Enter');
      await page.waitForTimeout(500);
    }
  });

  test('its display shows what is typed there', { timeout: 2 * PATIENCE_MS }, async () => {
    await tab('Display');
    await page.locator('[data-console-state=open]').waitFor();
    /** How many points are lit: text on a dark screen. */
    const lit = (): Promise<number> =>
      page.evaluate(() => {
        const canvas = document.querySelector<HTMLCanvasElement>('.console-box canvas');
        if (!canvas?.width || !canvas.height) return 0;
        const { data: points } = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height) ?? { data: [] };
        let count = 0;
        for (let i = 0; i < points.length; i += 4) if ((points[i] ?? 0) > 100) count += 1;
        return count;
      });
    while ((await lit()) < 50) await page.waitForTimeout(200);
    const before = await lit();
    await button('Paste text').click();
    await page.getByRole('dialog').getByLabel('Text').fill('hello from the console');
    await button('Type it').click();
    while (Math.abs((await lit()) - before) < 100) await page.waitForTimeout(200);
  });

  test('and it is deleted', { timeout: 2 * PATIENCE_MS }, async () => {
    await button('Actions').click();
    await page.getByRole('menuitem', { name: 'Delete', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByText('No servers yet').waitFor();
    assert.deepEqual(wrong, []);
  });
});
