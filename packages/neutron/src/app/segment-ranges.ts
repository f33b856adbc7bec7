import type { Db } from '@cairn/kit/store/store';
import { fromJson, toBit } from '@cairn/kit/store/values';
import { isSet } from '../attributes/attribute.ts';
import { standardView } from '../attributes/times.ts';
import type { Values } from '../attributes/resource.ts';
import {
  badRequest,
  rangeIsDefault,
  rangeIsUsed,
  rangeOfTypeNotSupported,
  rangesOverlap,
  segmentRangeNotFound,
  tunnelRangeInvalid,
  vlanRangeInvalid,
} from '../errors.ts';
import { insertRow } from '@cairn/kit/store/insert';
import { pyStr } from '../net/python-text.ts';
import { NETWORK_SEGMENT_RANGE } from '../resources/segment.ts';
import { defaultRanges, rangesOfType, segmentRangeLists, usedIds } from '../store/segments.ts';
import { deleteRow } from '../store/rows.ts';
import type { SegmentRangeRow } from '../store/tables.ts';
import { type Loaded, newRow } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { type Kind, sameNamed, verbsOf } from './kinds.ts';
import { isTunnel, MAX_TUNNEL_ID } from './segments.ts';

/** The ranges that ids of new networks are chosen from (neutron/services/network_segment_range). */

/** How many free ids are named: a range of tunnels has 16 million. */
const SHOWN = 10_000;
const MAX_VLAN = 4094;

async function view(db: Db, row: SegmentRangeRow): Promise<Loaded> {
  const used = await usedIds(db, row);
  const taken = new Set(used.map((each) => each.segmentation_id));
  const available: number[] = [];
  for (let id = Number(row.minimum); id <= Number(row.maximum) && available.length < SHOWN; id++) if (!taken.has(id)) available.push(id);
  const project = row.project_id === '' ? null : row.project_id;
  return {
    view: {
      ...standardView(row),
      project_id: project,
      tenant_id: undefined,
      name: row.name,
      default: row.is_default === 1,
      shared: row.shared === 1,
      network_type: row.network_type,
      physical_network: row.physical_network,
      minimum: Number(row.minimum),
      maximum: Number(row.maximum),
      used: Object.fromEntries(used.map((each) => [each.segmentation_id, each.project_id])),
      available,
      tags: fromJson(row.tags_json),
    },
  };
}

function checkBounds(type: string, minimum: number, maximum: number): void {
  if (type === 'vlan') {
    const wrong = [minimum, maximum].find((id) => id < 1 || id > MAX_VLAN);
    if (wrong !== undefined) throw vlanRangeInvalid(minimum, maximum, `${wrong} is not a valid VLAN tag`);
    if (maximum < minimum) throw vlanRangeInvalid(minimum, maximum, 'End of VLAN range is less than start of VLAN range');
    return;
  }
  const wrong = [minimum, maximum].find((id) => id < 1 || id > MAX_TUNNEL_ID);
  if (wrong !== undefined) throw tunnelRangeInvalid(minimum, maximum, `${wrong} is not a valid ${type} identifier`);
  if (maximum < minimum) throw tunnelRangeInvalid(minimum, maximum, 'End of tunnel range is less than start of tunnel range');
}

async function checkOverlap(db: Db, row: Pick<SegmentRangeRow, 'network_type' | 'physical_network' | 'minimum' | 'maximum'>, except?: string): Promise<void> {
  const others = (await rangesOfType(db, row.network_type)).filter(
    (other) => other.id !== except && other.is_default === 0 && other.physical_network === row.physical_network,
  );
  const hit = others.filter((other) => Number(row.minimum) <= Number(other.maximum) && Number(row.maximum) >= Number(other.minimum));
  if (hit.length > 0) throw rangesOverlap(hit.map((other) => other.id));
}

const requireOwn = (row: SegmentRangeRow): void => {
  if (row.is_default === 1) throw rangeIsDefault(row.id);
};

const KIND: Kind<SegmentRangeRow> = {
  resource: NETWORK_SEGMENT_RANGE,
  lists: segmentRangeLists,
  everybodySees: true,
  notFound: segmentRangeNotFound,
  views: (_app, db, rows) => Promise.all(rows.map((row) => view(db, row))),
  async create({ app, tx }, values: Values) {
    const type = isSet(values.network_type) ? String(values.network_type) : '';
    if (type !== 'vlan' && !isTunnel(type)) throw rangeOfTypeNotSupported(type === '' ? pyStr(null) : type);
    const [minimum, maximum] = [Number(values.minimum), Number(values.maximum)];
    checkBounds(type, minimum, maximum);
    if (type === 'vlan' && !isSet(values.physical_network))
      throw badRequest('network_segment_range', "Network type vlan requires 'physical_network' to be specified while creating new range");
    const row: SegmentRangeRow = {
      ...newRow(app, { ...values, project_id: values.shared === true ? '' : values.project_id }),
      name: String(values.name),
      is_default: 0,
      shared: toBit(values.shared === true),
      network_type: type,
      physical_network: type === 'vlan' ? String(values.physical_network) : '',
      minimum,
      maximum,
      tags_json: '[]',
    };
    await checkOverlap(tx, row);
    return row;
  },
  async update({ tx }, row, values) {
    requireOwn(row);
    const minimum = Number(values.minimum ?? row.minimum);
    const maximum = Number(values.maximum ?? row.maximum);
    const used = await usedIds(tx, row);
    const [lowest, highest] = [used[0]?.segmentation_id, used.at(-1)?.segmentation_id];
    // upstream counts a bound on the very id as touching it
    if (lowest !== undefined && highest !== undefined && (minimum >= lowest || maximum <= highest)) throw rangeIsUsed(row.id);
    checkBounds(row.network_type, minimum, maximum);
    await checkOverlap(tx, { ...row, minimum, maximum }, row.id);
    return { ...sameNamed<SegmentRangeRow>(values, ['name', 'description']), minimum, maximum };
  },
  async remove({ tx }, row) {
    requireOwn(row);
    if ((await usedIds(tx, row, 1)).length > 0) throw rangeIsUsed(row.id);
  },
};

export const segmentRangeVerbs = verbsOf(KIND);

/** Has the ranges of the configuration be there, and no others that it once had. */
export function settleDefaultRanges(app: NeutronApp): Promise<void> {
  const tunnels = ['geneve', 'vxlan'].map((type) => ({ network_type: type, physical_network: '', minimum: 1, maximum: MAX_TUNNEL_ID }));
  const vlans = Object.entries(app.settings.physicalNetworks).flatMap(([name, { vlans: run }]) =>
    run ? [{ network_type: 'vlan', physical_network: name, minimum: run[0], maximum: run[1] }] : [],
  );
  const wanted = [...tunnels, ...vlans];
  const same = (a: (typeof wanted)[number], b: SegmentRangeRow): boolean =>
    a.network_type === b.network_type && a.physical_network === b.physical_network && a.minimum === Number(b.minimum) && a.maximum === Number(b.maximum);
  return app.env.store.write(async (tx) => {
    const there = await defaultRanges(tx);
    for (const row of there) if (!wanted.some((each) => same(each, row))) await deleteRow(tx, 'neutron_segment_range', row.id);
    for (const each of wanted) {
      if (there.some((row) => same(each, row))) continue;
      await insertRow(tx, 'neutron_segment_range', { ...newRow(app, {}), name: '', is_default: 1, shared: 1, ...each, tags_json: '[]' });
    }
  });
}
