import { endpointNotFound, notFoundText, policyAssociationNotFound, policyNotFound, regionNotFound, serviceNotFound } from '../errors.ts';
import type { Db } from '@cairn/kit/store/store';
import { findEndpoint, findRegion, findService, listEndpoints, regionsBelow } from '../store/catalog.ts';
import { findPolicy } from '../store/policies.ts';
import * as store from '../store/policy-associations.ts';
import type { EndpointTable, PolicyAssociationTable } from '../store/tables.ts';
import { type Endpoint, endpointModel } from './catalog.ts';
import type { Core } from './core.ts';
import type { Policies, PolicyDocument } from './policies.ts';

/** An endpoint, a service everywhere, or a service in a region and the regions below it. */
export type PolicyTarget = { readonly endpointId: string } | { readonly serviceId: string; readonly regionId?: string };

export type EndpointPolicies = ReturnType<typeof createEndpointPolicies>;

const keyOf = (target: PolicyTarget): store.AssociationKey =>
  'endpointId' in target
    ? { endpoint_id: target.endpointId, service_id: '', region_id: '' }
    : { endpoint_id: '', service_id: target.serviceId, region_id: target.regionId ?? '' };

/** OS-ENDPOINT-POLICY: which policy document holds for which endpoint (keystone/endpoint_policy). */
export function createEndpointPolicies(core: Core, parts: { readonly policies: Policies }) {
  const { env } = core;
  const { read } = env.store;

  async function checkParts(db: Db, policyId: string, target: PolicyTarget): Promise<void> {
    if (!(await findPolicy(db, policyId))) throw policyNotFound(policyId);
    if ('endpointId' in target) {
      if (!(await findEndpoint(db, target.endpointId))) throw endpointNotFound(target.endpointId);
      return;
    }
    if (!(await findService(db, target.serviceId))) throw serviceNotFound(target.serviceId);
    if (target.regionId !== undefined && !(await findRegion(db, target.regionId))) throw regionNotFound(target.regionId);
  }

  async function endpointsOf(policyId: string): Promise<Endpoint[]> {
    if (!(await findPolicy(read, policyId))) throw policyNotFound(policyId);
    const all = await listEndpoints(read, []);
    const found: EndpointTable[] = [];
    for (const row of await store.associationsOfPolicy(read, policyId)) found.push(...(await reached(row, all)));
    return found.map(endpointModel);
  }

  async function reached(row: PolicyAssociationTable, all: readonly EndpointTable[]): Promise<EndpointTable[]> {
    if (row.endpoint_id) return all.filter((endpoint) => endpoint.id === row.endpoint_id);
    const ofService = all.filter((endpoint) => endpoint.service_id === row.service_id);
    if (!row.region_id) return ofService;
    const regions = [row.region_id, ...(await regionsBelow(read, row.region_id))];
    return ofService.filter((endpoint) => endpoint.region_id !== null && regions.includes(endpoint.region_id));
  }

  /** The nearest: the endpoint's own, else the service's in the region or one above, else the service's. */
  async function policyIdOf(endpoint: EndpointTable): Promise<string | undefined> {
    const own = await store.policyIdOf(read, keyOf({ endpointId: endpoint.id }));
    if (own !== undefined) return own;
    const seen = new Set<string>();
    for (let at = endpoint.region_id; at !== null && !seen.has(at); at = (await findRegion(read, at))?.parent_region_id ?? null) {
      seen.add(at);
      const found = await store.policyIdOf(read, keyOf({ serviceId: endpoint.service_id, regionId: at }));
      if (found !== undefined) return found;
    }
    return await store.policyIdOf(read, keyOf({ serviceId: endpoint.service_id }));
  }

  return {
    endpointsOf,
    async associate(policyId: string, target: PolicyTarget): Promise<void> {
      await env.store.write(async (tx) => {
        await checkParts(tx, policyId, target);
        await store.putAssociation(tx, { ...keyOf(target), policy_id: policyId });
      });
    },
    async check(policyId: string, target: PolicyTarget): Promise<void> {
      await checkParts(read, policyId, target);
      if ((await store.policyIdOf(read, keyOf(target))) !== policyId) throw policyAssociationNotFound();
    },
    async dissociate(policyId: string, target: PolicyTarget): Promise<void> {
      await env.store.write(async (tx) => {
        await checkParts(tx, policyId, target);
        await store.deleteAssociation(tx, { ...keyOf(target), policy_id: policyId });
      });
    },
    async policyFor(endpointId: string): Promise<PolicyDocument> {
      const endpoint = await findEndpoint(read, endpointId);
      if (!endpoint) throw endpointNotFound(endpointId);
      const policyId = await policyIdOf(endpoint);
      if (policyId === undefined) throw notFoundText(`No policy is associated with endpoint ${endpointId}.`);
      return await parts.policies.get(policyId);
    },
  };
}
