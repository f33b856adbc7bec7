import { existsSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import type { Bench } from './api.ts';
import { median, until } from './load.ts';
import { packedLength } from './packed-length.ts';
import type { Figure } from './report.ts';
import { findNamed, networkFor, statusOf } from './servers.ts';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
/** Pages that are gone through by their links, with their headings. */
const PAGES = ['Volumes', 'Images', 'Networks', 'Key pairs', 'Snapshots', 'Servers'];
const ROWS = 10_000;
const WAIT_MS = 60_000;

// what runs in the page is text here: this package is checked without a browser's types

/** Chromium without a window. Rejects, saying what is missing, where it cannot be driven. */
async function openBrowser(): Promise<Browser> {
  const executablePath = CHROMIUM.find((path) => existsSync(path));
  if (executablePath === undefined) throw new Error('the console is measured in Chromium, and there is none: "apt-get install chromium" brings it');
  const { chromium } = await import('playwright-core').catch((cause: unknown) => {
    const words =
      'the console is measured by playwright-core, which is installed with what the tests need: "npm ci --ignore-scripts" in the checkout brings it';
    throw new Error(words, { cause });
  });
  return chromium.launch({
    executablePath,
    args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), '--disable-background-networking', '--disable-component-update', '--disable-dev-shm-usage'],
  });
}

/** The console as its users meet it, in Chromium: loads, changes of page, a long table, a change that somebody else makes, and the weight of its scripts. */
export async function consoleFigures(bench: Bench): Promise<Figure[]> {
  const browser = await openBrowser();
  try {
    const address = `${bench.url}/console/`;
    // the first visit builds the page
    const first = await browser.newPage();
    await first.goto(address, { timeout: WAIT_MS });
    await first.getByLabel('User name').waitFor({ timeout: WAIT_MS });
    await first.close();

    const loads: number[] = [];
    for (let i = 0; i < 5; i++) {
      const context = await browser.newContext({ locale: 'en-US' });
      const page = await context.newPage();
      const startMs = performance.now();
      await page.goto(address);
      await page.getByLabel('User name').waitFor({ timeout: WAIT_MS });
      loads.push(performance.now() - startMs);
      await context.close();
    }
    // what it takes to be there; the rest comes while somebody types
    const html = await (await fetch(address)).text();
    const weights = await Promise.all([...html.matchAll(/(?:src|href)="([^"]+\.js)"/g)].map(([, path = '']) => packedLength(new URL(path, address).href)));

    const context = await browser.newContext({ locale: 'en-US', viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' });
    const page = await context.newPage();
    page.setDefaultTimeout(WAIT_MS);
    await page.goto(address);
    await page.getByLabel('User name').fill('admin');
    await page.getByLabel('Password').fill(bench.adminPassword);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('navigation').getByRole('link', { name: 'Servers', exact: true }).waitFor();
    const later = await laterPages(page);
    const change = await changeToScreen(bench, page);
    const table = await longTable(page);
    return [
      { name: 'console: first load to usable', value: median(loads) / 1000, unit: 's', goal: 1, note: 'sign-in, nothing cached, median of 5' },
      { name: 'console: scripts of the first page, gzip', value: weights.reduce((sum, size) => sum + size, 0) / 1000, unit: 'kB', goal: 400 },
      {
        name: 'console: later page',
        value: median(later),
        unit: 'ms',
        goal: 150,
        note: `median of ${later.length}, slowest ${Math.max(...later).toFixed(0)} ms`,
      },
      { name: 'console: change to screen', value: median(change), unit: 'ms', goal: 300, note: `a rename, median of ${change.length}` },
      ...table,
    ];
  } finally {
    await browser.close();
  }
}

/** From the click on a link until the page's heading and its rows are there, twice through: what the first round loads is there in the second. Milliseconds. */
async function laterPages(page: Page): Promise<number[]> {
  const times: number[] = [];
  for (const name of [...PAGES, ...PAGES]) {
    const link = page.getByRole('navigation').getByRole('link', { name, exact: true }).first();
    await link.hover();
    times.push(
      Number(
        await page.evaluate(`new Promise((resolve) => {
          const link = [...document.querySelectorAll('nav a')].find((one) => one.textContent === ${JSON.stringify(name)});
          const startMs = performance.now();
          const look = () => {
            const shown = [...document.querySelectorAll('h1')].some((one) => one.textContent.startsWith(${JSON.stringify(name)}));
            const table = document.querySelector('table');
            if (shown && table !== null && !table.textContent.includes('Loading')) resolve(performance.now() - startMs);
            else requestAnimationFrame(look);
          };
          link.click();
          look();
        })`),
      ),
    );
  }
  return times;
}

/** A server is renamed by the API; milliseconds from the answer until the new name is in the table. */
async function changeToScreen(bench: Bench, page: Page): Promise<number[]> {
  const { load } = bench;
  const net = await networkFor(bench);
  const imageRef = await findNamed(bench, '/image/v2/images?name=cirros', 'images', 'cirros');
  const flavorRef = await findNamed(bench, '/compute/v2.1/flavors', 'flavors', 'm1.nano');
  const body = { server: { name: 'bench-0', imageRef, flavorRef, networks: [{ uuid: net.id }] } };
  const { server } = await load.json({ method: 'POST', path: '/compute/v2.1/servers', body });
  await until(async () => (await statusOf(bench, server.id)) === 'ACTIVE', 60_000, 20);
  await page.getByRole('link', { name: 'bench-0', exact: true }).waitFor();
  const times: number[] = [];
  for (let i = 1; i <= 10; i++) {
    const name = `bench-${i}`;
    // the browser and this process are on one machine, so that they share a clock
    const seen = page.evaluate(`new Promise((resolve) => {
      const look = () => {
        if ([...document.querySelectorAll('td, th')].some((cell) => cell.textContent === ${JSON.stringify(name)})) resolve(Date.now());
        else requestAnimationFrame(look);
      };
      look();
    })`);
    await load.json({ method: 'PUT', path: `/compute/v2.1/servers/${server.id}`, body: { server: { name } } });
    const answeredMs = Date.now();
    times.push(Math.max(0, Number(await seen) - answeredMs));
  }
  return times;
}

/** The table of servers with very many rows, which the bench itself answers with (as one real server, multiplied): what is measured is the page. */
async function longTable(page: Page): Promise<Figure[]> {
  await page.route('**/servers/detail?*', async (route) => {
    const url = new URL(route.request().url());
    const response = await route.fetch({ url: `${url.origin}${url.pathname}` });
    const { servers } = (await response.json()) as { servers: Record<string, unknown>[] };
    const [pattern] = servers;
    const marker = url.searchParams.get('marker');
    const from = marker === null ? 0 : Number(marker.slice(-5)) + 1;
    const count = Math.min(Number(url.searchParams.get('limit') ?? 500), ROWS - from);
    const rows = Array.from({ length: count }, (_, index) => ({
      ...pattern,
      id: `00000000-0000-4000-8000-0000000${String(from + index).padStart(5, '0')}`,
      name: `server-${from + index}`,
      status: (from + index) % 7 === 0 ? 'SHUTOFF' : 'ACTIVE',
    }));
    await route.fulfill({ json: { servers: rows } });
  });
  await page.reload();
  await page.getByText(`(${ROWS})`).first().waitFor();
  /** The longest time between two frames while something is done, milliseconds. */
  const longest = async (work: () => Promise<unknown>): Promise<number> => {
    await page.evaluate(`{
      globalThis.longestFrameMs = 0;
      globalThis.framesWatched = true;
      let before = performance.now();
      const frame = (now) => {
        globalThis.longestFrameMs = Math.max(globalThis.longestFrameMs, now - before);
        before = now;
        if (globalThis.framesWatched) requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
    }`);
    await work();
    return Number(
      await page.evaluate(`new Promise((resolve) => {
        setTimeout(() => {
          globalThis.framesWatched = false;
          resolve(globalThis.longestFrameMs);
        }, 200);
      })`),
    );
  };
  const scroll = await longest(async () => {
    for (let i = 0; i < 10; i++) {
      await page.mouse.wheel(0, 200);
      await page.waitForTimeout(30);
    }
  });
  const turn = await longest(async () => {
    await page.getByRole('button', { name: 'Next page' }).first().click();
    await page.getByText('server-25', { exact: true }).first().waitFor();
  });
  const filter = await longest(async () => {
    await page.getByLabel('Find by any property').fill('server-9999');
    await page.keyboard.press('Enter');
    await page.getByText('1 match', { exact: true }).first().waitFor();
  });
  const note = (what: string): string => `longest frame, ${what}`;
  return [
    { name: `console: ${ROWS} rows, scrolling`, value: scroll, unit: 'ms', goal: 100, note: note('one page of them is drawn') },
    { name: `console: ${ROWS} rows, next page`, value: turn, unit: 'ms', goal: 200, note: note('25 other rows') },
    { name: `console: ${ROWS} rows, filtering`, value: filter, unit: 'ms', goal: 200, note: note('by any property') },
  ];
}
