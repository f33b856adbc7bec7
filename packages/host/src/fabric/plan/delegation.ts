import type { RouterSpec } from '../../interface/fabric.ts';
import type { DelegationPlan } from '../delegation/keeper.ts';
import { gatewayLinkName } from '../names.ts';

/** What a router asks the provider beyond its first gateway for. A part of one asks for nothing. */
export function delegationOf({ id, isPart, gateway, prefixDelegation = [] }: RouterSpec): DelegationPlan | 'elsewhere' | undefined {
  if (isPart) return 'elsewhere';
  if (!gateway || prefixDelegation.length === 0) return undefined;
  return { routerId: id, link: gatewayLinkName(id), way: `${gateway.networkId} ${gateway.mac}`, subnets: prefixDelegation };
}
