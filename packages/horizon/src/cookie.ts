const NAME = 'cairn_console';
/** Of the proof that a first factor was shown, until the second is. */
export const RECEIPT = 'cairn_console_receipt';
/** What RFC 6265 lets a value be made of. */
const VALUE = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{1,3800}$/;

/** Of the token that leads back from the whole system: keystone lets nobody go from there to a project. */
export const HOME = 'cairn_console_home';

/** The token in a Cookie header; undefined when there is none, or when it was sent twice, which no browser does by itself. */
export function tokenInCookie(cookies: string | undefined, name = NAME): string | undefined {
  const values = (cookies ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  const [value] = values;
  return values.length === 1 && value !== undefined && VALUE.test(value) ? value : undefined;
}

interface Attributes {
  readonly path: string;
  readonly secure: boolean;
  readonly name?: string;
}

/** The Set-Cookie header that keeps a token in the browser, out of reach of scripts, for this site's own pages, until it expires. */
export function cookieOf(token: string, options: Attributes & { readonly maxAgeSec: number }): string {
  if (!VALUE.test(token)) throw new Error('the token does not fit into a cookie');
  return attributes(token, options);
}

/** The Set-Cookie header that takes it away. */
export const noCookie = (options: Attributes): string => attributes('', { ...options, maxAgeSec: 0 });

const attributes = (value: string, { path, secure, maxAgeSec, name = NAME }: Attributes & { readonly maxAgeSec: number }): string =>
  `${name}=${value}; Path=${path}; Max-Age=${maxAgeSec}; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
