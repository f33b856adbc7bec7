import { createHash, timingSafeEqual } from 'node:crypto';
import { notFoundText, unauthenticated } from '../errors.ts';
import { type SignedRequest, s3SignatureOf, signatureOf } from '../ec2/signature.ts';
import type { ApplicationCredentials } from './application-credentials.ts';
import type { Core } from './core.ts';
import type { Credential, Credentials } from './credentials.ts';
import type { Lookups } from './lookups.ts';
import type { OAuth1 } from './oauth1.ts';
import type { Token, Tokens } from './tokens.ts';
import type { Trusts } from './trusts.ts';

interface Parts {
  readonly lookups: Lookups;
  readonly credentials: Credentials;
  readonly trusts: Trusts;
  readonly applicationCredentials: ApplicationCredentials;
  readonly oauth1: OAuth1;
  readonly tokens: Tokens;
}

/** What is inside an EC2 credential. */
interface Ec2Blob {
  readonly access?: unknown;
  readonly secret?: unknown;
  readonly trust_id?: unknown;
  readonly app_cred_id?: unknown;
  readonly access_token_id?: unknown;
}

/** How a token tells that an access key got it. */
export const EC2_METHOD = 'ec2credential';

/** The id of an EC2 credential is the hash of its access key. */
export const ec2CredentialId = (access: string): string => createHash('sha256').update(access).digest('hex');

const idOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** True for equal texts, in a time that does not tell where they differ. */
function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** POST /v3/ec2tokens and /v3/s3tokens: a token for whoever signed a request with an access key (keystone/api/_shared/EC2_S3_Resource.py). */
export function createEc2Tokens(core: Core, parts: Parts) {
  const { env, options } = core;
  const { lookups, tokens } = parts;

  async function credentialOf(access: string): Promise<{ credential: Credential; blob: Ec2Blob; secret: string }> {
    const credential = await parts.credentials.find(ec2CredentialId(access));
    const blob = credential?.type === 'ec2' ? blobOf(credential.blob) : undefined;
    if (!credential || !blob) throw notFoundText('EC2 access key not found.');
    if (typeof blob.secret !== 'string') throw unauthenticated(`credential ${credential.id} has no secret`);
    return { credential, blob, secret: blob.secret };
  }

  function checkTime(timestamp: unknown): void {
    // what signs no time does so on purpose
    if (timestamp === undefined || timestamp === null || timestamp === '') return;
    const ms = timeOf(String(timestamp));
    if (ms === undefined) throw unauthenticated('Credential timestamp is invalid');
    if (env.clock.nowMs() > ms + options.ec2SignatureLifetimeSec * 1000) throw unauthenticated('Credential is expired');
  }

  /** The token, with every limit of the delegation that the access key was made under (OSSA-2020-003, -004, -2026-005). */
  async function tokenOf(credential: Credential, blob: Ec2Blob, timestamp: unknown): Promise<Token> {
    await core.changes.sync();
    const project = credential.projectId === null ? undefined : await lookups.projectById(credential.projectId);
    if (!project || project.is_domain) throw notFoundText(`Could not find project: ${credential.projectId}.`);
    const user = (await lookups.userById(credential.userId))?.user;
    if (!user) throw notFoundText(`Could not find user: ${credential.userId}.`);
    const domains = await Promise.all([user.domainId, project.domain_id].map((id) => lookups.projectById(id)));
    if (!user.enabled || !project.enabled || !domains.every((domain) => domain?.enabled)) throw unauthenticated('user, project or domain is disabled');
    checkTime(timestamp);
    const common = { methods: [EC2_METHOD], projectId: project.id };
    const [trustId, applicationCredentialId, accessTokenId] = [blob.trust_id, blob.app_cred_id, blob.access_token_id].map(idOf);
    if (trustId !== undefined) {
      const trust = await parts.trusts.get(trustId);
      if (trust.projectId !== project.id) throw unauthenticated('EC2 credential project does not match the trust project.');
      // with impersonation the key was made in the name of the trustor; the trust's token is the trustee's
      return await tokens.issue({ ...common, trustId, userId: trust.impersonation ? trust.trusteeUserId : user.id });
    }
    if (applicationCredentialId !== undefined) {
      const application = await parts.applicationCredentials.get(applicationCredentialId);
      if (application.projectId !== project.id) throw unauthenticated('EC2 credential project does not match the application credential project.');
      if (application.expiresAtUs !== null && env.clock.nowMs() * 1000 >= application.expiresAtUs)
        throw unauthenticated('the application credential is expired');
      if (application.userId !== user.id) throw unauthenticated('EC2 credential and application credential belong to different users');
      return await tokens.issue({ ...common, applicationCredentialId, userId: user.id });
    }
    if (accessTokenId !== undefined) {
      const access = await parts.oauth1.accessToken(accessTokenId);
      if (access.projectId !== project.id) throw unauthenticated('EC2 credential project does not match the OAuth1 access token project.');
      return await tokens.issue({ ...common, accessTokenId, userId: user.id });
    }
    return await tokens.issue({ ...common, userId: user.id });
  }

  return {
    /** Checks the signature under a request that an EC2 service describes. */
    async ec2(access: string, signature: string | undefined, request: SignedRequest): Promise<Token> {
      const { credential, blob, secret } = await credentialOf(access);
      if (!signature) throw unauthenticated('EC2 signature not supplied.');
      // some clients sign the host without its port
      const hosts = request.host.includes(':') ? [request.host, request.host.replace(/:\d*$/, '').toLowerCase()] : [request.host];
      const holds = hosts.some((host) => sameText(signatureOf(secret, { ...request, host }) ?? '', signature));
      if (!holds) throw unauthenticated('Invalid EC2 signature.');
      return await tokenOf(credential, blob, request.params.Timestamp || request.headers['X-Amz-Date'] || request.params['X-Amz-Date']);
    },

    /** Checks the signature under the text that an S3 service made from a request. */
    async s3(access: string, signature: string | undefined, toSign: Buffer, timestamp: unknown): Promise<Token> {
      const { credential, blob, secret } = await credentialOf(access);
      if (!sameText(s3SignatureOf(secret, toSign) ?? '', signature ?? '') || !signature) throw unauthenticated('Credential signature mismatch');
      return await tokenOf(credential, blob, timestamp);
    },
  };
}

function blobOf(text: string): Ec2Blob | undefined {
  try {
    const blob: unknown = JSON.parse(text);
    return blob !== null && typeof blob === 'object' && !Array.isArray(blob) ? blob : undefined;
  } catch {
    return undefined;
  }
}

const BASIC = /^(\d{4})-?(\d\d)-?(\d\d)[T ](\d\d):?(\d\d):?(\d\d)(?:[.,]\d+)?(Z|[+-]\d\d:?\d\d)?$/i;

/** ISO 8601 with or without separators; without a zone it is UTC. */
function timeOf(text: string): number | undefined {
  const parts = BASIC.exec(text.trim());
  if (!parts) return undefined;
  const [, year, month, day, hour, minute, second, zone = 'Z'] = parts;
  const ms = Date.parse(
    `${year}-${month}-${day}T${hour}:${minute}:${second}${zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone.toUpperCase()}`,
  );
  return Number.isNaN(ms) ? undefined : ms;
}
