import { type AnyOperation, ANYONE, Reply } from '@cairn/kit/http/operation';
import { isCairnError } from '@cairn/kit/errors/errors';
import Type from 'typebox';
import { type AnyRequest, callOf, op, v3 } from './common.ts';
import { readForm } from './forms.ts';

/** RFC 6749 errors in upstream's names (keystone/oauth2/handlers.py). */
const fault = (req: AnyRequest, status: number, error: string, description: string): Reply =>
  new Reply({ error, error_description: description }, { status, headers: status === 401 ? { 'WWW-Authenticate': `Keystone uri="${v3(req)}"` } : {} });

const LIMIT_BYTES = 64 * 1024;
const FAILED = 'Client authentication failed.';

/** Id and secret of the client: HTTP basic, or else the form. */
function clientOf(req: AnyRequest, form: URLSearchParams): { readonly id: string; readonly secret: string } {
  const basic = /^basic\s+([A-Za-z0-9+/=_-]+)\s*$/i.exec(String(req.headers.authorization ?? ''))?.[1];
  const text = basic === undefined ? '' : Buffer.from(basic, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon >= 0) return { id: text.slice(0, colon), secret: text.slice(colon + 1) };
  return { id: form.get('client_id') ?? '', secret: form.get('client_secret') ?? '' };
}

/**
 * /v3/OS-OAUTH2/token: an application credential as OAuth2 client (keystone/api/os_oauth2.py). Certificates as client proof (RFC 8705) need TLS
 * at the listener, which there is none of: what a proxy says of certificates is not believed.
 */
export const oauth2Operations: readonly AnyOperation[] = [
  op({
    id: 'keystone.oauth2.token',
    method: 'POST',
    path: '/v3/OS-OAUTH2/token',
    answer: Type.Object({ access_token: Type.String(), token_type: Type.Literal('Bearer'), expires_in: Type.Integer() }),
    summary: 'Get an OAuth 2.0 access token for an application credential',
    policy: ANYONE,
    input: 'stream',
    handle: async (app, req) => {
      const form = await readForm(req, LIMIT_BYTES);
      const grantType = form.get('grant_type');
      if (grantType === null) return fault(req, 400, 'invalid_request', 'The parameter grant_type is required.');
      if (grantType !== 'client_credentials') {
        return fault(req, 400, 'unsupported_grant_type', `The parameter grant_type ${grantType.slice(0, 64)} is not supported.`);
      }
      const { id, secret } = clientOf(req, form);
      if (id === '' || secret === '') return fault(req, 401, 'invalid_client', FAILED);
      try {
        const identity = { methods: ['application_credential'], application_credential: { id, secret } };
        const token = await app.auth.authenticate({ identity }, callOf(req));
        return { access_token: token.id, token_type: 'Bearer', expires_in: app.options.tokenLifetimeSec };
      } catch (error) {
        if (!isCairnError(error) || error.status >= 500) throw error;
        if (error.status === 401) return fault(req, 401, 'invalid_client', error.message);
        if (error.status === 400) return fault(req, 400, 'invalid_request', error.message);
        return fault(req, error.status, 'other_error', 'An unknown error occurred and failed to get an OAuth2.0 access token.');
      }
    },
  }),
  ...(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE'] as const).map((method) =>
    op({
      id: `keystone.oauth2.token.${method.toLowerCase()}`,
      method,
      path: '/v3/OS-OAUTH2/token',
      answer: 'none',
      summary: 'Refused: tokens are got by POST',
      policy: ANYONE,
      input: 'none',
      handle: (_app, req) => fault(req, 405, 'other_error', 'The method is not allowed for the requested URL.'),
    }),
  ),
];
