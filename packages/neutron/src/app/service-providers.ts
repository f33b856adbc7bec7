import type { Context } from '@cairn/kit/context/context';
import type { ListInput } from '../listing/query.ts';
import { L3_SERVICE } from '../resources/flavor.ts';
import type { Loaded } from './common.ts';
import type { NeutronApp } from './deps.ts';

/** Who provides a service: a name, the driver that a service profile names, and what its routers must be. */
export interface ServiceProvider {
  readonly name: string;
  readonly driver: string;
  readonly ha: boolean;
  readonly distributed: boolean;
}

const ROOM = 'neutron.services.l3_router.service_providers';

/** Upstream's own kinds of routers (l3_router/service_providers/driver_controller.py), by the names that service profiles know them by. */
const PROVIDERS: readonly ServiceProvider[] = [
  { name: 'dvrha', driver: `${ROOM}.dvrha.DvrHaDriver`, ha: true, distributed: true },
  { name: 'dvr', driver: `${ROOM}.dvr.DvrDriver`, ha: false, distributed: true },
  { name: 'ha', driver: `${ROOM}.ha.HaDriver`, ha: true, distributed: false },
  { name: 'single_node', driver: `${ROOM}.single_node.SingleNodeDriver`, ha: false, distributed: false },
];

export const providerOfDriver = (driver: string): ServiceProvider | undefined => PROVIDERS.find((provider) => provider.driver === driver);

/** Kinds of routers, for those who choose one by its flavor; they are all done by the same hands here. */
export async function listServiceProviders(_app: NeutronApp, _ctx: Context, input: ListInput): Promise<Loaded[]> {
  const all = PROVIDERS.map(({ name }) => ({ view: { service_type: L3_SERVICE, name, default: false } }));
  return all.filter(({ view }) => [...input.filters].every(([field, values]) => values.includes(view[field as keyof typeof view])));
}
