import { type Context, isAdmin } from '@cairn/kit/context/context';
import { forbidden, invalidInput, notFound } from '@cairn/kit/errors/errors';
import { isUuidLike } from '@cairn/kit/ids/ids';
import type { NovaDeps } from './deps.ts';
import { type HandOn, handOn } from './inside.ts';
import { cidrOf, type OldRule, openingOf } from './security-group-rules.ts';

interface NeutronRule {
  readonly id: string;
  readonly direction: string;
  readonly security_group_id: string;
  readonly protocol: string | null;
  readonly port_range_min: number | null;
  readonly port_range_max: number | null;
  readonly remote_group_id: string | null;
  readonly remote_ip_prefix: string | null;
}
interface NeutronGroup {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly tenant_id: string;
  readonly security_group_rules?: readonly NeutronRule[];
}

/** A rule as nova-network had it; `group` is of the group that it opens to. */
export interface OldStyleRule {
  readonly id: string;
  readonly parentGroupId: string;
  readonly protocol: string | null;
  readonly fromPort: number | null;
  readonly toPort: number | null;
  readonly cidr: string;
  readonly group: { readonly name: string; readonly projectId: string } | undefined;
}

/** A group as nova-network had it: its ingress rules alone. */
export interface OldStyleGroup {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly projectId: string;
  readonly rules: readonly OldStyleRule[];
}

type Source = { readonly name: string; readonly projectId: string };

/** Neutron's security groups in the dress of nova-network (nova/network/security_group_api.py). */
export class SecurityGroups {
  readonly #deps: NovaDeps;

  constructor(deps: NovaDeps) {
    this.#deps = deps;
  }

  async list(ctx: Context, page: { readonly limit: number; readonly offset: number }, allTenants: boolean): Promise<readonly OldStyleGroup[]> {
    const all = allTenants && isAdmin(ctx);
    const neutron = handOn(this.#deps, ctx, 'neutron');
    const { security_groups: groups } = await neutron('GET', `/v2.0/security-groups${all ? '' : `?tenant_id=${encodeURIComponent(ctx.projectId ?? '')}`}`);
    const shown = (groups as readonly NeutronGroup[]).slice(page.offset, page.offset + page.limit);
    const told = await this.#told(neutron, shown);
    return [...told].toSorted((a, b) => (a.projectId === b.projectId ? compare(a.name, b.name) : compare(a.projectId, b.projectId)));
  }

  async get(ctx: Context, id: string): Promise<OldStyleGroup> {
    const neutron = handOn(this.#deps, ctx, 'neutron');
    return (await this.#told(neutron, [await this.#group(neutron, checkedId(id))]))[0] as OldStyleGroup;
  }

  async create(ctx: Context, name: string, description: string): Promise<OldStyleGroup> {
    const neutron = handOn(this.#deps, ctx, 'neutron');
    const made = await neutron('POST', '/v2.0/security-groups', { security_group: { name, description } }, overQuota);
    return (await this.#told(neutron, [made.security_group as NeutronGroup]))[0] as OldStyleGroup;
  }

  async update(ctx: Context, id: string, name: string, description: string): Promise<OldStyleGroup> {
    const neutron = handOn(this.#deps, ctx, 'neutron');
    await this.#group(neutron, checkedId(id));
    const changed = await neutron('PUT', `/v2.0/security-groups/${id}`, { security_group: { name, description } }, unusable);
    return (await this.#told(neutron, [changed.security_group as NeutronGroup]))[0] as OldStyleGroup;
  }

  async delete(ctx: Context, id: string): Promise<void> {
    await handOn(this.#deps, ctx, 'neutron')('DELETE', `/v2.0/security-groups/${checkedId(id)}`, undefined, unusable);
  }

  async createRule(ctx: Context, rule: OldRule): Promise<OldStyleRule> {
    const neutron = handOn(this.#deps, ctx, 'neutron');
    const parent = await this.#group(neutron, rule.parent_group_id);
    const source = rule.group_id ? await this.#group(neutron, rule.group_id) : undefined;
    const opening = openingOf(rule);
    const known = (await this.#told(neutron, [parent]))[0]?.rules ?? [];
    const same = (each: OldStyleRule): boolean =>
      source === undefined &&
      each.group === undefined &&
      each.cidr === opening.cidr &&
      each.protocol === (opening.protocol ?? null) &&
      each.fromPort === opening.fromPort &&
      each.toPort === opening.toPort;
    if (known.some(same)) throw invalidInput(`This rule already exists in group ${parent.id}`);
    const body = {
      direction: 'ingress',
      ethertype: opening.cidr?.includes(':') ? 'IPv6' : 'IPv4',
      security_group_id: parent.id,
      protocol: opening.protocol?.toLowerCase() ?? null,
      remote_ip_prefix: opening.cidr ?? null,
      remote_group_id: opening.groupId ?? null,
      ...(opening.fromPort !== undefined && opening.fromPort !== -1 && { port_range_min: opening.fromPort }),
      ...(opening.toPort !== undefined && opening.toPort !== -1 && { port_range_max: opening.toPort }),
    };
    const made = await neutron('POST', '/v2.0/security-group-rules', { security_group_rule: body }, overQuota);
    return translated(made.security_group_rule as NeutronRule, source && { name: source.name, projectId: source.tenant_id });
  }

  async deleteRule(ctx: Context, id: string): Promise<void> {
    await handOn(this.#deps, ctx, 'neutron')('DELETE', `/v2.0/security-group-rules/${checkedId(id)}`);
  }

  async #group(neutron: HandOn, id: string): Promise<NeutronGroup> {
    return (await neutron('GET', `/v2.0/security-groups/${encodeURIComponent(id)}`)).security_group as NeutronGroup;
  }

  /** Groups with their rules; rules for groups that are gone or not the caller's to see are passed over. */
  async #told(neutron: HandOn, groups: readonly NeutronGroup[]): Promise<readonly OldStyleGroup[]> {
    const sources = new Map<string, Source>(groups.map((group) => [group.id, { name: group.name, projectId: group.tenant_id }]));
    const ingress = (group: NeutronGroup): readonly NeutronRule[] => (group.security_group_rules ?? []).filter(({ direction }) => direction === 'ingress');
    const missing = new Set(groups.flatMap(ingress).flatMap(({ remote_group_id: id }) => (id === null || sources.has(id) ? [] : [id])));
    if (missing.size > 0) {
      const query = [...missing].map((id) => `id=${encodeURIComponent(id)}`).join('&');
      const found = (await neutron('GET', `/v2.0/security-groups?${query}`)).security_groups as readonly NeutronGroup[];
      for (const group of found) sources.set(group.id, { name: group.name, projectId: group.tenant_id });
    }
    return groups.map((group) => ({
      id: group.id,
      name: group.name,
      description: group.description,
      projectId: group.tenant_id,
      rules: ingress(group).flatMap((rule) => {
        const source = rule.remote_group_id === null ? undefined : sources.get(rule.remote_group_id);
        return rule.remote_group_id !== null && source === undefined ? [] : [translated(rule, source)];
      }),
    }));
  }
}

function translated(rule: NeutronRule, group: Source | undefined): OldStyleRule {
  // a protocol without ports means all of them, which nova-network wrote out
  const whole = rule.protocol !== null && rule.port_range_min === null && rule.port_range_max === null;
  const all = /^(tcp|udp)$/i.test(rule.protocol ?? '') ? [1, 65_535] : [-1, -1];
  return {
    id: rule.id,
    parentGroupId: rule.security_group_id,
    protocol: rule.protocol,
    fromPort: whole ? (all[0] as number) : rule.port_range_min,
    toPort: whole ? (all[1] as number) : rule.port_range_max,
    cidr: cidrOf(rule.remote_ip_prefix),
    group,
  };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function checkedId(id: string): string {
  if (!isUuidLike(id)) throw invalidInput('Security group id should be uuid', { field: 'id' });
  return id;
}

/** Neutron's 409 of a creation is a full quota. */
const overQuota = (status: number, message: string): Error | undefined => (status === 409 ? forbidden(message) : undefined);
/** Its 409 of another change is a bad request here. */
const unusable = (status: number, message: string): Error | undefined =>
  status === 409 ? invalidInput(message) : status === 404 ? notFound(message) : undefined;
