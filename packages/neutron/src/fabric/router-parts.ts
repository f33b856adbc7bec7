import type { ConntrackHelperSpec, MeterRuleSpec, MeterSpec } from '@cairn/host/interface/fabric';
import type { Db } from '@cairn/kit/store/store';
import { ipVersionOf } from '../net/ip.ts';
import { mustCidr, networkText } from '../net/cidr.ts';
import { helpersOfRouters } from '../store/conntrack-helpers.ts';
import { labelsOfProjects, rulesOfLabels } from '../store/metering.ts';
import type { RouterRow } from '../store/tables.ts';
import type { ConntrackHelperRow, MeteringRuleRow } from '../store/tables-data-plane.ts';

/** What service plugins add to a router's object; nothing for a router that they say nothing of. */
export interface RouterParts {
  readonly conntrackHelpers?: readonly ConntrackHelperSpec[];
  readonly meters?: readonly MeterSpec[];
}

/** Reads the parts of many routers, in a few statements for all. */
export async function loadRouterParts(db: Db, routers: readonly RouterRow[]): Promise<(router: RouterRow) => RouterParts> {
  const ids = routers.map((router) => router.id);
  const helpers = Map.groupBy(await helpersOfRouters(db, ids), (row) => row.router_id);
  const labels = await labelsOfProjects(db, [...new Set(routers.map((router) => router.project_id))]);
  const rules = Map.groupBy(
    await rulesOfLabels(
      db,
      labels.map((label) => label.id),
    ),
    (rule) => rule.metering_label_id,
  );
  return (router) => {
    const own = helpers.get(router.id) ?? [];
    const meters = labels.filter((label) => label.shared === 1 || label.project_id === router.project_id);
    return {
      ...(own.length > 0 && { conntrackHelpers: own.map(helperSpec) }),
      // nothing is counted of a router that leads nowhere
      ...(meters.length > 0 &&
        router.gw_port_id !== null && { meters: meters.map(({ id }) => ({ id, rules: (rules.get(id) ?? []).flatMap(meterRuleSpecs) })) }),
    };
  };
}

const helperSpec = ({ id, helper, protocol, port }: ConntrackHelperRow): ConntrackHelperSpec => ({
  id,
  helper,
  protocol: protocol === 'tcp' ? 'tcp' : 'udp',
  port,
});

/**
 * A remote prefix names addresses inside, whatever its name says: the source of what leaves, the destination of what comes
 * (prepare_source_and_destination_rule_legacy). Rules of IPv6 are kept and count nothing, as upstream's driver has it.
 */
function meterRuleSpecs(row: MeteringRuleRow): readonly MeterRuleSpec[] {
  const direction = row.direction === 'egress' ? 'egress' : 'ingress';
  const source = row.source_ip_prefix ?? (direction === 'egress' ? row.remote_ip_prefix : null);
  const destination = row.destination_ip_prefix ?? (direction === 'ingress' ? row.remote_ip_prefix : null);
  if ([source, destination].some((prefix) => prefix !== null && ipVersionOf(prefix.split('/')[0] ?? '') !== 4)) return [];
  return [
    {
      direction,
      excluded: row.excluded === 1,
      ...(source !== null && { source: networkText(mustCidr(source)) }),
      ...(destination !== null && { destination: networkText(mustCidr(destination)) }),
    },
  ];
}
