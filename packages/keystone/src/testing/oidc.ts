import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { Provider } from 'oidc-provider';
import type { Browser } from './browser.ts';

const CLIENT_ID = 'cairn-sso';
const CLIENT_SECRET = 'the client of the cloud keeps this';
/** What access tokens are for. */
const AUDIENCE = 'https://cloud.example/identity';

const PEOPLE: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  ann: { name: 'Ann Example', email: 'ann@example.org', groups: ['devs', 'ops'], 'odd;claim': 'a;b' },
  bob: { name: 'Bob;admins', email: 'bob@example.org', groups: ['guests'] },
};

interface Settings {
  readonly accessTokens?: 'jwt' | 'opaque';
  readonly redirectUris: readonly string[];
}

/** A whole OpenID Connect provider (npm's oidc-provider) on a loopback port. */
export class OidcIdp {
  readonly issuer: string;
  readonly clientId = CLIENT_ID;
  readonly clientSecret = CLIENT_SECRET;
  readonly audience = AUDIENCE;
  /** Paths that were asked for. */
  readonly asked: string[] = [];
  readonly #server: Server;
  readonly #privateKey: CryptoKey;
  readonly #jwk: JWK;

  private constructor(parts: { server: Server; issuer: string; privateKey: CryptoKey; jwk: JWK }) {
    this.#server = parts.server;
    this.issuer = parts.issuer;
    this.#privateKey = parts.privateKey;
    this.#jwk = parts.jwk;
  }

  static async start(settings: Settings): Promise<OidcIdp> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { privateKey } = await generateKeyPair('RS256', { extractable: true });
    const jwk: JWK = { ...(await exportJWK(privateKey)), kid: 'one', alg: 'RS256', use: 'sig' };
    const resource = { scope: 'openid email profile groups', audience: AUDIENCE, accessTokenTTL: 600, accessTokenFormat: settings.accessTokens ?? 'jwt' };
    const provider = new Provider(issuer, {
      clients: [
        {
          client_id: CLIENT_ID,
          client_secret: CLIENT_SECRET,
          redirect_uris: settings.redirectUris,
          grant_types: ['authorization_code', 'client_credentials', 'password'],
          response_types: ['code'],
        },
        { client_id: 'somebody-else', client_secret: 'x', redirect_uris: ['https://else.example/cb'], grant_types: ['client_credentials'], response_types: [] },
      ],
      jwks: { keys: [jwk] },
      cookies: { keys: ['for tests'] },
      claims: { openid: ['sub'], email: ['email'], profile: ['name'], groups: ['groups', 'odd;claim'] },
      scopes: ['openid', 'email', 'profile', 'groups', 'offline_access'],
      conformIdTokenClaims: false,
      findAccount: (_ctx: unknown, id: string) => ({ accountId: id, claims: () => ({ sub: id, ...PEOPLE[id] }) }),
      features: {
        devInteractions: { enabled: true },
        introspection: { enabled: true },
        clientCredentials: { enabled: true },
        resourceIndicators: {
          enabled: settings.accessTokens !== 'opaque',
          defaultResource: () => AUDIENCE,
          getResourceServerInfo: () => resource,
          useGrantedResource: () => true,
        },
      },
      extraTokenClaims: (_ctx: unknown, token: { accountId?: string }) => (token.accountId === undefined ? {} : PEOPLE[token.accountId]),
      ttl: { AccessToken: 600, ClientCredentials: 600 },
    });
    // the grant that v3oidcpassword uses; the provider leaves it to whoever wants it
    provider.registerGrantType(
      'password',
      async (ctx) => {
        const { username = '', password } = ctx.oidc.params;
        if (!PEOPLE[username] || password !== `${username}-secret`) {
          ctx.status = 400;
          ctx.body = { error: 'invalid_grant' };
          return;
        }
        const grant = new provider.Grant({ accountId: username, clientId: ctx.oidc.client.clientId });
        grant.addOIDCScope(resource.scope);
        const of = { accountId: username, client: ctx.oidc.client, grantId: await grant.save(), gty: 'password', scope: resource.scope };
        const token = new provider.AccessToken(of);
        if (settings.accessTokens !== 'opaque') token.resourceServer = new provider.ResourceServer(AUDIENCE, resource);
        ctx.body = { access_token: await token.save(), token_type: 'Bearer', expires_in: 600 };
      },
      ['username', 'password', 'scope'],
    );
    provider.on('server_error', (_ctx, error) => console.error(error));
    const callback = provider.callback();
    const idp = new OidcIdp({ server, issuer, privateKey, jwk });
    server.on('request', (request, response) => {
      idp.asked.push(request.url ?? '');
      callback(request, response);
    });
    return idp;
  }

  /** A token by a grant that needs no browser. */
  async token(
    form: Readonly<Record<string, string>>,
    client: { readonly id: string; readonly secret: string } = { id: CLIENT_ID, secret: CLIENT_SECRET },
  ): Promise<string> {
    const authorization = `Basic ${Buffer.from(`${encodeURIComponent(client.id)}:${encodeURIComponent(client.secret)}`).toString('base64')}`;
    const response = await fetch(`${this.issuer}/token`, { method: 'POST', headers: { authorization }, body: new URLSearchParams(form) });
    const body = (await response.json()) as { access_token?: string };
    if (body.access_token === undefined) throw new Error(`no token: ${JSON.stringify(body)}`);
    return body.access_token;
  }

  /** A JWT with the provider's own key (or another), saying whatever the test wants. */
  async forge(
    claims: Readonly<Record<string, unknown>>,
    options: { readonly key?: CryptoKey; readonly kid?: string; readonly alg?: string } = {},
  ): Promise<string> {
    const nowSec = Math.floor(Date.now() / 1000);
    return await new SignJWT({ iss: this.issuer, aud: AUDIENCE, sub: 'ann', iat: nowSec, exp: nowSec + 300, ...claims })
      .setProtectedHeader({ alg: options.alg ?? 'RS256', kid: options.kid ?? 'one' })
      .sign(options.key ?? this.#privateKey);
  }

  /** The provider's public key, for attacks with it. */
  publicKey(): JWK {
    const { n, e, kty } = this.#jwk;
    return { kty, n, e } as JWK;
  }

  /** Logs somebody in where a browser was sent to, and says yes to everything; ends at the first address outside of the provider, not asked yet. */
  async logIn(browser: Browser, location: string, login: string): Promise<string> {
    let at = location;
    for (let steps = 0; steps < 20; steps++) {
      if (new URL(at).origin !== this.issuer) return at;
      const response = await browser.request(at);
      const text = await response.text();
      let next = response.headers.get('location');
      if (response.status === 200) {
        const action = /action="([^"]+)"/.exec(text)?.[1];
        const prompt = /name="prompt" value="([^"]+)"/.exec(text)?.[1];
        if (!action || !prompt) throw new Error(`no form at ${at}: ${text.slice(0, 300)}`);
        const sent = await browser.request(new URL(action, at).href, { form: { prompt, login, password: 'any' } });
        await sent.arrayBuffer();
        next = sent.headers.get('location');
      }
      if (next === null) throw new Error(`nowhere to go from ${at}: ${response.status} ${text.slice(0, 300)}`);
      at = new URL(next, at).href;
    }
    throw new Error('the log-in has no end');
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
