import { queryOptions } from '@tanstack/react-query';
import { type Answer, api, type Row } from '../api/client.ts';

export type AppCredential = Row<'keystone.application_credential.list'>;
export type Ec2Credential = Answer<'keystone.ec2_credential.list'>['credentials'][number];

export const appCredentialsPath = (userId: string): string => `/v3/users/${encodeURIComponent(userId)}/application_credentials`;
export const ec2Path = (userId: string): string => `/v3/users/${encodeURIComponent(userId)}/credentials/OS-EC2`;

export const appCredentialsQuery = (userId: string) =>
  queryOptions({
    queryKey: ['application-credentials', userId],
    queryFn: async ({ signal }) =>
      (await api<'keystone.application_credential.list'>('identity', appCredentialsPath(userId), { signal })).application_credentials,
  });

export const ec2Query = (userId: string) =>
  queryOptions({
    queryKey: ['ec2-credentials', userId],
    queryFn: async ({ signal }) => (await api<'keystone.ec2_credential.list'>('identity', ec2Path(userId), { signal })).credentials,
  });
