import type { Flow, Hop, Path } from '@cairn/host/fabric/path/flow';
import { type Context, isAdmin } from '@cairn/kit/context/context';
import type { Db } from '@cairn/kit/store/store';
import { findNetwork, networkLists } from '../store/networks.ts';
import { findPort } from '../store/ports.ts';
import { findRouter } from '../store/routers.ts';
import { activeHostOf } from '../store/service-hosts.ts';
import { groupLists } from '../store/security-groups.ts';
import { selectOne } from '../store/select.ts';
import type { NetworkRow, PortRow, SecurityGroupRow } from '../store/tables.ts';
import { scopeOf } from './common.ts';
import type { DhcpFact } from './path-dhcp.ts';

/**
 * An explanation as its reader may see it. Stations of other projects are told as one, `other_side`, that passes or refuses: without its
 * rules, addresses or how many stations there are. That much anybody learns who sends a packet.
 */
export async function pathView(
  db: Db,
  ctx: Context,
  path: Path,
  flow: Flow,
  source: PortRow | undefined,
  dhcp: readonly DhcpFact[],
): Promise<Record<string, unknown>> {
  const eyes = new Eyes(db, ctx);
  const hops: Record<string, unknown>[] = [];
  let hidden = false;
  for (const hop of path.hops) {
    const seen = await eyes.see(hop);
    const last = hops.at(-1);
    if (seen) {
      hops.push(await hopView(eyes, hop, seen));
      continue;
    }
    hidden = true;
    const refused = hop.verdict === 'drop' || hop.verdict === 'unknown';
    if (last?.kind === 'other_side') {
      if (refused) Object.assign(last, OTHER_SIDE(hop));
    } else hops.push(OTHER_SIDE(hop));
  }
  const decided = hops.find((hop) => hop.verdict === 'drop') ?? hops.find((hop) => hop.verdict === 'unknown');
  const arrived = path.arrivedAt !== undefined && (await eyes.ownsPort(path.arrivedAt)) ? path.arrivedAt : null;
  return {
    verdict: path.verdict,
    summary: decided ? decided.reason : hidden && path.arrivedAt === undefined ? OTHER_SIDE_PASSES : path.summary,
    summary_code: decided ? decided.reason_code : hidden && path.arrivedAt === undefined ? 'other_side_passes' : path.summaryCode,
    remedy: decided ? decided.remedy : null,
    port_id: source?.id ?? null,
    arrived_at_port_id: arrived,
    protocol: flow.protocol,
    packet: packetView(flow),
    mtu: hidden ? null : (path.mtu ?? null),
    hops,
    dhcp: dhcp
      .filter((fact) => fact.portId === source?.id || fact.portId === arrived)
      .map((fact) => ({
        port_id: fact.portId,
        subnet_id: fact.subnetId,
        ip_address: fact.ip,
        server: fact.server ?? null,
        reason: fact.reason,
        reason_code: fact.code,
      })),
  };
}

const OTHER_SIDE_PASSES = 'It passes what belongs to another project.';

const OTHER_SIDE = ({ leg, verdict }: Hop): Record<string, unknown> => ({
  leg,
  kind: 'other_side',
  object: null,
  host: null,
  verdict: verdict === 'nat' ? 'pass' : verdict,
  reason_code: verdict === 'drop' ? 'other_side_refuses' : verdict === 'unknown' ? 'other_side_unknown' : 'other_side_passes',
  reason:
    verdict === 'drop'
      ? 'The other side refuses: what stops the packet belongs to another project.'
      : verdict === 'unknown'
        ? 'What becomes of the packet is for another project to say.'
        : OTHER_SIDE_PASSES,
  remedy: verdict === 'drop' || verdict === 'unknown' ? 'Ask the owner of the destination.' : null,
  security_groups: [],
  rule: null,
  packet: null,
});

interface Seen {
  readonly name: string | null;
  readonly host: string | null;
}

async function hopView(eyes: Eyes, hop: Hop, seen: Seen): Promise<Record<string, unknown>> {
  const groups = await eyes.groups(hop.groupIds ?? []);
  const mayRead = groups.length === (hop.groupIds ?? []).length;
  const { rule } = hop;
  return {
    leg: hop.leg,
    kind: hop.kind,
    object: { type: hop.object.type, id: hop.object.id, name: seen.name },
    host: seen.host,
    verdict: hop.verdict,
    reason_code: mayRead ? hop.code : hop.verdict === 'drop' ? 'groups_refuse' : 'groups_pass',
    reason: mayRead
      ? hop.reason
      : hop.verdict === 'drop'
        ? 'The security groups of the port refuse; some belong to another project.'
        : 'The groups of the port let it pass.',
    remedy: hop.remedy === undefined || (!mayRead && hop.rule === undefined && hop.kind === 'security_group') ? null : hop.remedy,
    security_groups: groups,
    rule:
      rule === undefined || !mayRead
        ? null
        : {
            id: rule.id,
            direction: rule.direction,
            ethertype: rule.ethertype,
            protocol: rule.protocol ?? null,
            port_range_min: rule.portMin ?? null,
            port_range_max: rule.portMax ?? null,
            remote_ip_prefix: rule.remoteCidr ?? null,
            remote_group_id: rule.remoteGroupId ?? null,
          },
    packet: packetView(hop.flow),
  };
}

const packetView = (flow: Flow): Record<string, unknown> => ({
  source_ip: flow.source,
  destination_ip: flow.destination,
  source_port: flow.sourcePort ?? null,
  destination_port: flow.destinationPort ?? null,
});

/** What the caller may see of what is on the way. Hosts are for admins, as with bindings of ports. */
class Eyes {
  readonly #db: Db;
  readonly #ctx: Context;

  constructor(db: Db, ctx: Context) {
    this.#db = db;
    this.#ctx = ctx;
  }

  #owns = (row: { readonly project_id: string } | undefined): boolean =>
    row !== undefined && (scopeOf(this.#ctx).projectId === undefined || row.project_id === this.#ctx.projectId);

  ownsPort = async (id: string): Promise<boolean> => this.#owns(await findPort(this.#db, id));

  /** Undefined for what is another project's. */
  async see({ object }: Hop): Promise<Seen | undefined> {
    const tells = isAdmin(this.#ctx);
    if (object.type === 'network') {
      const scope = scopeOf(this.#ctx);
      const row =
        scope.projectId === undefined ? await findNetwork(this.#db, object.id) : await selectOne<NetworkRow>(this.#db, networkLists, object.id, scope);
      return row && { name: row.name, host: null };
    }
    if (object.type === 'router') {
      const row = await findRouter(this.#db, object.id);
      return this.#owns(row) && row ? { name: row.name, host: tells ? ((await activeHostOf(this.#db, row.id)) ?? null) : null } : undefined;
    }
    const row = await findPort(this.#db, object.id);
    return this.#owns(row) && row ? { name: row.name, host: tells && row.binding_host !== '' ? row.binding_host : null } : undefined;
  }

  async groups(ids: readonly string[]): Promise<{ readonly id: string; readonly name: string }[]> {
    const rows = await Promise.all(ids.map((id) => selectOne<SecurityGroupRow>(this.#db, groupLists, id, scopeOf(this.#ctx))));
    return rows.flatMap((row) => (row ? [{ id: row.id, name: row.name }] : []));
  }
}
