import { type Context, isAdmin, systemContext } from '@cairn/kit/context/context';
import type { Db, Tx } from '@cairn/kit/store/store';
import { authorizeAction } from '../attributes/authorize.ts';
import { prepareCreate } from '../attributes/resource.ts';
import { autoAllocationFailure, badRequest, notAuthorized } from '../errors.ts';
import { NETWORK } from '../resources/network.ts';
import { ROUTER } from '../resources/router.ts';
import { SUBNET } from '../resources/subnet.ts';
import { deleteTopology, findTopology, insertTopology } from '../store/auto-topology.ts';
import { findDefaultExternal, findNetwork } from '../store/networks.ts';
import { findRouter } from '../store/routers.ts';
import { findDefaultPool } from '../store/subnetpools.ts';
import { subnetsOfNetwork } from '../store/subnets.ts';
import type { SubnetPoolRow } from '../store/tables.ts';
import type { NeutronApp } from './deps.ts';
import { createNetworks, deleteNetworkById } from './networks.ts';
import { within } from './one-transaction.ts';
import { addInterface, removeInterface } from './router-interfaces.ts';
import { createRouters, deleteRouterById } from './routers.ts';
import { createSubnets } from './subnets.ts';

/** A network with its way out for a project that has none (neutron/services/auto_allocate/db.py). */

const DRY_RUN = 'dry-run';

interface Topology {
  readonly id: string;
  readonly tenant_id: string;
  readonly project_id: string;
}

const shown = (id: string, projectId: string): Topology => ({ id, tenant_id: projectId, project_id: projectId });

/** What is made for a project is made in it, whatever the caller may do there himself (he may not see the pool, say). */
function actingIn(ctx: Context, projectId: string): Context {
  const { systemScope: _scope, ...self } = systemContext(ctx.requestId);
  return { ...self, projectId };
}

/** The project that a request is about: that of the path (`None`: the token's own). */
function projectOf(app: NeutronApp, ctx: Context, given: string, rule: string): string {
  const projectId = given === 'None' ? (ctx.projectId ?? '') : given;
  if (!isAdmin(ctx) && projectId !== ctx.projectId) throw notAuthorized();
  authorizeAction(app.policy, ctx, rule, { project_id: projectId, tenant_id: projectId });
  return projectId;
}

export async function getTopology(app: NeutronApp, ctx: Context, given: string, fields: readonly string[]): Promise<Topology> {
  const projectId = projectOf(app, ctx, given, 'get_auto_allocated_topology');
  if (fields.includes(DRY_RUN)) {
    await requirements(app.env.store.read);
    return shown('dry-run=pass', projectId);
  }
  if (fields.length > 0) throw badRequest('auto_allocate', 'Unrecognized field');
  const known = await findTopology(app.env.store.read, projectId);
  if (known && (await findNetwork(app.env.store.read, known.network_id))) return shown(known.network_id, projectId);
  return shown(await app.env.store.write((tx) => ensureTopology(app, tx, ctx, projectId)), projectId);
}

/** Whether a topology could be made. Throws AutoAllocationFailure where not. */
export async function requirements(db: Db): Promise<{ externalId: string; pools: readonly SubnetPoolRow[] }> {
  const external = await findDefaultExternal(db);
  if (!external) throw autoAllocationFailure('No default router:external network');
  const pools = [await findDefaultPool(db, 4), await findDefaultPool(db, 6)].filter((pool) => pool !== undefined);
  if (pools.length === 0) throw autoAllocationFailure('No default subnetpools defined');
  return { externalId: external.id, pools };
}

/** The id of the project's own network, made with subnets of the default pools and a router to the default external network where it is missing. */
export async function ensureTopology(app: NeutronApp, tx: Tx, ctx: Context, projectId: string): Promise<string> {
  const known = await findTopology(tx, projectId);
  if (known && (await findNetwork(tx, known.network_id))) return known.network_id;
  if (known) await deleteTopology(tx, projectId);
  const { externalId, pools } = await requirements(tx);
  const inner = within(app, tx);
  const self = actingIn(ctx, projectId);
  const made = async (resource: typeof NETWORK, create: typeof createNetworks, values: Record<string, unknown>): Promise<string> => {
    const { items } = prepareCreate(resource, self, { [resource.name]: { ...values, project_id: projectId } });
    return String((await create(inner, self, items))[0]?.view.id);
  };
  const networkId = await made(NETWORK, createNetworks, { name: 'auto_allocated_network' });
  const routerId = await made(ROUTER, createRouters, { name: 'auto_allocated_router', external_gateway_info: { network_id: externalId } });
  for (const pool of pools) {
    const subnetId = await made(SUBNET, createSubnets, {
      name: `auto_allocated_subnet_v${pool.ip_version}`,
      network_id: networkId,
      ip_version: pool.ip_version,
      subnetpool_id: pool.id,
    });
    await addInterface(inner, self, routerId, { subnet_id: subnetId });
  }
  await insertTopology(tx, { project_id: projectId, network_id: networkId, router_id: routerId });
  return networkId;
}

export async function deleteTopologyOf(app: NeutronApp, ctx: Context, given: string): Promise<void> {
  const projectId = projectOf(app, ctx, given, 'delete_auto_allocated_topology');
  await app.env.store.write(async (tx) => {
    const known = await findTopology(tx, projectId);
    if (!known) return;
    const inner = within(app, tx);
    const self = actingIn(ctx, projectId);
    if (await findRouter(tx, known.router_id)) {
      for (const subnet of await subnetsOfNetwork(tx, known.network_id)) await removeInterface(inner, self, known.router_id, { subnet_id: subnet.id });
      await deleteRouterById(inner, self, known.router_id, undefined);
    }
    if (await findNetwork(tx, known.network_id)) await deleteNetworkById(inner, self, known.network_id, undefined);
    await deleteTopology(tx, projectId);
  });
}
