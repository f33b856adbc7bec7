import type { PortLogSpec, PortSpec } from '../../interface/fabric.ts';
import { identifier } from '../names.ts';
import type { Chain, ObjectModel, SetModel } from '../ruleset/model.ts';
import type { FabricView } from '../objects.ts';
import { type Direction, groupChain, MATCHED, type Policy, ruleMatches } from './security-group.ts';

/**
 * What security groups let through or drop, said to whoever listens (kernel/packet-log.ts). A packet is told of with the mark of its port and
 * a prefix of what became of it: `ACCEPT ingress GROUP`, `DROP egress`. Which ports are logged is in sets, so that ports of one policy share
 * its chains whether they are logged or not. Of a connection that is allowed its first packet is told, of what is dropped every packet; in all
 * not more than the limit, which is the host's as a whole.
 */
export const LOG_GROUP = 100;
/** neutron.conf: network_log.rate_limit and burst_limit. */
const LIMIT = 'rate 100/second burst 25 packets';
const LIMIT_NAME = 'network_log';
/** As much of a packet as its headers take. */
const SNAP_BYTES = 128;
/** The part of a packet's mark that names its port (memory.ts). */
export const PORT_MASK = 0x00ff_ffff;

const MASKED = `meta mark and 0x${PORT_MASK.toString(16).padStart(8, '0')}`;

export const hasAccepts = (log: PortLogSpec): boolean => log.event !== 'DROP';
export const hasDrops = (log: PortLogSpec): boolean => log.event !== 'ACCEPT';

/** What is to be told of the ports of one policy. */
export interface PolicyLogs {
  readonly drops: boolean;
  readonly accepts: boolean;
  /** Groups of which what they let through is told. */
  readonly groups: ReadonlySet<string>;
}

const NOTHING: PolicyLogs = { drops: false, accepts: false, groups: new Set() };

export class LogPlan {
  readonly #ofPolicy = new Map<string, { drops: boolean; accepts: boolean; groups: Set<string> }>();
  readonly #drops = new Map<string, string>();
  readonly #accepts = new Map<string, string>();
  readonly #byGroup = new Map<string, Map<string, string>>();

  /** Takes the logs of a port in; `mark` is its number. */
  add(port: PortSpec, policy: Policy, mark: string): void {
    if (!port.logs?.length) return;
    let known = this.#ofPolicy.get(policy.name);
    if (!known) this.#ofPolicy.set(policy.name, (known = { drops: false, accepts: false, groups: new Set() }));
    if (port.logs.some(hasDrops)) {
      known.drops = true;
      this.#drops.set(mark, '');
    }
    for (const log of port.logs.filter(hasAccepts)) {
      // without connections nobody knows which packet is the first, nor that a packet was allowed once it was
      const groups = log.groupId === undefined ? (policy.stateful ? [] : policy.groupIds) : policy.groupIds.filter((id) => id === log.groupId);
      if (log.groupId === undefined && policy.stateful) {
        known.accepts = true;
        this.#accepts.set(mark, '');
      }
      for (const id of groups) {
        known.groups.add(id);
        const marks = this.#byGroup.get(id);
        if (marks) marks.set(mark, '');
        else this.#byGroup.set(id, new Map([[mark, '']]));
      }
    }
  }

  of(policy: Policy): PolicyLogs {
    return this.#ofPolicy.get(policy.name) ?? NOTHING;
  }

  get objects(): ReadonlyMap<string, ObjectModel> {
    return new Map(this.#ofPolicy.size === 0 ? [] : [[LIMIT_NAME, { kind: 'limit', declaration: LIMIT }]]);
  }

  get sets(): ReadonlyMap<string, SetModel> {
    const sets = new Map<string, SetModel>();
    const set = (name: string, elements: ReadonlyMap<string, string>): void => {
      if (elements.size > 0) sets.set(name, { kind: 'set', declaration: 'type mark', elements });
    };
    set('log_drop', this.#drops);
    set('log_accept', this.#accepts);
    for (const [id, marks] of this.#byGroup) set(`la_${identifier(id)}`, marks);
    return sets;
  }

  /** Adds the chains that tell. */
  addChains(view: Pick<FabricView, 'groups'>, policies: Iterable<Policy>, chains: Map<string, Chain>): void {
    for (const direction of ['ingress', 'egress'] as const) {
      if (this.#drops.size > 0) chains.set(`log_drop_${direction}`, { rules: [tell(`DROP ${direction}`)] });
      if (this.#accepts.size > 0) chains.set(`log_accept_${direction}`, { rules: [tell(`ACCEPT ${direction}`)] });
    }
    for (const policy of policies) {
      for (const id of this.of(policy).groups) {
        for (const direction of ['ingress', 'egress'] as const) {
          const rules = (view.groups.get(id)?.rules ?? []).filter((rule) => rule.direction === direction);
          const told = ruleMatches(rules, direction, policy.stateful).map((match) => `${match} ${tell(`ACCEPT ${direction} ${id}`)} return`);
          chains.set(tellingChain(id, direction, policy.stateful), { rules: told });
        }
      }
    }
  }

  /** Rules of a policy's chain: before it drops what no group has allowed, and where it accepts (without connections: where it asks). */
  rulesOf(policy: Policy, direction: Direction): { readonly drops: readonly string[]; readonly accepts: readonly string[] } {
    const { drops, accepts, groups } = this.of(policy);
    const first = policy.stateful ? 'ct state new ' : '';
    const unmatched = policy.stateful ? `meta mark and ${MATCHED} == 0x0 ` : '';
    return {
      drops: drops ? [`${unmatched}${MASKED} @log_drop jump log_drop_${direction}`] : [],
      accepts: [
        ...(accepts ? [`${first}${MASKED} @log_accept jump log_accept_${direction}`] : []),
        ...policy.groupIds
          .filter((id) => groups.has(id))
          .map((id) => `${first}${MASKED} @la_${identifier(id)} jump ${tellingChain(id, direction, policy.stateful)}`),
      ],
    };
  }
}

const tellingChain = (groupId: string, direction: Direction, stateful: boolean): string => `log_${groupChain(groupId, direction, stateful)}`;

const tell = (prefix: string): string => `limit name "${LIMIT_NAME}" log prefix "${prefix}" group ${LOG_GROUP} snaplen ${SNAP_BYTES}`;
