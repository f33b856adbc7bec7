import { type AnyOperation, ANYONE, Reply } from '@cairn/kit/http/operation';
import { Type } from 'typebox';
import { op } from './common.ts';
import { object, text } from './schemas.ts';

const byId = object({ id: text }, { required: ['id'], closed: true });
const body = Type.Unsafe<{
  readonly auth: { readonly identity: { readonly token: { readonly id: string } }; readonly scope: { readonly service_provider: { readonly id: string } } };
}>(
  object(
    {
      auth: object(
        {
          identity: object({ token: byId, methods: { type: 'array' } }, { required: ['token'], closed: true }),
          scope: object({ service_provider: byId }, { required: ['service_provider'], closed: true }),
        },
        { required: ['identity', 'scope'], closed: true },
      ),
    },
    { required: ['auth'] },
  ),
);

const xml = (content: string, more: Readonly<Record<string, string>> = {}): Reply => new Reply(content, { headers: { 'Content-Type': 'text/xml', ...more } });

/** This keystone as SAML identity provider for others (keystone/api/auth.py, os_federation.py). */
export const k2kOperations: readonly AnyOperation[] = [
  ...(['saml2', 'saml2/ecp'] as const).map((path) =>
    op({
      id: `keystone.federation.${path.replace('/', '_')}`,
      method: 'POST',
      path: `/v3/auth/OS-FEDERATION/${path}`,
      answer: 'stream',
      summary: 'Exchange a token for a SAML assertion for a service provider',
      policy: ANYONE,
      body,
      handle: async (app, req) => {
        const { identity, scope } = req.body.auth;
        const { response, envelope, sp } = await app.k2k.respond(identity.token.id, scope.service_provider.id);
        return xml(path === 'saml2' ? response : envelope, { 'X-sp-url': sp.spUrl, 'X-auth-url': sp.authUrl });
      },
    }),
  ),
  op({
    id: 'keystone.federation.saml2_metadata',
    method: 'GET',
    path: '/v3/OS-FEDERATION/saml2/metadata',
    answer: 'stream',
    summary: 'Show what service providers must know of this identity provider',
    policy: ANYONE,
    handle: (app) => xml(app.k2k.metadata()),
  }),
];
