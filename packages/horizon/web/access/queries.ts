import { queryOptions } from '@tanstack/react-query';
import { api } from '../api/client.ts';
import type { AccessRule } from './credential.ts';

export interface AppCredential {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly project_id: string;
  readonly expires_at: string | null;
  readonly unrestricted: boolean;
  readonly roles: readonly { readonly name: string }[];
  readonly access_rules?: readonly AccessRule[];
}

export interface Ec2Credential {
  readonly access: string;
  readonly secret: string;
  readonly tenant_id: string;
}

export const appCredentialsPath = (userId: string): string => `/v3/users/${encodeURIComponent(userId)}/application_credentials`;
export const ec2Path = (userId: string): string => `/v3/users/${encodeURIComponent(userId)}/credentials/OS-EC2`;

export const appCredentialsQuery = (userId: string) =>
  queryOptions({
    queryKey: ['application-credentials', userId],
    queryFn: async ({ signal }) =>
      (await api<{ application_credentials: AppCredential[] }>('identity', appCredentialsPath(userId), { signal })).application_credentials,
  });

export const ec2Query = (userId: string) =>
  queryOptions({
    queryKey: ['ec2-credentials', userId],
    queryFn: async ({ signal }) => (await api<{ credentials: Ec2Credential[] }>('identity', ec2Path(userId), { signal })).credentials,
  });
