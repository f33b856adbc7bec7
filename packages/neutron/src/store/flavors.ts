import { rowsAmong } from '@cairn/kit/store/among';
import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { flavorNotFound, serviceProfileNotFound } from '../errors.ts';
import type { ListMaker } from './select.ts';
import type { FlavorProfileRow, FlavorRow, NeutronTables, ServiceProfileRow } from './tables.ts';

const tables = (db: Db) => on<NeutronTables>(db);

export const flavorLists: ListMaker<FlavorRow> = {
  spec: {
    table: 'neutron_flavor',
    id: 'id',
    unknownMarker: (marker) => flavorNotFound(String(marker)),
    columns: {
      id: 'id',
      name: 'name',
      description: { column: 'description', nullable: true },
      service_type: 'service_type',
      enabled: { column: 'enabled', type: 'boolean' },
    },
  },
  // they are the operator's, and everybody may know them
  visible: () => [],
};

export const serviceProfileLists: ListMaker<ServiceProfileRow> = {
  spec: {
    table: 'neutron_service_profile',
    id: 'id',
    unknownMarker: (marker) => serviceProfileNotFound(String(marker)),
    columns: {
      id: 'id',
      description: { column: 'description', nullable: true },
      driver: 'driver',
      metainfo: 'metainfo',
      enabled: { column: 'enabled', type: 'boolean' },
    },
  },
  visible: () => [],
};

/** The profiles of flavors, in the order in which they were tied. */
export const profilesOfFlavors = (db: Db, flavorIds: readonly string[]): Promise<FlavorProfileRow[]> =>
  rowsAmong<FlavorProfileRow>(db, 'neutron_flavor_profile', 'flavor_id', flavorIds, ['tied_at_ms', 'service_profile_id']);
export const flavorsOfProfiles = (db: Db, profileIds: readonly string[]): Promise<FlavorProfileRow[]> =>
  rowsAmong<FlavorProfileRow>(db, 'neutron_flavor_profile', 'service_profile_id', profileIds, ['flavor_id']);
export const tieProfile = (tx: Tx, row: FlavorProfileRow) => tables(tx).insertInto('neutron_flavor_profile').values(row).execute();

/** False where they were not tied. */
export async function untieProfile(tx: Tx, flavorId: string, profileId: string): Promise<boolean> {
  const { numDeletedRows } = await tables(tx)
    .deleteFrom('neutron_flavor_profile')
    .where('flavor_id', '=', flavorId)
    .where('service_profile_id', '=', profileId)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

export const findServiceProfile = (db: Db, id: string): Promise<ServiceProfileRow | undefined> =>
  tables(db).selectFrom('neutron_service_profile').selectAll().where('id', '=', id).executeTakeFirst();

/** Some router of a flavor. */
export const routerOfFlavor = (db: Db, flavorId: string) =>
  tables(db).selectFrom('neutron_router').select('id').where('flavor_id', '=', flavorId).limit(1).executeTakeFirst();
