import type { Context } from '@cairn/kit/context/context';
import type { Db, Tx } from '@cairn/kit/store/store';
import { badRequest, routerNotFound } from '../errors.ts';
import { conntrackHelperNotAllowed, conntrackHelperNotFound, invalidProtocolForHelper } from '../errors-data-plane.ts';
import { routerKey } from '../fabric/keys.ts';
import { pyRepr } from '../net/python-text.ts';
import { CONNTRACK_HELPER } from '../resources/conntrack-helper.ts';
import { conntrackHelperLists, helpersOfRouters } from '../store/conntrack-helpers.ts';
import { findRouter, routerLists, updateRouter } from '../store/routers.ts';
import { selectOne } from '../store/select.ts';
import type { RouterRow } from '../store/tables.ts';
import type { ConntrackHelperRow } from '../store/tables-data-plane.ts';
import { changed, scopeOf } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { type Kind, sameNamed, verbsOf } from './kinds.ts';

/** neutron/conf/extensions/conntrack_helper.py: the protocols of the helpers that may be asked for. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  amanda: ['tcp'],
  ftp: ['tcp'],
  h323: ['udp', 'tcp'],
  irc: ['tcp'],
  'netbios-ns': ['udp'],
  pptp: ['tcp'],
  sane: ['tcp'],
  sip: ['udp', 'tcp'],
  snmp: ['udp'],
  tftp: ['udp'],
};

async function requireRouter(_app: NeutronApp, db: Db, ctx: Context, id: string): Promise<{ projectId: string }> {
  const row = await selectOne<RouterRow>(db, routerLists, id, scopeOf(ctx));
  if (!row) throw routerNotFound(id);
  return { projectId: row.project_id };
}

const KIND: Kind<ConntrackHelperRow> = {
  resource: CONNTRACK_HELPER,
  lists: conntrackHelperLists,
  notFound: conntrackHelperNotFound,
  views: (_app, _db, rows) => rows.map(({ id, protocol, port, helper }) => ({ view: { id, protocol, port, helper } })),
  parent: { param: 'router_id', column: 'router_id', require: requireRouter },
  create({ app, tx, params }, values) {
    const row: ConntrackHelperRow = {
      id: app.env.ids.uuid(),
      router_id: String(params.router_id),
      protocol: String(values.protocol),
      port: Number(values.port),
      helper: String(values.helper),
    };
    return checked(tx, row);
  },
  async update({ tx }, row, values) {
    const next = { ...row, ...sameNamed<ConntrackHelperRow>(values, ['protocol', 'helper']), ...('port' in values && { port: Number(values.port) }) };
    return checked(tx, next);
  },
  async settle({ app, tx, params }) {
    const router = await findRouter(tx, String(params.router_id));
    if (!router) return;
    await updateRouter(tx, router.id, changed(app, router));
    app.pusher.touch(tx, [routerKey(router.id)]);
  },
};

export const conntrackHelperVerbs = verbsOf(KIND);

/** neutron/services/conntrack_helper/plugin.py */
async function checked(tx: Tx, row: ConntrackHelperRow): Promise<ConntrackHelperRow> {
  const protocols = Object.hasOwn(ALLOWED, row.helper) ? ALLOWED[row.helper] : undefined;
  if (!protocols) throw conntrackHelperNotAllowed(row.helper);
  if (!protocols.includes(row.protocol)) throw invalidProtocolForHelper(row.helper, row.protocol, protocols);
  const { router_id, protocol, port, helper } = row;
  const isTwice = (await helpersOfRouters(tx, [router_id])).some(
    (other) => other.id !== row.id && other.protocol === protocol && other.port === port && other.helper === helper,
  );
  if (isTwice) {
    const same = pyRepr({ router_id, protocol, port, helper });
    throw badRequest('conntrack_helper', `A duplicate conntrack helper entry with same attributes already exists, conflicting values are ${same}`);
  }
  return row;
}
