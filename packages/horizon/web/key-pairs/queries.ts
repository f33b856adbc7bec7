import { queryOptions } from '@tanstack/react-query';
import { type Answer, api } from '../api/client.ts';

export type KeyPair = Answer<'nova.keypair.list'>['keypairs'][number]['keypair'];

export const keyPairsQuery = queryOptions({
  queryKey: ['keypairs'],
  queryFn: async ({ signal }) => (await api<'nova.keypair.list'>('compute', '/v2.1/os-keypairs', { signal })).keypairs.map(({ keypair }) => keypair),
});
