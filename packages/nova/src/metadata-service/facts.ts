import type { GuestPlaces } from '@cairn/host/interface/guests';
import type { Db } from '@cairn/kit/store/store';
import type { PortFacts } from '@cairn/neutron/face';
import type { NovaDeps } from '../app/deps.ts';
import { guestSpec } from '../hosts/guest-spec.ts';
import { type BlockDeviceRow, blockDevicesOf } from '../store/block-device.ts';
import { findServer, flavorOf, imageOf, keyOf, metadataOf, type ServerRow, type StoredFlavor, type StoredImage, type StoredKey } from '../store/server.ts';
import { portsOf, type ServerPortRow } from '../store/server-port.ts';

/** What a guest may learn about itself. */
export interface GuestFacts {
  readonly row: ServerRow;
  readonly flavor: StoredFlavor;
  readonly image: StoredImage;
  readonly key: StoredKey | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  /** The request's user data, decoded. */
  readonly userData: Buffer | undefined;
  readonly ports: readonly PortFacts[];
  readonly interfaces: readonly ServerPortRow[];
  readonly devices: readonly BlockDeviceRow[];
  /** Where its devices are in its machine, by disk (or mapping) and port; absent where none has a tag, or its host does not say. */
  readonly places?: GuestPlaces;
  /** Host name with the cloud's domain. */
  readonly hostname: string;
  /** Only on a config drive. */
  readonly adminPass?: string;
  /** Files of the request (`personality`), only on a config drive. */
  readonly files: readonly { readonly path: string; readonly contents: Buffer }[];
}

/** Reads a live server's facts; undefined when there is no such server. `anew`: as its guest will be that is yet to be made, for its config drive. */
export async function guestFacts(deps: NovaDeps, db: Db, serverId: string, anew = false): Promise<GuestFacts | undefined> {
  const row = await findServer(db, serverId);
  if (row === undefined || row.deleted === 1) return undefined;
  const [interfaces, devices, ports] = await Promise.all([portsOf(db, serverId), blockDevicesOf(db, serverId), deps.faces.neutron.portsOfDevice(db, serverId)]);
  const position = new Map(interfaces.map((port) => [port.port_id, port.position]));
  const key = keyOf(row);
  const ordered = [...ports].sort((a, b) => (position.get(a.id) ?? position.size) - (position.get(b.id) ?? position.size));
  const tagged = [...interfaces, ...devices].some((one) => one.tag !== null);
  const places = tagged ? await placesOf(deps, { row, devices, ports: ordered }, anew) : undefined;
  return {
    row,
    flavor: flavorOf(row),
    image: imageOf(row),
    key,
    metadata: metadataOf(row),
    userData: row.user_data === null ? undefined : Buffer.from(row.user_data, 'base64'),
    ports: ordered,
    ...(places && { places }),
    interfaces,
    devices,
    hostname: deps.options.dhcpDomain === '' ? row.hostname : `${row.hostname}.${deps.options.dhcpDomain}`,
    files: [],
  };
}

/** The id that a mapping's disk has for the host; one that is not made yet goes by the mapping's. */
export const diskIdOf = (device: Pick<BlockDeviceRow, 'id' | 'disk_id'>): string => device.disk_id ?? device.id;

/** Asks the server's host where its devices are, or will be: the config drive is made before the guest. Undefined while the host does not answer. */
async function placesOf(
  deps: NovaDeps,
  { row, devices, ports }: Pick<GuestFacts, 'row' | 'devices' | 'ports'>,
  anew: boolean,
): Promise<GuestPlaces | undefined> {
  if (row.host === null) return undefined;
  try {
    const all = devices.map((device) => ({ ...device, disk_id: diskIdOf(device) }));
    const spec = guestSpec({ row, devices: all, ports, shared: new Set(), readOnly: new Set() });
    return await deps.hosts.get(row.host).guests.places(spec, anew);
  } catch (error) {
    deps.env.log.warn({ serverId: row.id, host: row.host, err: error }, 'a host does not say where devices of a server are');
    return undefined;
  }
}
