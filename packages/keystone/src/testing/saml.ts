import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as samlify from 'samlify';
import type { Browser } from './browser.ts';

export interface KeyPair {
  /** PEM. */
  readonly privateKey: string;
  /** PEM. */
  readonly certificate: string;
}

/** A key and a certificate that signs itself. */
export function selfSigned(name: string): KeyPair {
  const directory = mkdtempSync(join(tmpdir(), 'cairn-saml-'));
  try {
    const [key, certificate] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
    const subject = ['-subj', `/CN=${name}`, '-days', '30', '-keyout', key, '-out', certificate];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject], { stdio: 'ignore', timeout: 30_000 });
    return { privateKey: readFileSync(key, 'utf8'), certificate: readFileSync(certificate, 'utf8') };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

samlify.setSchemaValidator({ validate: () => Promise.resolve('not checked') });

const ATTRIBUTES: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  ann: { email: ['ann@example.org'], 'urn:oid:groups': ['devs', 'ops'] },
  bob: { email: ['bob@example.org'], 'urn:oid:groups': ['guests;admins'] },
};

/** What a response says; each may be bent by a test. */
export interface Said {
  readonly issuer: string;
  readonly nameId: string;
  readonly inResponseTo: string | undefined;
  readonly recipient: string;
  readonly audience: string | undefined;
  readonly notBeforeMs: number;
  readonly notOnOrAfterMs: number;
  readonly attributes: Readonly<Record<string, readonly string[]>>;
  readonly assertionId: string;
  readonly method: string;
  readonly authnStatement: boolean;
}

/** A SAML identity provider (npm's samlify) on a loopback port: the browser's log-in, and that of enhanced clients. */
export class SamlIdp {
  readonly entityId: string;
  readonly ssoUrl: string;
  readonly ecpUrl: string;
  readonly keys: KeyPair;
  readonly #server: Server;
  readonly #provider: ReturnType<typeof samlify.IdentityProvider>;
  #sp: ReturnType<typeof samlify.ServiceProvider> | undefined;
  #count = 0;

  private constructor(server: Server, base: string, keys: KeyPair) {
    this.#server = server;
    this.keys = keys;
    this.entityId = `${base}/idp`;
    this.ssoUrl = `${base}/sso`;
    this.ecpUrl = `${base}/ecp`;
    this.#provider = samlify.IdentityProvider({
      entityID: this.entityId,
      privateKey: keys.privateKey,
      signingCert: keys.certificate,
      isAssertionEncrypted: false,
      singleSignOnService: [{ isDefault: true, Binding: 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect', Location: this.ssoUrl }],
      singleLogoutService: [{ Binding: 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect', Location: `${base}/slo` }],
      loginResponseTemplate: { context: '<unused/>', attributes: [] },
    });
  }

  static async start(keys = selfSigned('idp.example')): Promise<SamlIdp> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const idp = new SamlIdp(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`, keys);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString('utf8');
        const url = new URL(request.url ?? '/', idp.entityId);
        const answering = url.pathname === '/sso' ? idp.#sso(url, body) : idp.#ecp(request.headers.authorization ?? '', body);
        answering.then(
          ({ status, type, text }) => response.writeHead(status, { 'content-type': type }).end(text),
          (error: unknown) => response.writeHead(500).end(String(error)),
        );
      });
    });
    return idp;
  }

  /** The identity provider learns of us by our metadata. */
  trust(metadata: string): void {
    this.#sp = samlify.ServiceProvider({ metadata });
  }

  /** Says what `said` says in a response that is signed with the provider's key. */
  async respond(said: Said): Promise<string> {
    if (!this.#sp) throw new Error(`no service provider is trusted`);
    const info = { extract: { request: { id: said.inResponseTo ?? '' } } };
    const made = await this.#provider.createLoginResponse(this.#sp, info as never, 'post', {}, () => ({ id: 'id', context: responseXml(said) }) as never);
    return Buffer.from(made.context, 'base64').toString('utf8');
  }

  /** The usual answer to a request. */
  said(request: { readonly id: string | undefined; readonly acsUrl: string; readonly issuer: string }, person: string): Said {
    const nowMs = Date.now();
    return {
      issuer: this.entityId,
      nameId: person,
      inResponseTo: request.id,
      recipient: request.acsUrl,
      audience: request.issuer,
      notBeforeMs: nowMs - 1000,
      notOnOrAfterMs: nowMs + 300_000,
      attributes: ATTRIBUTES[person] ?? {},
      assertionId: `_assertion${++this.#count}of${Math.random().toString(16).slice(2)}`,
      method: 'urn:oasis:names:tc:SAML:2.0:cm:bearer',
      authnStatement: true,
    };
  }

  /** Logs somebody in where a browser was sent to; returns the form that the page would send. */
  async logIn(browser: Browser, location: string, login: string): Promise<{ readonly action: string; readonly form: Record<string, string> }> {
    const { text } = await browser.visit(location, { form: { login } });
    const action = /action="([^"]+)"/.exec(text)?.[1] ?? '';
    const form = Object.fromEntries([...text.matchAll(/name="(\w+)" value="([^"]*)"/g)].map((match) => [match[1], match[2]]));
    if (action === '') throw new Error(`no form: ${text.slice(0, 400)}`);
    return { action, form: form as Record<string, string> };
  }

  async #sso(url: URL, body: string): Promise<Page> {
    const login = new URLSearchParams(body).get('login') ?? '';
    if (!this.#sp || !ATTRIBUTES[login]) return { status: 403, type: 'text/plain', text: 'who?' };
    const { extract } = await this.#provider.parseLoginRequest(this.#sp, 'redirect', { query: Object.fromEntries(url.searchParams) });
    const { request, issuer } = extract as { request: { id: string; assertionConsumerServiceUrl: string }; issuer: string };
    const xml = await this.respond(this.said({ id: request.id, acsUrl: request.assertionConsumerServiceUrl, issuer }, login));
    const fields = { SAMLResponse: Buffer.from(xml).toString('base64'), RelayState: url.searchParams.get('RelayState') ?? '' };
    const inputs = Object.entries(fields).map(([name, value]) => `<input type="hidden" name="${name}" value="${value}">`);
    return { status: 200, type: 'text/html', text: `<form method="post" action="${request.assertionConsumerServiceUrl}">${inputs.join('')}</form>` };
  }

  /** The enhanced client's way: a request in an envelope, with HTTP basic. */
  async #ecp(authorization: string, body: string): Promise<Page> {
    const [login = '', password] = Buffer.from(authorization.replace(/^Basic /, ''), 'base64')
      .toString('utf8')
      .split(':');
    if (!ATTRIBUTES[login] || password !== `${login}-secret`) return { status: 401, type: 'text/plain', text: 'who?' };
    const attribute = (name: string): string => new RegExp(`${name}="([^"]*)"`).exec(/<samlp:AuthnRequest[^>]*>/.exec(body)?.[0] ?? '')?.[1] ?? '';
    const issuer = /<samlp:AuthnRequest.*?<saml:Issuer>([^<]*)</s.exec(body)?.[1] ?? '';
    const acsUrl = attribute('AssertionConsumerServiceURL');
    const xml = await this.respond(this.said({ id: attribute(' ID'), acsUrl, issuer }, login));
    return { status: 200, type: 'text/xml', text: envelope(xml, acsUrl) };
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

interface Page {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

/** A response as enhanced clients carry it. */
export const envelope = (response: string, acsUrl: string): string =>
  `<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Header><ecp:Response xmlns:ecp="urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp" S:mustUnderstand="1" S:actor="http://schemas.xmlsoap.org/soap/actor/next" AssertionConsumerServiceURL="${acsUrl}"/></S:Header><S:Body>${response}</S:Body></S:Envelope>`;

const time = (ms: number): string => new Date(ms).toISOString();
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** A whole response, not signed. */
export function responseXml(said: Said): string {
  const answers = said.inResponseTo === undefined ? '' : ` InResponseTo="${said.inResponseTo}"`;
  const audience = said.audience === undefined ? '' : `<saml:AudienceRestriction><saml:Audience>${said.audience}</saml:Audience></saml:AudienceRestriction>`;
  const attributes = Object.entries(said.attributes).map(
    ([name, values]) =>
      `<saml:Attribute Name="${name}" FriendlyName="friendly-${name.replaceAll(':', '-')}">${values
        .map((value) => `<saml:AttributeValue xsi:type="xs:string">${escaped(value)}</saml:AttributeValue>`)
        .join('')}</saml:Attribute>`,
  );
  const now = time(Date.now());
  return `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_r${said.assertionId}" Version="2.0" IssueInstant="${now}" Destination="${said.recipient}"${answers}><saml:Issuer>${said.issuer}</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status><saml:Assertion xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ID="${said.assertionId}" Version="2.0" IssueInstant="${now}"><saml:Issuer>${said.issuer}</saml:Issuer><saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified">${said.nameId}</saml:NameID><saml:SubjectConfirmation Method="${said.method}"><saml:SubjectConfirmationData NotOnOrAfter="${time(said.notOnOrAfterMs)}" Recipient="${said.recipient}"${answers}/></saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="${time(said.notBeforeMs)}" NotOnOrAfter="${time(said.notOnOrAfterMs)}">${audience}</saml:Conditions>${
    said.authnStatement
      ? `<saml:AuthnStatement AuthnInstant="${now}"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`
      : ''
  }<saml:AttributeStatement>${attributes.join('')}</saml:AttributeStatement></saml:Assertion></samlp:Response>`;
}
