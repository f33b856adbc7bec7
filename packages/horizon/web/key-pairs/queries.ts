import { queryOptions } from '@tanstack/react-query';
import { api } from '../api/client.ts';

export interface KeyPair {
  readonly name: string;
  readonly fingerprint: string;
  readonly type: string;
  readonly public_key: string;
}

export const keyPairsQuery = queryOptions({
  queryKey: ['keypairs'],
  queryFn: async ({ signal }) =>
    (await api<{ keypairs: { keypair: KeyPair }[] }>('compute', '/v2.1/os-keypairs', { signal })).keypairs.map(({ keypair }) => keypair),
});
