import { queryOptions } from '@tanstack/react-query';
import { allOf, type Row } from '../api/client.ts';

export type Flavor = Row<'nova.flavor.detail'>;

/** Smallest first, so that the first one is what a first server takes. */
export const flavorsQuery = queryOptions({
  queryKey: ['flavors'],
  queryFn: async ({ signal }) =>
    (await allOf<'nova.flavor.detail'>('compute', '/v2.1/flavors/detail', 'flavors', signal)).sort((a, b) => a.ram - b.ram || a.vcpus - b.vcpus),
  staleTime: 300_000,
});
