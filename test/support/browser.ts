import { existsSync } from 'node:fs';
import type { Browser, BrowserContext, Page } from 'playwright-core';

const PROGRAM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path));

/** Why no browser can be driven here; undefined when one can. `CAIRN_TEST_CHROMIUM=require` makes its absence a failure of the test instead. */
export const noBrowser = (): string | undefined =>
  PROGRAM !== undefined || process.env.CAIRN_TEST_CHROMIUM === 'require' ? undefined : 'there is no Chromium; apt-get install chromium brings one';

/**
 * Chromium without a window, and without a way to anywhere but this machine. `wrapped` gives the program to start instead, such as one that enters
 * a network namespace and becomes Chromium there.
 */
export async function openBrowser(wrapped: (program: string) => string = (program) => program): Promise<Browser> {
  if (PROGRAM === undefined) throw new Error('there is no Chromium');
  const { chromium } = await import('playwright-core');
  return chromium.launch({
    executablePath: wrapped(PROGRAM),
    slowMo: numberOf('CAIRN_TEST_SLOW_MS'),
    args: [
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-dev-shm-usage',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
    ],
  });
}

/** The number that a variable of the environment holds; 0 when there is none. */
const numberOf = (name: string): number => Number(process.env[name] ?? 0);

/**
 * Makes the pages of a context as slow as they may be elsewhere, to find what a test or the page takes for granted: `CAIRN_TEST_CPU=10` for a processor ten
 * times as slow, `CAIRN_TEST_LATENCY_MS` for a way to the cloud that takes so long. (`CAIRN_TEST_SLOW_MS` slows down who drives them.)
 */
export function slowDown(context: BrowserContext): void {
  const [rate, latency] = [numberOf('CAIRN_TEST_CPU'), numberOf('CAIRN_TEST_LATENCY_MS')];
  if (rate === 0 && latency === 0) return;
  context.on('page', (page) => {
    const slow = async (): Promise<void> => {
      const session = await context.newCDPSession(page);
      if (rate > 0) await session.send('Emulation.setCPUThrottlingRate', { rate });
      if (latency > 0) await session.send('Network.emulateNetworkConditions', { offline: false, latency, downloadThroughput: -1, uploadThroughput: -1 });
    };
    // a page may be closed before
    slow().catch(() => {});
  });
}

/**
 * The browser itself notes every refused request; whether a refusal was expected is the test's to say. And noVNC notes a line that it leaves when the other end takes
 * more than three seconds to say farewell, as a machine that stands still for a moment does.
 */
const EXPECTED = /Failed to load resource|^Disconnection timed out\.$/;

/** What went wrong in a page by itself: exceptions, errors on its console, breaches of its content security policy. */
export function watch(page: Page): readonly string[] {
  const wrong: string[] = [];
  page.on('pageerror', (error) => wrong.push(`exception: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' && !EXPECTED.test(message.text())) wrong.push(`console: ${message.text()}`);
  });
  return wrong;
}

/** What Cloudscape itself does: on phones its toolbar says which way it runs, in a role that has no such attribute. Harmless to readers. */
const LIBRARY = /^aria-allowed-attr: \.awsui_mobile-toolbar-nav\S* [^;]*aria-orientation[^;]*$/;

/** Serious and critical findings of axe for WCAG 2 A and AA, each with where it is. */
export async function accessibility(page: Page): Promise<readonly string[]> {
  // through the debugger, which the page's policy does not bind
  const { default: axe } = await import('axe-core');
  await page.evaluate(axe.source);
  const found = await page.evaluate(async () => {
    const { axe: checker } = globalThis as unknown as {
      axe: { run(options: object): Promise<{ violations: { id: string; impact: string; nodes: { target: string[]; failureSummary?: string }[] }[] }> };
    };
    const { violations } = await checker.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] });
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(
        ({ id, nodes }) =>
          `${id}: ${nodes.map(({ target, failureSummary }) => `${target.join(' ')} ${failureSummary?.split('\n')[1]?.trim() ?? ''}`).join('; ')}`,
      );
  });
  return found.filter((line) => !LIBRARY.test(line));
}

export type { Browser, BrowserContext, Page };
