import { randomBytes } from 'node:crypto';
import { Reply } from '@cairn/kit/http/operation';

/** The few pages that a browser sees between a dashboard and an identity provider. */

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escaped = (text: string): string => text.replace(/[&<>"']/g, (char) => ENTITIES[char] as string);

const headers = (policy: string): Record<string, string> => ({
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy': `default-src 'none'; base-uri 'none'; frame-ancestors 'none'; ${policy}`,
  'Cache-Control': 'no-store',
  // a dashboard has to see that the form comes from here, and never the address with what is in it
  'Referrer-Policy': 'strict-origin',
  'X-Content-Type-Options': 'nosniff',
});

const page = (title: string, body: string): string =>
  `<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>${title}</title></head>\n<body>\n${body}\n</body>\n</html>\n`;

/** Hands a token on to a dashboard by a form that sends itself, as upstream's sso_callback_template.html does. */
export function tokenPage(origin: string, token: string, more: Readonly<Record<string, string>> = {}): Reply {
  const nonce = randomBytes(16).toString('base64');
  const body = `<form id="sso" name="sso" action="${escaped(origin)}" method="post">
Please wait...<br>
<input type="hidden" name="token" id="token" value="${escaped(token)}">
<noscript><input type="submit" name="submit_no_javascript" id="submit_no_javascript" value="If your JavaScript is disabled, please click to continue"></noscript>
</form>
<script nonce="${nonce}">document.forms.sso.submit()</script>`;
  const policy = `script-src 'nonce-${nonce}'; form-action ${new URL(origin).origin}`;
  return new Reply(page('Signing in', body), { headers: { ...headers(policy), ...more } });
}

/** Lets somebody choose among several identity providers. */
export function choicePage(choices: readonly { readonly name: string; readonly url: string }[]): Reply {
  const items = choices.map(({ name, url }) => `<li><a href="${escaped(url)}">${escaped(name)}</a></li>`).join('\n');
  return new Reply(page('Choose where to sign in', `<h1>Choose where to sign in</h1>\n<ul>\n${items}\n</ul>`), { headers: headers("form-action 'none'") });
}
