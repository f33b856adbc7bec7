import type { Context } from '@cairn/kit/context/context';
import type { Db, Tx } from '@cairn/kit/store/store';
import { toBit } from '@cairn/kit/store/values';
import { standardView } from '../attributes/times.ts';
import { invalidLogConstraint, invalidLogResourceType, logNotFound, logResourceNotFound, logTargetNotFound } from '../errors-data-plane.ts';
import { portKey } from '../fabric/keys.ts';
import { LOG } from '../resources/log.ts';
import { logLists, portIdsOfGroup, portIdsWithGroups } from '../store/logs.ts';
import { portLists } from '../store/ports.ts';
import { groupLists, groupsOfPorts } from '../store/security-groups.ts';
import { selectOne } from '../store/select.ts';
import type { LogRow } from '../store/tables-data-plane.ts';
import type { PortRow, SecurityGroupRow } from '../store/tables.ts';
import { type Loaded, newRow, scopeOf } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { type Kind, sameNamed, verbsOf } from './kinds.ts';

/** What can be logged. */
const TYPES: readonly string[] = ['security_group'];

const KIND: Kind<LogRow> = {
  resource: LOG,
  lists: logLists,
  notFound: logNotFound,
  views: (_app, _db, rows) =>
    rows.map((row) => {
      const { name, resource_type, resource_id, event, target_id } = row;
      return { view: { ...standardView(row), name, resource_type, resource_id, event, target_id, enabled: row.enabled === 1 } };
    }),
  async create({ app, tx, ctx }, values) {
    const row: LogRow = {
      ...newRow(app, values),
      name: String(values.name),
      resource_type: String(values.resource_type),
      resource_id: values.resource_id === null ? null : String(values.resource_id),
      event: String(values.event),
      target_id: values.target_id === null ? null : String(values.target_id),
      enabled: toBit(values.enabled === true),
    };
    await check(tx, ctx, row);
    return row;
  },
  update: (_work, _row, values) => sameNamed<LogRow>(values, ['name', 'description'], ['enabled']),
  async settle({ app, tx }, after, before) {
    if (after?.enabled === 1 || before?.enabled === 1) app.pusher.touch(tx, (await portsOf(tx, (after ?? before) as LogRow)).map(portKey));
  },
};

export const logVerbs = verbsOf(KIND);

/** neutron/services/logapi/common/sg_validate.py */
async function check(tx: Tx, ctx: Context, row: LogRow): Promise<void> {
  if (!TYPES.includes(row.resource_type)) throw invalidLogResourceType(row.resource_type);
  const { resource_id: groupId, target_id: portId } = row;
  if (groupId !== null && !(await selectOne<SecurityGroupRow>(tx, groupLists, groupId, scopeOf(ctx)))) throw logResourceNotFound(groupId);
  if (portId !== null && !(await selectOne<PortRow>(tx, portLists, portId, scopeOf(ctx)))) throw logTargetNotFound(portId);
  if (groupId === null || portId === null) return;
  if (!(await groupsOfPorts(tx, [portId])).some((group) => group.security_group_id === groupId)) throw invalidLogConstraint(groupId, portId);
}

/** The ports that a log may be about. */
async function portsOf(db: Db, { target_id: portId, resource_id: groupId, project_id: projectId }: LogRow): Promise<readonly string[]> {
  if (portId !== null) return [portId];
  return groupId === null ? portIdsWithGroups(db, projectId) : portIdsOfGroup(db, groupId);
}

/** Shown by policy to those alone who see all: they belong to nobody. */
export const listLoggableResources = async (_app: NeutronApp): Promise<Loaded[]> => TYPES.map((type) => ({ view: { type } }));
