/**
 * A user of the console: Chromium on a whole cloud with simulated hosts. Notes exceptions in the page and breaches of its content security policy,
 * and what axe finds of WCAG AA.
 */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { accessibility, type Browser, type BrowserContext, openBrowser, type Page, slowDown, watch } from './browser.ts';
import { TestCloud } from './cloud.ts';

/** Where pictures for the documentation go, when they are wanted. */
const SCREENSHOTS = process.env.CAIRN_TEST_SCREENSHOTS;
/** How long the tests wait for something on screen, before they say that it does not come. */
export const WAIT_MS = Number(process.env.CAIRN_TEST_WAIT_MS ?? 60_000);
/** A name as nobody wishes for: markup, braces of the catalogues, quotes. */
export const HOSTILE = `<img src=x onerror="document.title='broken in'"> {{product}} $t(delete) ' " \\ 名`;
/** Of `ann`, whom each cloud of these tests has. */
export const PASSWORD = 'correct horse battery staple';

type Locator = ReturnType<Page['locator']>;
type CloudOptions = NonNullable<Parameters<typeof TestCloud.start>[0]>;

export class ConsoleUser {
  readonly cloud: TestCloud;
  readonly browser: Browser;
  readonly context: BrowserContext;
  readonly page: Page;
  /** What went wrong in the page by itself. */
  readonly wrong: readonly string[];

  private constructor(cloud: TestCloud, browser: Browser, context: BrowserContext, page: Page) {
    this.cloud = cloud;
    this.browser = browser;
    this.context = context;
    this.page = page;
    this.wrong = watch(page);
  }

  /** A cloud in which `ann` is a member of the projects `alpha` and `beta`, and a browser that has not signed in. */
  static async start(options: CloudOptions = {}): Promise<ConsoleUser> {
    const cloud = await TestCloud.start(options);
    const { user } = await cloud.ok('POST', '/identity/v3/users', { user: { name: 'ann', password: PASSWORD, domain_id: 'default' } });
    const { roles } = await cloud.ok('GET', '/identity/v3/roles?name=member');
    for (const name of ['alpha', 'beta']) {
      const { project } = await cloud.ok('POST', '/identity/v3/projects', { project: { name, domain_id: 'default' } });
      await cloud.ok('PUT', `/identity/v3/projects/${project.id}/users/${user.id}/roles/${roles[0].id}`);
    }
    const browser = await openBrowser();
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-US', reducedMotion: 'reduce' });
    slowDown(context);
    const page = await context.newPage();
    page.setDefaultTimeout(WAIT_MS);
    return new ConsoleUser(cloud, browser, context, page);
  }

  async stop(): Promise<void> {
    await this.browser.close();
    await this.cloud.stop();
  }

  at(path: string): string {
    return this.cloud.url + path;
  }

  /** Waits until the page is built, which the first visit after a change of it begins, and which a busy machine takes its time for. */
  async built(): Promise<void> {
    const has = async (): Promise<boolean> => (await (await fetch(this.at('/console/'))).text()).includes('<script');
    await this.cloud.until('the console is built', has, 10 * WAIT_MS);
  }

  /** Fills in the sign-in and waits until the list of servers is there. */
  async signIn(user = 'ann', password = PASSWORD): Promise<void> {
    await this.built();
    await this.page.goto(this.at('/console/servers'));
    await this.enter(user, password);
    await this.page.getByRole('heading', { name: 'Servers' }).first().waitFor();
  }

  /** Sends the sign-in's first step. */
  async enter(user: string, password: string): Promise<void> {
    await this.page.getByLabel('User name').fill(user);
    await this.page.getByLabel('Password', { exact: true }).fill(password);
    await this.button('Sign in').click();
  }

  /** Ends the session, and waits until it has ended: a page that is left at once may leave the session behind. */
  async signOut(user: string): Promise<void> {
    await this.choose(user, 'Sign out');
    await this.page.getByLabel('User name').waitFor();
  }

  /** Goes to another project, domain or region, and waits until the page is there: with it goes whatever was opened meanwhile. */
  async move(from: string, to: string): Promise<void> {
    await this.choose(from, to);
    await this.button(to).waitFor();
  }

  /** Waits until something cannot be pressed. */
  async off(what: Locator): Promise<void> {
    await what.and(this.page.locator('[disabled], [aria-disabled=true]')).first().waitFor({ state: 'attached' });
  }

  /** Makes `boss`, who administers the cloud, with ann's password. */
  async administrator(): Promise<void> {
    const { cloud } = this;
    const { user } = await cloud.ok('POST', '/identity/v3/users', { user: { name: 'boss', password: PASSWORD, domain_id: 'default' } });
    const { roles } = await cloud.ok('GET', '/identity/v3/roles?name=admin');
    const { projects } = await cloud.ok('GET', '/identity/v3/projects?name=admin');
    await cloud.ok('PUT', `/identity/v3/projects/${projects[0].id}/users/${user.id}/roles/${roles[0].id}`);
    await cloud.ok('PUT', `/identity/v3/system/users/${user.id}/roles/${roles[0].id}`);
  }

  /** Nothing is being loaded any more. */
  async settled(): Promise<void> {
    await this.page
      .getByText(/^(Loading|正在加载)$/)
      .first()
      .waitFor({ state: 'hidden' });
  }

  async shown(text: string | RegExp): Promise<void> {
    await this.page.getByText(text).first().waitFor();
  }

  /** The link to a page in the navigation. */
  nav(name: string): Locator {
    return this.page.getByRole('navigation').getByRole('link', { name, exact: true }).first();
  }

  /** Nothing went wrong by itself, and everybody can use what is on screen; takes the picture `name` where pictures are wanted. */
  async fine(name: string): Promise<void> {
    await this.settled();
    assert.deepEqual(await accessibility(this.page), [], name);
    assert.deepEqual(this.wrong, [], name);
    assert.doesNotMatch(await this.page.title(), /broken in/);
    if (SCREENSHOTS === undefined) return;
    mkdirSync(SCREENSHOTS, { recursive: true });
    await this.page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
  }

  /** The dialog that is open. */
  dialog(): Locator {
    return this.page.getByRole('dialog');
  }

  button(name: string): Locator {
    return this.page.getByRole('button', { name, exact: true });
  }

  /** The row of a table that is headed by `name`. */
  row(name: string): Locator {
    return this.page.getByRole('row').filter({ has: this.page.getByRole('rowheader', { name, exact: true }) });
  }

  /** Selects a row of a table. */
  select(name: string): Promise<void> {
    return this.page.getByRole('checkbox', { name: `Select ${name}`, exact: true }).check();
  }

  /** Selects all rows: by keyboard, since the header that stays in sight is a second one over the first. */
  async selectAll(): Promise<void> {
    const all = this.page.getByRole('checkbox', { name: 'Select all' });
    await all.press('Space');
    await all.and(this.page.locator(':checked')).waitFor();
  }

  /** Chooses an option of a field of the dialog. */
  async pick(field: string, option: string | RegExp, within: Locator = this.dialog()): Promise<void> {
    await within.getByLabel(field, { exact: true }).click();
    await this.page.getByRole('option', { name: option }).first().click();
  }

  /** Sends the dialog by its button, and waits until it was taken. */
  async confirm(name: string): Promise<void> {
    await this.dialog().getByRole('button', { name, exact: true }).click();
    await this.dialog().waitFor({ state: 'hidden' });
  }

  /** Opens a menu by its button, and takes an item of it. */
  async choose(button: string, item: string): Promise<void> {
    await this.button(button).click();
    await this.page
      .getByRole('menuitem', { name: item, exact: true })
      .or(this.page.getByRole('menuitemcheckbox', { name: item, exact: true }))
      .click();
  }
}
