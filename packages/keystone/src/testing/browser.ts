/** As much of a browser as a log-in needs: it keeps cookies and follows redirects. Knows hosts by name alone, as browsers do with cookies. */
export class Browser {
  readonly #cookies: { readonly host: string; readonly path: string; readonly name: string; readonly value: string }[] = [];

  /** One request, with the cookies that belong to its address; redirects are not followed. */
  async request(
    url: string,
    init: {
      readonly method?: string;
      readonly form?: Readonly<Record<string, string>>;
      readonly body?: string;
      readonly headers?: Record<string, string>;
    } = {},
  ): Promise<Response> {
    const at = new URL(url);
    const cookies = this.#cookies.filter(
      (cookie) => cookie.host === at.hostname && (at.pathname === cookie.path || at.pathname.startsWith(cookie.path.replace(/\/?$/, '/'))),
    );
    const response = await fetch(url, {
      method: init.method ?? (init.form ? 'POST' : 'GET'),
      redirect: 'manual',
      headers: { ...(cookies.length > 0 && { cookie: cookies.map(({ name, value }) => `${name}=${value}`).join('; ') }), ...init.headers },
      ...(init.form && { body: new URLSearchParams(init.form) }),
      ...(init.body !== undefined && { body: init.body }),
    });
    for (const line of response.headers.getSetCookie()) this.#keep(at, line);
    return response;
  }

  /** The same, and on to wherever it is sent, until there is a page. */
  async visit(
    url: string,
    init: Parameters<Browser['request']>[1] = {},
  ): Promise<{ readonly url: string; readonly response: Response; readonly text: string }> {
    let at = url;
    let response = await this.request(at, init);
    for (let hops = 0; response.status >= 300 && response.status < 400 && hops < 20; hops++) {
      await response.arrayBuffer();
      at = new URL(response.headers.get('location') ?? '', at).href;
      response = await this.request(at);
    }
    return { url: at, response, text: await response.text() };
  }

  names(): string[] {
    return this.#cookies.map((cookie) => cookie.name);
  }

  #keep(at: URL, line: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
    const equals = pair.indexOf('=');
    const attribute = (wanted: string): string | undefined => attributes.find((one) => one.toLowerCase().startsWith(`${wanted}=`))?.slice(wanted.length + 1);
    const cookie = { host: at.hostname, path: attribute('path') ?? '/', name: pair.slice(0, equals), value: pair.slice(equals + 1) };
    const known = this.#cookies.findIndex((other) => other.host === cookie.host && other.path === cookie.path && other.name === cookie.name);
    if (known >= 0) this.#cookies.splice(known, 1);
    const expires = attribute('expires');
    if (attribute('max-age') !== '0' && !(expires && Date.parse(expires) < Date.now())) this.#cookies.push(cookie);
  }
}
