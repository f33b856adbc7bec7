import type { Context } from '@cairn/kit/context/context';
import { isAdmin } from '@cairn/kit/context/context';
import type { Tx } from '@cairn/kit/store/store';
import { toBit } from '@cairn/kit/store/values';
import type { Values } from '../attributes/resource.ts';
import { meteringLabelNotFound, meteringRuleInvalid, meteringRuleNotFound, meteringRuleOverlaps } from '../errors-data-plane.ts';
import { routerKey } from '../fabric/keys.ts';
import { type Cidr, overlaps, parseCidr, writtenText } from '../net/cidr.ts';
import { METERING_LABEL, METERING_RULE } from '../resources/metering.ts';
import { meteringLabelLists, meteringRuleLists, routerIdsOfLabel, rulesOfLabels } from '../store/metering.ts';
import { deleteRowsOf, findRow } from '../store/rows.ts';
import type { MeteringLabelRow, MeteringRuleRow } from '../store/tables-data-plane.ts';
import type { NeutronApp } from './deps.ts';
import { type Kind, verbsOf } from './kinds.ts';

/** What a label counts follows on the routers of its project, or on all of them. */
async function touchRouters(app: NeutronApp, tx: Tx, label: MeteringLabelRow): Promise<void> {
  app.pusher.touch(tx, (await routerIdsOfLabel(tx, label)).map(routerKey));
}

const LABELS: Kind<MeteringLabelRow> = {
  resource: METERING_LABEL,
  lists: meteringLabelLists,
  notFound: meteringLabelNotFound,
  views: (_app, _db, rows) =>
    rows.map(({ id, project_id, name, description, shared }) => ({
      view: { id, project_id, tenant_id: project_id, name, description, shared: shared === 1 },
    })),
  create: ({ app }, values) => ({
    id: app.env.ids.uuid(),
    project_id: String(values.project_id),
    name: String(values.name),
    description: String(values.description),
    shared: toBit(values.shared === true),
  }),
  async remove({ tx }, row) {
    await deleteRowsOf(tx, 'neutron_metering_rule', 'metering_label_id', row.id);
    for (const table of ['neutron_meter_reading', 'neutron_meter_sum']) await deleteRowsOf(tx, table, 'label_id', row.id);
  },
  settle: ({ app, tx }, after, before) => touchRouters(app, tx, (after ?? before) as MeteringLabelRow),
};

const PREFIXES = ['remote_ip_prefix', 'source_ip_prefix', 'destination_ip_prefix'] as const;

const RULES: Kind<MeteringRuleRow> = {
  resource: METERING_RULE,
  lists: meteringRuleLists,
  notFound: meteringRuleNotFound,
  // upstream's rules belong to nobody, so its policy shows them to those alone who see all
  everybodySees: true,
  views: (_app, _db, rows) => rows.map(({ excluded, ...row }) => ({ view: { ...row, excluded: excluded === 1 } })),
  async create({ app, tx, ctx }, values) {
    const [remote, source, destination] = PREFIXES.map((field) => prefixOf(values, field)) as [string | null, string | null, string | null];
    if (remote !== null && (source !== null || destination !== null))
      throw meteringRuleInvalid("Cannot use 'remote-ip-prefix' in conjunction with 'source-ip-prefix' or 'destination-ip-prefix'.");
    if (remote === null && source === null && destination === null)
      throw meteringRuleInvalid(
        "You must define at least one of the following parameters 'remote_ip_prefix', or 'source_ip_prefix' or 'destination_ip_prefix'.",
      );
    const row: MeteringRuleRow = {
      id: app.env.ids.uuid(),
      metering_label_id: String(values.metering_label_id),
      direction: String(values.direction),
      excluded: toBit(values.excluded === true),
      remote_ip_prefix: remote,
      source_ip_prefix: source,
      destination_ip_prefix: destination,
    };
    await requireLabel(tx, ctx, row.metering_label_id);
    if (remote !== null) await refuseOverlap(tx, row, remote);
    return row;
  },
  async settle({ app, tx }, after, before) {
    const label = await findRow<MeteringLabelRow>(tx, 'neutron_metering_label', (after ?? before)?.metering_label_id ?? '');
    if (label) await touchRouters(app, tx, label);
  },
};

export const meteringLabelVerbs = verbsOf(LABELS);
export const meteringRuleVerbs = verbsOf(RULES);

async function requireLabel(tx: Tx, ctx: Context, id: string): Promise<void> {
  const label = await findRow<MeteringLabelRow>(tx, 'neutron_metering_label', id);
  // upstream takes a rule for the label of anybody; a project must not change what another one's label counts
  if (!label || !(isAdmin(ctx) || label.project_id === ctx.projectId)) throw meteringLabelNotFound(id);
}

/** A network in CIDR form, an address alone being a network of its own. */
function prefixOf(values: Values, field: (typeof PREFIXES)[number]): string | null {
  const value = values[field];
  if (value === null || value === undefined || value === '') return null;
  const cidr = typeof value === 'string' ? (parseCidr(value) ?? parseCidr(`${value}/${value.includes(':') ? 128 : 32}`)) : undefined;
  if (!cidr) {
    const text = String(typeof value === 'object' ? JSON.stringify(value) : value);
    throw meteringRuleInvalid(`${field}: ${text} is invalid [${JSON.stringify(text)} does not appear to be an IPv4 or IPv6 interface].`);
  }
  return writtenText(cidr);
}

async function refuseOverlap(tx: Tx, row: MeteringRuleRow, remote: string): Promise<void> {
  const mine = parseCidr(remote) as Cidr;
  for (const other of await rulesOfLabels(tx, [row.metering_label_id])) {
    if (other.direction !== row.direction || other.excluded !== row.excluded || other.remote_ip_prefix === null) continue;
    const theirs = parseCidr(other.remote_ip_prefix) as Cidr;
    if (overlaps(mine, theirs)) throw meteringRuleOverlaps(remote);
  }
}
