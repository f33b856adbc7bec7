import { queryOptions } from '@tanstack/react-query';
import { allOf } from '../api/client.ts';

export interface Flavor {
  readonly id: string;
  readonly name: string;
  readonly vcpus: number;
  /** MiB. */
  readonly ram: number;
  /** GiB. */
  readonly disk: number;
}

/** Smallest first, so that the first one is what a first server takes. */
export const flavorsQuery = queryOptions({
  queryKey: ['flavors'],
  queryFn: async ({ signal }) => (await allOf<Flavor>('compute', '/v2.1/flavors/detail', 'flavors', signal)).sort((a, b) => a.ram - b.ram || a.vcpus - b.vcpus),
  staleTime: 300_000,
});
