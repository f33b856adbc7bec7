import { randomBytes } from 'node:crypto';
import { sign } from '../oauth1/signature.ts';

/** An OAuth1 consumer or token with its secret. */
export interface OAuthKey {
  readonly id: string;
  readonly secret: string;
}

/** The Authorization header of a POST that a client with these secrets signs. */
export function oauthHeaders(
  url: string,
  signers: { readonly consumer: OAuthKey; readonly token?: OAuthKey | undefined },
  more: Readonly<Record<string, string>> = {},
  nowMs = Date.now(),
): Record<string, string> {
  const { consumer, token } = signers;
  const params: [string, string][] = Object.entries({
    oauth_nonce: String(randomBytes(4).readUInt32BE()),
    oauth_timestamp: String(Math.floor(nowMs / 1000)),
    oauth_version: '1.0',
    oauth_signature_method: 'HMAC-SHA1',
    oauth_consumer_key: consumer.id,
    ...(token && { oauth_token: token.id }),
    ...more,
  });
  const signature = sign('HMAC-SHA1', { method: 'POST', url, params }, consumer.secret, token?.secret) ?? '';
  const text = [...params, ['oauth_signature', signature]].map(([key, value]) => `${key}="${encodeURIComponent(value ?? '')}"`).join(', ');
  return { authorization: `OAuth ${text}` };
}

export const oauthKeyOf = (form: string): OAuthKey => {
  const fields = new URLSearchParams(form);
  return { id: fields.get('oauth_token') ?? '', secret: fields.get('oauth_token_secret') ?? '' };
};
