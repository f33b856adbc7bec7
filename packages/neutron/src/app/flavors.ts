import type { Context } from '@cairn/kit/context/context';
import type { Db } from '@cairn/kit/store/store';
import { toBit } from '@cairn/kit/store/values';
import type { Values } from '../attributes/resource.ts';
import {
  flavorInUse,
  flavorNotFound,
  invalidInput,
  profileAlreadyTied,
  profileNotTied,
  serviceProfileDisabled,
  serviceProfileDriverNotFound,
  serviceProfileEmpty,
  serviceProfileInUse,
  serviceProfileNotFound,
} from '../errors.ts';
import { pyRepr, pyStr } from '../net/python-text.ts';
import { FLAVOR, FLAVOR_SERVICE_PROFILE, SERVICE_PROFILE } from '../resources/flavor.ts';
import {
  findServiceProfile,
  flavorLists,
  flavorsOfProfiles,
  profilesOfFlavors,
  routerOfFlavor,
  serviceProfileLists,
  tieProfile,
  untieProfile,
} from '../store/flavors.ts';
import { deleteRowsOf, findRow } from '../store/rows.ts';
import type { FlavorRow, ServiceProfileRow } from '../store/tables.ts';
import { authorizeDelete, type Loaded } from './common.ts';
import { authorizeChange } from '../attributes/authorize.ts';
import type { NeutronApp } from './deps.ts';
import { type Kind, type Params, sameNamed, verbsOf } from './kinds.ts';
import { providerOfDriver } from './service-providers.ts';

/** Flavors of routers and their service profiles (neutron/db/flavors_db.py). */

const FLAVOR_KIND: Kind<FlavorRow> = {
  resource: FLAVOR,
  lists: flavorLists,
  everybodySees: true,
  notFound: flavorNotFound,
  async views(_app, db, rows) {
    const ids = rows.map((row) => row.id);
    const tied = Map.groupBy(await profilesOfFlavors(db, ids), (tie) => tie.flavor_id);
    return rows.map((row) => ({
      view: {
        id: row.id,
        name: row.name,
        description: row.description,
        service_type: row.service_type,
        enabled: row.enabled === 1,
        service_profiles: (tied.get(row.id) ?? []).map((tie) => tie.service_profile_id),
      },
    }));
  },
  create: ({ app }, values) => ({
    id: app.env.ids.uuid(),
    name: String(values.name),
    description: values.description as string | null,
    service_type: String(values.service_type),
    enabled: toBit(values.enabled === true),
  }),
  update: (_work, _row, values) => sameNamed<FlavorRow>(values, ['name', 'description'], ['enabled']),
  async remove({ tx }, row) {
    if (await routerOfFlavor(tx, row.id)) throw flavorInUse(row.id);
    await deleteRowsOf(tx, 'neutron_flavor_profile', 'flavor_id', row.id);
  },
};

export const flavorVerbs = verbsOf(FLAVOR_KIND);

function checkDriver(driver: string): void {
  if (driver !== '' && !providerOfDriver(driver)) throw serviceProfileDriverNotFound(driver);
}

/** Kept as text, whatever a client sends. */
function metainfoOf(value: unknown): string {
  const text = typeof value === 'string' ? value : pyRepr(value);
  if (text.length > 4096) throw invalidInput(`metainfo of ${text.length} characters is longer than 4096: ${pyStr(text.slice(0, 40))}...`);
  return text;
}

async function refuseTied(db: Db, id: string): Promise<void> {
  if ((await flavorsOfProfiles(db, [id])).length > 0) throw serviceProfileInUse(id);
}

const PROFILE_KIND: Kind<ServiceProfileRow> = {
  resource: SERVICE_PROFILE,
  lists: serviceProfileLists,
  everybodySees: true,
  notFound: serviceProfileNotFound,
  views: (_app, _db, rows) => rows.map((row) => ({ view: { ...row, enabled: row.enabled === 1 } })),
  create({ app }, values) {
    const driver = String(values.driver);
    checkDriver(driver);
    const metainfo = values.metainfo ? metainfoOf(values.metainfo) : '';
    if (driver === '' && metainfo === '') throw serviceProfileEmpty();
    return { id: app.env.ids.uuid(), description: values.description as string | null, driver, metainfo, enabled: toBit(values.enabled === true) };
  },
  async update({ tx }, row, values) {
    if (values.driver) checkDriver(String(values.driver));
    await refuseTied(tx, row.id);
    return {
      ...sameNamed<ServiceProfileRow>(values, ['description', 'driver'], ['enabled']),
      ...('metainfo' in values && { metainfo: values.metainfo ? metainfoOf(values.metainfo) : '' }),
    };
  },
  remove: ({ tx }, row) => refuseTied(tx, row.id),
};

export const serviceProfileVerbs = verbsOf(PROFILE_KIND);

/** Ties a profile to a flavor. What is answered is the flavor, of which the API shows the id. */
export function tieProfiles(app: NeutronApp, ctx: Context, items: readonly Values[], params: Params): Promise<Loaded[]> {
  const [values] = items as [Values];
  authorizeChange(app.policy, ctx, FLAVOR_SERVICE_PROFILE, 'create', values, values);
  const [flavorId, profileId] = [params.flavor_id ?? '', String(values.id)];
  return app.env.store.write(async (tx) => {
    if (!(await findRow(tx, 'neutron_flavor', flavorId))) throw flavorNotFound(flavorId);
    if (!(await findServiceProfile(tx, profileId))) throw serviceProfileNotFound(profileId);
    if ((await flavorsOfProfiles(tx, [profileId])).some((tie) => tie.flavor_id === flavorId)) throw profileAlreadyTied(profileId, flavorId);
    await tieProfile(tx, { flavor_id: flavorId, service_profile_id: profileId, tied_at_ms: app.env.clock.nowMs() });
    return [{ view: { id: flavorId } }];
  });
}

/** Upstream shows nothing of a tie: its attributes have no names in the API. */
export async function getTie(app: NeutronApp, _ctx: Context, profileId: string, params: Params): Promise<Loaded> {
  await requireTie(app.env.store.read, params.flavor_id ?? '', profileId);
  return { view: {} };
}

async function requireTie(db: Db, flavorId: string, profileId: string): Promise<void> {
  if (!(await profilesOfFlavors(db, [flavorId])).some((tie) => tie.service_profile_id === profileId)) throw profileNotTied(profileId, flavorId);
}

export function untieProfileOf(app: NeutronApp, ctx: Context, profileId: string, _ifMatch: number | undefined, params: Params): Promise<void> {
  const flavorId = params.flavor_id ?? '';
  return app.env.store.write(async (tx) => {
    await requireTie(tx, flavorId, profileId);
    authorizeDelete(app, ctx, FLAVOR_SERVICE_PROFILE, { view: {} });
    await untieProfile(tx, flavorId, profileId);
  });
}

/**
 * What a router of a flavor must be: its first profile's provider says (driver_controller.py). Throws where the flavor leads to none, or the
 * caller asks for something else.
 */
export async function checkRouterFlavor(db: Db, flavorId: string, asked: { readonly ha?: unknown; readonly distributed?: unknown }): Promise<void> {
  if (!(await findRow(db, 'neutron_flavor', flavorId))) throw flavorNotFound(flavorId);
  const [first] = await profilesOfFlavors(db, [flavorId]);
  const profile = first && (await findServiceProfile(db, first.service_profile_id));
  if (!profile) throw profileNotTied('', flavorId);
  if (profile.enabled !== 1) throw serviceProfileDisabled();
  const provider = providerOfDriver(profile.driver);
  if (!provider) throw serviceProfileDriverNotFound(profile.driver);
  for (const key of ['distributed', 'ha'] as const) {
    const flag = asked[key];
    if (typeof flag === 'boolean' && flag !== provider[key]) throw invalidInput(`Provider ${provider.name} does not support ${key}=${pyRepr(flag)}`);
  }
}
