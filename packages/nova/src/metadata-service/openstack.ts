import type { DevicePlace } from '@cairn/host/interface/guests';
import type { Ids } from '@cairn/kit/ids/ids';
import { diskIdOf, type GuestFacts } from './facts.ts';
import { networkData } from './network-data.ts';

const GRIZZLY = '2013-04-04';
const HAVANA = '2013-10-17';
const LIBERTY = '2015-10-15';
const NEWTON_ONE = '2016-06-30';
const NEWTON_TWO = '2016-10-06';
const ROCKY = '2018-08-27';
const VICTORIA = '2020-10-14';
/** Versions of the OpenStack tree, by the dates that stand for releases. */
export const OPENSTACK_VERSIONS: readonly string[] = [
  '2012-08-10',
  GRIZZLY,
  HAVANA,
  LIBERTY,
  NEWTON_ONE,
  NEWTON_TWO,
  '2017-02-22',
  ROCKY,
  VICTORIA,
  '2025-04-04',
];

/** A leaf of a metadata tree: text or bytes with their type, a listing, or the place where a guest posts its password. */
export type Item =
  | { readonly kind: 'text'; readonly body: string | Buffer; readonly json: boolean }
  | { readonly kind: 'list'; readonly entries: readonly string[] }
  | { readonly kind: 'password' };

const json = (value: object): Item => ({ kind: 'text', body: JSON.stringify(value), json: true });

/** Looks up `<version>/<path>` or `content/<n>` in the OpenStack tree; undefined for what is not there. */
export function openstackItem(facts: GuestFacts, path: readonly string[], ids: Ids): Item | undefined {
  const [first, ...rest] = path;
  if (first === undefined) return { kind: 'list', entries: [...OPENSTACK_VERSIONS, 'latest'] };
  if (first === 'content') {
    const file = rest.length === 1 ? facts.files[contentIndex(rest[0] as string)] : undefined;
    return file === undefined ? undefined : { kind: 'text', body: file.contents, json: false };
  }
  const version = first === 'latest' ? (OPENSTACK_VERSIONS.at(-1) as string) : first;
  if (!OPENSTACK_VERSIONS.includes(version)) return undefined;
  const since = (release: string): boolean => version >= release;
  switch (rest.join('/')) {
    case '':
      return {
        kind: 'list',
        entries: [
          'meta_data.json',
          ...(facts.userData === undefined ? [] : ['user_data']),
          ...(since(GRIZZLY) ? ['password'] : []),
          ...(since(HAVANA) ? ['vendor_data.json'] : []),
          ...(since(LIBERTY) ? ['network_data.json'] : []),
          ...(since(NEWTON_TWO) ? ['vendor_data2.json'] : []),
        ],
      };
    case 'meta_data.json':
      return json(metaData(facts, since, ids));
    case 'user_data':
      return facts.userData === undefined ? undefined : { kind: 'text', body: facts.userData, json: false };
    case 'password':
      return since(GRIZZLY) ? { kind: 'password' } : undefined;
    case 'vendor_data.json':
      return since(HAVANA) ? json({}) : undefined;
    case 'network_data.json':
      return { kind: 'text', body: JSON.stringify(networkData(facts.ports)), json: false };
    case 'vendor_data2.json':
      return since(NEWTON_TWO) ? json({ static: {} }) : undefined;
    default:
      return undefined;
  }
}

export const contentName = (index: number): string => String(index).padStart(4, '0');
const contentIndex = (name: string): number => (/^\d{4}$/.test(name) ? Number(name) : -1);

function metaData(facts: GuestFacts, since: (release: string) => boolean, ids: Ids): object {
  const { row, key } = facts;
  return {
    uuid: row.id,
    ...(Object.keys(facts.metadata).length === 0 ? {} : { meta: facts.metadata }),
    ...(facts.files.length === 0 ? {} : { files: facts.files.map((file, index) => ({ path: file.path, content_path: `/content/${contentName(index)}` })) }),
    ...(facts.adminPass === undefined ? {} : { admin_pass: facts.adminPass }),
    ...(key === undefined ? {} : { public_keys: { [key.name]: key.publicKey }, keys: [{ name: key.name, type: key.type, data: key.publicKey }] }),
    hostname: facts.hostname,
    name: row.name,
    launch_index: row.launch_index,
    availability_zone: row.availability_zone,
    ...(since(GRIZZLY) ? { random_seed: ids.bytes(512).toString('base64') } : {}),
    ...(since(LIBERTY) ? { project_id: row.project_id } : {}),
    ...(since(NEWTON_ONE) ? { devices: deviceList(facts, since(ROCKY)) } : {}),
    ...(since(VICTORIA) ? { dedicated_cpus: [] } : {}),
  };
}

/** Interfaces and disks that carry a tag, with their bus and, on PCI, their address, as upstream's libvirt driver has them. */
function deviceList(facts: GuestFacts, trusted: boolean): readonly object[] {
  const ports = new Map(facts.ports.map((port) => [port.id, port]));
  const nics = facts.interfaces.flatMap((nic) => {
    const port = ports.get(nic.port_id);
    if (port === undefined || nic.tag === null) return [];
    return [{ ...(trusted ? { vf_trusted: false } : {}), type: 'nic', mac: port.mac, ...placeView(facts.places?.nics[port.id]), tags: [nic.tag] }];
  });
  const disks = facts.devices.flatMap((device) =>
    device.tag === null
      ? []
      : [
          {
            type: 'disk',
            ...(device.volume_id === null ? {} : { serial: device.volume_id }),
            ...(device.device_name === null ? {} : { path: device.device_name }),
            ...placeView(facts.places?.disks[diskIdOf(device)]),
            tags: [device.tag],
          },
        ],
  );
  return [...nics, ...disks];
}

/** Upstream has no word for SATA, and tells addresses on PCI alone. */
const placeView = (place: DevicePlace | undefined): { readonly bus: string; readonly address: string } => ({
  bus: place === undefined || place.bus === 'sata' ? 'none' : place.bus,
  address: place?.address ?? 'none',
});
