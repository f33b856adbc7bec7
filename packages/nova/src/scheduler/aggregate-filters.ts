import { matchesSpec } from './extra-spec-match.ts';
import type { HostFilter, HostState } from './filters.ts';

/** What the host's aggregates say under a key, commas split. */
export const aggregateValues = (host: HostState, key: string): readonly string[] =>
  host.aggregates.flatMap(({ metadata }) => {
    const value = metadata[key];
    return value === undefined ? [] : value.split(',').map((part) => part.trim());
  });

/** The least number that the host's aggregates say under a key; the cloud's own where they say none. */
export function aggregateNumber(host: HostState, key: string, otherwise: number): number {
  const numbers = aggregateValues(host, key)
    .map(Number)
    .filter((value) => Number.isFinite(value));
  return numbers.length === 0 ? otherwise : Math.min(...numbers);
}

const SCOPE = 'aggregate_instance_extra_specs:';

/** Filters by what an operator writes into the metadata of aggregates (nova/scheduler/filters/aggregate_*.py, *_filter.py). */
export const AGGREGATE_FILTERS: readonly HostFilter[] = [
  {
    name: 'AggregateMultiTenancyIsolation',
    passes: (host, request) => {
      const tenants = host.aggregates.flatMap(({ metadata }) =>
        Object.entries(metadata).flatMap(([key, value]) => (key.startsWith('filter_tenant_id') ? value.split(',').map((id) => id.trim()) : [])),
      );
      return tenants.length === 0 || tenants.includes(request.projectId);
    },
    words: () => 'the rest are kept for other projects',
  },
  {
    name: 'AggregateInstanceExtraSpecsFilter',
    passes: (host, request, around) =>
      Object.entries(request.flavor.extraSpecs).every(([name, wanted]) => {
        // a name without a scope counts where an aggregate knows it; it may as well be anything else's
        const key = name.startsWith(SCOPE) ? name.slice(SCOPE.length) : !name.includes(':') && around.aggregateKeys.has(name) ? name : undefined;
        return key === undefined || aggregateValues(host, key).some((value) => matchesSpec(value, wanted));
      }),
    words: () => "the rest are in no aggregate with the metadata that the flavor's extra specs ask for",
  },
  {
    name: 'AggregateImagePropertiesIsolation',
    passes: (host, request) =>
      host.aggregates
        .flatMap(({ metadata }) => Object.keys(metadata))
        .every((key) => {
          const property = request.image.properties[key];
          return property === undefined || property === '' || aggregateValues(host, key).includes(property);
        }),
    words: () => 'the rest are kept for images with other properties',
  },
  {
    name: 'AggregateTypeAffinityFilter',
    passes: (host, request) => {
      const names = aggregateValues(host, 'instance_type');
      return names.length === 0 || names.includes(request.flavor.name);
    },
    words: () => 'the rest are kept for other flavors',
  },
  {
    name: 'IoOpsFilter',
    passes: (host, _request, { scheduler }) => {
      const most = aggregateNumber(host, 'max_io_ops_per_host', scheduler.maxIoOperations);
      return most <= 0 || host.ioOperations < most;
    },
    words: () => 'the rest are making as many servers as they may at once',
  },
  {
    name: 'NumInstancesFilter',
    passes: (host, _request, { scheduler }) => {
      const most = aggregateNumber(host, 'max_instances_per_host', scheduler.maxServers);
      return most <= 0 || host.servers < most;
    },
    words: () => 'the rest have as many servers as they may',
  },
];
