import { type AnyOperation, ANYONE, Reply } from '@cairn/kit/http/operation';
import type { Departure } from '../app/federation/logins.ts';
import type { VerifiedAssertion } from '../app/federation/mapped.ts';
import type { Token } from '../app/tokens.ts';
import { unauthenticated } from '../errors.ts';
import { type AnyRequest, headerOf, type KeystoneApp, op, param } from './common.ts';
import { readForm, readText } from './forms.ts';
import { choicePage, tokenPage } from './federation-pages.ts';
import { answer } from './tokens.ts';

const PROTOCOL = '/v3/OS-FEDERATION/identity_providers/{idp_id}/protocols/{protocol_id}';
const WEBSSO = '/v3/auth/OS-FEDERATION/websso/{protocol_id}';
/** The media type of SAML's enhanced clients. */
const PAOS = 'application/vnd.paos+xml';
const SESSION = 'cairn_saml_session';
const LIMIT_BYTES = 1024 * 1024;
const IDP_WEBSSO = '/v3/auth/OS-FEDERATION/identity_providers/{idp_id}/protocols/{protocol_id}/websso';

/** Where clients reach the identity service: as configured, or else as they say themselves. */
const publicUrl = (app: KeystoneApp, req: AnyRequest): string => app.options.federation.publicUrl || req.baseUrl;

/** The address of a protocol of an identity provider, for what is below it. */
const protocolUrl = (app: KeystoneApp, req: AnyRequest, idpId: string, protocolId: string): string =>
  `${publicUrl(app, req)}/v3/OS-FEDERATION/identity_providers/${encodeURIComponent(idpId)}/protocols/${encodeURIComponent(protocolId)}`;

/** A cookie for one protocol's addresses alone, which no script sees and no other site's form sends along. */
function cookie(url: string, name: string, value: string, maxAgeSec: number, crossSite = false): string {
  const { protocol, pathname } = new URL(url);
  const secure = protocol === 'https:';
  // a form of another site brings a cookie along only when it may go everywhere, which browsers grant over TLS alone
  const sameSite = !crossSite ? ['SameSite=Lax'] : secure ? ['SameSite=None'] : [];
  return [`${name}=${value}`, `Path=${pathname}`, `Max-Age=${maxAgeSec}`, 'HttpOnly', ...sameSite, ...(secure ? ['Secure'] : [])].join('; ');
}

function cookieOf(req: AnyRequest, name: string): string | undefined {
  for (const part of (headerOf(req, 'cookie') ?? '').split(';')) {
    const at = part.indexOf('=');
    if (at > 0 && part.slice(0, at).trim() === name) return part.slice(at + 1).trim();
  }
  return undefined;
}

/** The token of a verified assertion's user, unscoped. */
async function tokenOf(app: KeystoneApp, req: AnyRequest, assertion: VerifiedAssertion): Promise<Token> {
  const proof = await app.mapped.prove(assertion, { requestId: req.requestId, remoteAddress: req.remoteAddress, userAgent: headerOf(req, 'user-agent') });
  return await app.auth.federated(proof, assertion.protocolId);
}

const away = (url: string, departure: Departure): Reply =>
  new Reply(undefined, {
    status: 302,
    headers: {
      Location: departure.location,
      'Set-Cookie': cookie(url, departure.cookie.name, departure.cookie.value, departure.cookie.maxAgeSec, departure.cookie.crossSite),
      'Cache-Control': 'no-store',
    },
  });

async function depart(app: KeystoneApp, req: AnyRequest, idpId: string, origin: string): Promise<Reply> {
  const protocolId = param(req, 'protocol_id');
  const url = protocolUrl(app, req, idpId, protocolId);
  return away(url, await app.federatedLogins.depart(idpId, protocolId, origin, url));
}

/** GET or POST of the protocol's auth path: a token for whoever shows a proof of the identity provider. */
async function authenticate(app: KeystoneApp, req: AnyRequest): Promise<Reply> {
  const [idpId, protocolId] = [param(req, 'idp_id'), param(req, 'protocol_id')];
  const bearer = /^bearer\s+(\S+)\s*$/i.exec(headerOf(req, 'authorization') ?? '')?.[1];
  if (bearer !== undefined) return await answer(app, req, await tokenOf(app, req, await app.federatedLogins.bearer(idpId, protocolId, bearer)), 201);
  const url = protocolUrl(app, req, idpId, protocolId);
  const session = cookieOf(req, SESSION);
  const resumed = session === undefined ? undefined : await app.federatedLogins.resume(idpId, protocolId, session);
  if (resumed) {
    const { body, headers } = await answer(app, req, await tokenOf(app, req, resumed), 201);
    return new Reply(body, { status: 201, headers: { ...headers, 'Set-Cookie': cookie(url, SESSION, '', 0) } });
  }
  // a client that can take a request to the identity provider by itself says so
  const request = (headerOf(req, 'accept') ?? '').includes(PAOS) ? app.federatedLogins.ecpStart(idpId, protocolId, url) : undefined;
  if (request !== undefined) return new Reply(request, { status: 200, headers: { 'Content-Type': PAOS, 'Cache-Control': 'no-store' } });
  throw unauthenticated('no proof of the identity provider came along');
}

/** Log-ins at identity providers (keystone/api/os_federation.py, keystone/api/auth.py; the rest of upstream's is in modules of web servers). */
export const federationAuthOperations: readonly AnyOperation[] = [
  ...(['GET', 'POST'] as const).flatMap((method) => [
    op({
      id: `keystone.federation.auth.${method.toLowerCase()}`,
      method,
      path: `${PROTOCOL}/auth`,
      answer: 'stream',
      summary: 'Get an unscoped token with a proof of an identity provider',
      policy: ANYONE,
      input: 'none',
      handle: authenticate,
    }),
    op({
      id: `keystone.federation.websso.${method.toLowerCase()}`,
      method,
      path: WEBSSO,
      answer: 'stream',
      summary: 'Log in with a browser at an identity provider of a protocol, for a dashboard',
      policy: ANYONE,
      input: 'none',
      handle: async (app, req) => {
        const origin = app.federatedLogins.trustedOrigin(req.query.get('origin'));
        const protocolId = param(req, 'protocol_id');
        const idpIds = app.federatedLogins.providersOf(protocolId);
        const [only] = idpIds;
        if (only === undefined) throw unauthenticated('Missing entity ID from environment');
        if (idpIds.length === 1) return await depart(app, req, only, origin);
        const start = `${publicUrl(app, req)}/v3/auth/OS-FEDERATION/identity_providers`;
        return choicePage(
          idpIds.map((idpId) => ({
            name: idpId,
            url: `${start}/${encodeURIComponent(idpId)}/protocols/${encodeURIComponent(protocolId)}/websso?${new URLSearchParams({ origin })}`,
          })),
        );
      },
    }),
    op({
      id: `keystone.federation.idp_websso.${method.toLowerCase()}`,
      method,
      path: IDP_WEBSSO,
      answer: 'stream',
      summary: 'Log in with a browser at an identity provider, for a dashboard',
      policy: ANYONE,
      input: 'none',
      handle: (app, req) => depart(app, req, param(req, 'idp_id'), app.federatedLogins.trustedOrigin(req.query.get('origin'))),
    }),
  ]),
  op({
    id: 'keystone.federation.acs',
    method: 'POST',
    path: `${PROTOCOL}/acs`,
    answer: 'stream',
    summary: 'Where a SAML identity provider sends the browser back to, and enhanced clients bring its answer',
    policy: ANYONE,
    input: 'stream',
    handle: async (app, req) => {
      const [idpId, protocolId] = [param(req, 'idp_id'), param(req, 'protocol_id')];
      const url = protocolUrl(app, req, idpId, protocolId);
      if (/^(application\/vnd\.paos\+xml|text\/xml)\b/i.test(headerOf(req, 'content-type') ?? '')) {
        const { session, maxAgeSec } = await app.federatedLogins.ecpFinish(idpId, protocolId, await readText(req, LIMIT_BYTES), url);
        return new Reply(undefined, { status: 302, headers: { Location: `${url}/auth`, 'Set-Cookie': cookie(url, SESSION, session, maxAgeSec) } });
      }
      const form = await readForm(req, LIMIT_BYTES);
      const { assertion, origin } = await app.federatedLogins.arriveSaml(idpId, protocolId, form, url, (name) => cookieOf(req, name));
      const token = await tokenOf(app, req, assertion);
      return tokenPage(origin, token.id, { 'Set-Cookie': cookie(url, app.federatedLogins.cookieName(form.get('RelayState') ?? ''), '', 0) });
    },
  }),
  op({
    id: 'keystone.federation.sp_metadata',
    method: 'GET',
    path: `${PROTOCOL}/metadata`,
    answer: 'stream',
    summary: 'Show what a SAML identity provider must know of this service provider',
    policy: ANYONE,
    input: 'none',
    handle: (app, req) => {
      const [idpId, protocolId] = [param(req, 'idp_id'), param(req, 'protocol_id')];
      const xml = app.federatedLogins.metadata(idpId, protocolId, protocolUrl(app, req, idpId, protocolId));
      return new Reply(xml, { headers: { 'Content-Type': 'application/samlmetadata+xml' } });
    },
  }),
  op({
    id: 'keystone.federation.callback',
    method: 'GET',
    path: `${PROTOCOL}/callback`,
    answer: 'stream',
    summary: 'Where an OpenID Connect provider sends the browser back to',
    policy: ANYONE,
    input: 'none',
    handle: async (app, req) => {
      const [idpId, protocolId] = [param(req, 'idp_id'), param(req, 'protocol_id')];
      const { assertion, origin } = await app.federatedLogins.arrive(idpId, protocolId, req.query, (name) => cookieOf(req, name));
      const token = await tokenOf(app, req, assertion);
      const name = app.federatedLogins.cookieName(req.query.get('state') ?? '');
      return tokenPage(origin, token.id, { 'Set-Cookie': cookie(protocolUrl(app, req, idpId, protocolId), name, '', 0) });
    },
  }),
];
