import type { AnyOperation } from '@cairn/kit/http/operation';
import { Reply } from '@cairn/kit/http/operation';
import { Type } from 'typebox';
import { invalid, unauthenticated } from '../errors.ts';
import { tokenBody } from './answers/tokens.ts';
import { type AnyRequest, noTarget, op } from './common.ts';
import { object, type Schema } from './schemas.ts';
import { tokenView } from './token-view.ts';

type Described = Readonly<Record<string, unknown>>;

/** What a service says of a request: upstream takes it under any of three names, without a schema. */
const description: Schema = { type: ['object', 'null'] };
const body = Type.Unsafe<Readonly<Record<string, Described | null | undefined>>>(
  object({ credentials: description, credential: description, ec2Credentials: description }),
);

function describedOf(req: AnyRequest): { readonly described: Described; readonly access: string } {
  const said = req.body as Readonly<Record<string, Described | null | undefined>> | undefined;
  if (!said || Object.keys(said).length === 0) throw invalid('request must include a request body', 'credentials');
  const filled = (['credentials', 'credential', 'ec2Credentials'] as const).map((name) => said[name]).find((each) => each && Object.keys(each).length > 0);
  const access = filled?.access;
  if (!filled || access === undefined || access === null) throw unauthenticated('EC2 Signature not supplied');
  return { described: filled, access: String(access) };
}

const textIn = (described: Described, name: string): string => {
  const value = described[name];
  return typeof value === 'string' ? value : '';
};
const objectIn = (described: Described, name: string): Described => {
  const value = described[name];
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Described) : {};
};

/** POST /v3/ec2tokens and /v3/s3tokens: services ask here whether an access key signed a request. Since OSSA-2025-002 only they may. */
export const ec2TokenOperations: readonly AnyOperation[] = [
  op({
    id: 'keystone.ec2_token.create',
    method: 'POST',
    path: '/v3/ec2tokens',
    answer: tokenBody,
    summary: 'Check the signature under an EC2 request and get a token for its sender',
    policy: 'identity:ec2tokens_validate',
    target: noTarget,
    body,
    bodyOptional: true,
    handle: async (app, req) => {
      const { described, access } = describedOf(req);
      const token = await app.ec2Tokens.ec2(access, textIn(described, 'signature') || undefined, {
        verb: textIn(described, 'verb'),
        host: textIn(described, 'host'),
        path: textIn(described, 'path'),
        params: objectIn(described, 'params'),
        headers: objectIn(described, 'headers'),
        bodyHash: textIn(described, 'body_hash'),
      });
      return new Reply(await tokenView(app, token, true), { headers: { 'X-Subject-Token': token.id } });
    },
  }),
  op({
    id: 'keystone.s3_token.create',
    method: 'POST',
    path: '/v3/s3tokens',
    answer: tokenBody,
    summary: 'Check the signature under an S3 request and show who sent it',
    policy: 'identity:s3tokens_validate',
    target: noTarget,
    body,
    bodyOptional: true,
    handle: async (app, req) => {
      const { described, access } = describedOf(req);
      const toSign = Buffer.from(textIn(described, 'token'), 'base64url');
      const timestamp = objectIn(described, 'params').Timestamp || objectIn(described, 'headers')['X-Amz-Date'] || objectIn(described, 'params')['X-Amz-Date'];
      const token = await app.ec2Tokens.s3(access, textIn(described, 'signature') || undefined, toSign, timestamp);
      // the token itself is not given away, only what it says
      return await tokenView(app, token, true);
    },
  }),
];
