import type { Db } from '@cairn/kit/store/store';
import type { PortFacts } from '@cairn/neutron/face';
import type { NovaDeps } from '../app/deps.ts';
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
  /** Host name with the cloud's domain. */
  readonly hostname: string;
  /** Only on a config drive. */
  readonly adminPass?: string;
  /** Files of the request (`personality`), only on a config drive. */
  readonly files: readonly { readonly path: string; readonly contents: Buffer }[];
}

/** Reads a live server's facts; undefined when there is no such server. */
export async function guestFacts(deps: NovaDeps, db: Db, serverId: string): Promise<GuestFacts | undefined> {
  const row = await findServer(db, serverId);
  if (row === undefined || row.deleted === 1) return undefined;
  const [interfaces, devices, ports] = await Promise.all([portsOf(db, serverId), blockDevicesOf(db, serverId), deps.faces.neutron.portsOfDevice(db, serverId)]);
  const position = new Map(interfaces.map((port) => [port.port_id, port.position]));
  const key = keyOf(row);
  return {
    row,
    flavor: flavorOf(row),
    image: imageOf(row),
    key,
    metadata: metadataOf(row),
    userData: row.user_data === null ? undefined : Buffer.from(row.user_data, 'base64'),
    ports: [...ports].sort((a, b) => (position.get(a.id) ?? position.size) - (position.get(b.id) ?? position.size)),
    interfaces,
    devices,
    hostname: deps.options.dhcpDomain === '' ? row.hostname : `${row.hostname}.${deps.options.dhcpDomain}`,
    files: [],
  };
}
