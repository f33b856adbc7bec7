import { type BackendOptions, homeBackend } from '@cairn/cinder/options';
import { BACKEND_NAME, type BackendSpec, HOME_BACKEND } from '@cairn/host/interface/backends';
import Type, { type Static } from 'typebox';
import { BackupsSchema } from './config-backups.ts';

const closed = { additionalProperties: false };
const text = (description: string) => Type.Optional(Type.String({ minLength: 1, description }));

const BackendSchema = Type.Object(
  {
    driver: Type.Enum(['local', 'directory', 'rbd', 'lvm']),
    path: text('Directory, for the drivers local and directory'),
    pool: text('Pool of the Ceph cluster, for the driver rbd'),
    configFile: text('ceph.conf of the cluster'),
    user: text('User of the cluster, without `client.`'),
    volumeGroup: text('Volume group of each host, for the driver lvm'),
    provisioning: Type.Optional(
      Type.Enum(['thin', 'thick'], { description: 'Whether volumes take room of the volume group as they are written (the default), or all at once' }),
    ),
    volumeBackendName: text('What types choose it by (`volume_backend_name`); its name when absent'),
    availabilityZone: text('Zone of its volumes'),
    imageCacheCount: Type.Optional(Type.Integer({ minimum: 0, description: 'Images that are kept in the pool for later volumes; 0 for no limit' })),
    imageCacheGb: Type.Optional(Type.Integer({ minimum: 0, description: 'Room for them, in GiB; 0 for no limit' })),
  },
  closed,
);

/** What an operator says about storage. */
export const StorageSchema = Type.Object(
  {
    backends: Type.Record(Type.String(), BackendSchema, {
      default: { [HOME_BACKEND]: { driver: 'local' } },
      description: `Where volumes may be, by name (docs/storage.md): driver \`local\` (\`${HOME_BACKEND}\`: the hosts' own disks), \`directory\`, \`rbd\` or \`lvm\``,
    }),
    overSubscriptionRatio: Type.Number({
      default: 20,
      minimum: 1,
      description: 'Room promised to volumes per real one, where they take it as they are written',
    }),
    reservedPercentage: Type.Integer({ default: 0, minimum: 0, maximum: 100, description: 'Part of each back end that is kept free, in percent' }),
    backups: BackupsSchema,
  },
  closed,
);

export type StorageConfig = Static<typeof StorageSchema>;
type BackendConfig = StorageConfig['backends'][string];

export interface Storage {
  /** For the hosts: how back ends are reached. */
  readonly specs: readonly BackendSpec[];
  /** For cinder: what they offer. */
  readonly backends: readonly BackendOptions[];
}

/** Options that each driver needs, and those that it may have. */
const NEEDS: Readonly<Record<BackendConfig['driver'], readonly [needed: readonly string[], optional: readonly string[]]>> = {
  local: [[], ['path']],
  directory: [['path'], []],
  rbd: [['pool'], ['configFile', 'user', 'imageCacheCount', 'imageCacheGb']],
  lvm: [['volumeGroup'], ['provisioning']],
};
const COMMON = ['driver', 'volumeBackendName', 'availabilityZone'];

/** The operator's back ends, checked. Throws an Error that names the option. */
export function storageOf(config: StorageConfig): Storage {
  const all = Object.entries(config.backends);
  if (all.length === 0) throw new Error('storage.backends names no back end');
  return { specs: all.map(([name, one]) => specOf(name, one)), backends: all.map(([name, one]) => optionsOf(name, one)) };
}

function specOf(name: string, config: BackendConfig): BackendSpec {
  const where = `storage.backends.${name}`;
  if (!BACKEND_NAME.test(name)) throw new Error(`${where}: names of back ends have lower-case letters, digits, "-" and "_", and at most 32 of them`);
  const { driver } = config;
  const [needed, optional] = NEEDS[driver];
  for (const option of needed) if (!Object.hasOwn(config, option)) throw new Error(`${where}.${option} is missing: the driver ${driver} needs it`);
  for (const option of Object.keys(config))
    if (![...COMMON, ...needed, ...optional].includes(option)) throw new Error(`${where}.${option} is not an option of the driver ${driver}`);
  if (driver === 'local' && (config.path === undefined) !== (name === HOME_BACKEND))
    throw new Error(`${where}: the hosts' own disks are the back end ${HOME_BACKEND}, which has no path; any other local one has a path`);
  if (driver !== 'local' && name === HOME_BACKEND) throw new Error(`${where}: this name is for the hosts' own disks; choose another`);
  if (config.path !== undefined && !config.path.startsWith('/')) throw new Error(`${where}.path is not an absolute path`);
  switch (driver) {
    case 'local':
      return { name, driver, ...(config.path !== undefined && { path: config.path }) };
    case 'directory':
      return { name, driver, path: config.path ?? '' };
    case 'rbd':
      return {
        ...{
          name,
          driver,
          imageCacheCount: config.imageCacheCount ?? 0,
          imageCacheGb: config.imageCacheGb ?? 0,
          pool: named(where, 'pool', config.pool),
          user: named(where, 'user', config.user ?? 'cairn'),
        },
        configFile: config.configFile ?? '/etc/ceph/ceph.conf',
      };
    case 'lvm': {
      const volumeGroup = named(where, 'volumeGroup', config.volumeGroup);
      if (volumeGroup.length > LONGEST_GROUP) throw new Error(`${where}.volumeGroup: names of volume groups have at most ${LONGEST_GROUP} characters here`);
      return { name, driver, volumeGroup, provisioning: config.provisioning ?? 'thin' };
    }
  }
}

/** The kernel's names of volumes have the group's in front. */
const LONGEST_GROUP = 32;

/** Names that become arguments of commands. */
function named(where: string, option: string, value = ''): string {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,126}$/.test(value)) throw new Error(`${where}.${option}: "${value}" is not a name that can be used`);
  return value;
}

function optionsOf(name: string, config: BackendConfig): BackendOptions {
  const { driver } = config;
  return {
    ...homeBackend,
    name,
    volumeBackendName: config.volumeBackendName ?? name,
    driver,
    isShared: driver === 'directory' || driver === 'rbd',
    multiattach: driver !== 'rbd',
    isThin: config.provisioning !== 'thick',
    availabilityZone: config.availabilityZone,
  };
}
