import { homedir } from 'node:os';
import { join } from 'node:path';
import { defaultStores, IMPORT_METHODS } from '@cairn/glance/options';
import { loadConfig } from '@cairn/kit/config/config';
import { CORS_ALLOW_HEADERS, CORS_ALLOW_METHODS, CORS_EXPOSE_HEADERS } from '@cairn/kit/http/cors';
import Type, { type Static } from 'typebox';
import { ComputeSchema, HypervisorSchema } from './config-compute.ts';
import { FederationSchema } from './config-federation.ts';
import { NetworkSchema } from './config-network.ts';
import { StorageSchema } from './config-storage.ts';

const closed = { additionalProperties: false };
const option = <T extends object>(rest: T, description: string) => ({ ...rest, description });

/** Every option of a cloud. docs/configuration.md is made from this. */
export const CloudSchema = Type.Object(
  {
    data: Type.String(option({ default: defaultData(), minLength: 1 }, 'Directory of everything that the cloud keeps')),
    region: Type.String(option({ default: 'RegionOne', minLength: 1, maxLength: 255 }, 'Name of the region in the catalog')),
    listen: Type.Object(
      {
        address: Type.String(option({ default: '127.0.0.1', minLength: 1 }, 'Address that the APIs listen on')),
        port: Type.Integer(option({ default: 8780, minimum: 0, maximum: 65_535 }, 'The one port of all APIs')),
        publicUrl: Type.String(option({ default: '' }, 'URL of the cloud in the catalog, when clients reach it by another one than http://address:port')),
        classicPorts: Type.Boolean(option({ default: false }, "Also listen on each service's usual port (5000, 8774, 9292, 9696 ...)")),
        trustProxy: Type.Boolean(option({ default: false }, 'Believe X-Forwarded-Proto and X-Forwarded-Host of a proxy in front')),
        cors: Type.Object(
          {
            allowedOrigins: Type.Array(Type.String({ pattern: '^(\\*|https?://[^/\\s]+)$' }), {
              ...option({ default: [] }, 'Origins of web pages that may call the APIs (`https://console.example.org`, or `*`); none when empty'),
            }),
            allowCredentials: Type.Boolean(option({ default: true }, 'Such pages may send cookies and other credentials of the browser')),
            exposeHeaders: Type.Array(Type.String(), option({ default: [...CORS_EXPOSE_HEADERS] }, 'Answer headers that such pages may read')),
            maxAgeSeconds: Type.Integer(option({ default: 3600, minimum: 0 }, 'How long browsers remember what such pages may do')),
            allowMethods: Type.Array(Type.String(), option({ default: [...CORS_ALLOW_METHODS] }, 'Methods that such pages may use')),
            allowHeaders: Type.Array(Type.String(), option({ default: [...CORS_ALLOW_HEADERS] }, 'Request headers that such pages may send')),
          },
          closed,
        ),
      },
      closed,
    ),
    policies: Type.String(
      option(
        { default: '' },
        'Directory of policy files, one per service (nova.yaml, glance.yaml ...), in the form of policy.yaml; `policies` in the data directory when empty',
      ),
    ),
    console: Type.Object({ enabled: Type.Boolean(option({ default: true }, 'Serve the console, the page for browsers, below /console/')) }, closed),
    log: Type.Object({ level: Type.Enum(['debug', 'info', 'warn', 'error'], option({ default: 'info' }, 'Least important level that is logged')) }, closed),
    store: Type.Object(
      {
        engine: Type.Enum(['sqlite', 'postgres'], option({ default: 'sqlite' }, 'Database: the embedded one, or a PostgreSQL server')),
        url: Type.String(option({ default: '' }, 'postgres://user:password@host/database, for engine postgres')),
      },
      closed,
    ),
    identity: Type.Object(
      {
        tokenProvider: Type.Enum(
          ['fernet', 'jws'],
          option({ default: 'fernet' }, 'How tokens are written: encrypted (fernet), or signed so that others can check them (jws)'),
        ),
        tokenLifeSeconds: Type.Integer(option({ default: 3600, minimum: 60, maximum: 604_800 }, 'How long a token is valid')),
        federation: FederationSchema,
        limitModel: Type.Enum(['flat', 'strict_two_level'], option({ default: 'flat' }, 'Whether limits of projects and of their domains bind each other')),
        securityCompliance: Type.Object(
          {
            lockoutFailureAttempts: Type.Integer(option({ default: 0, minimum: 0 }, 'Wrong passwords in a row that lock a user; 0 for never')),
            lockoutSeconds: Type.Integer(
              option({ default: 1800, minimum: 0 }, 'How long a user stays locked; 0 until an administrator enables the user again'),
            ),
            passwordExpiresDays: Type.Integer(option({ default: 0, minimum: 0 }, 'Days that a new password is good for; 0 for ever')),
            uniqueLastPasswordCount: Type.Integer(option({ default: 0, minimum: 0, maximum: 100 }, 'Newest passwords that a user may not choose again')),
            minimumPasswordAgeDays: Type.Integer(option({ default: 0, minimum: 0 }, 'Days before a user may change the password again')),
            passwordRegex: Type.String(option({ default: '' }, "What a new password has to match, in Python's spelling")),
            passwordRegexDescription: Type.String(option({ default: '' }, 'The same in words, for whoever chose another one')),
            changePasswordUponFirstUse: Type.Boolean(option({ default: false }, 'Users change a password that an administrator set before they use it')),
            disableUserAccountDaysInactive: Type.Integer(
              option({ default: 0, minimum: 0 }, 'Days without a login after which a user counts as disabled; 0 for never'),
            ),
          },
          closed,
        ),
        bcryptRounds: Type.Integer(option({ default: 12, minimum: 4, maximum: 16 }, 'Cost of password hashes, as a power of two')),
      },
      closed,
    ),
    hypervisor: HypervisorSchema,
    storage: StorageSchema,
    compute: ComputeSchema,
    network: NetworkSchema,
    image: Type.Object(
      {
        stores: Type.Record(
          Type.String(),
          Type.Object(
            {
              type: Type.Enum(['file', 'http']),
              description: Type.Optional(Type.String()),
              directories: Type.Optional(Type.Array(Type.String({ minLength: 1 }))),
              weight: Type.Optional(Type.Integer()),
            },
            closed,
          ),
          option(
            { default: defaultStores },
            'Where image data is kept, by name: type `file` (directories of this machine) or `http` (data that stays on web servers); with description, directories, weight',
          ),
        ),
        defaultStore: Type.String(option({ default: 'file', minLength: 1 }, 'The store for data that names none')),
        sizeLimitGb: Type.Integer(option({ default: 1024, minimum: 1, maximum: 1_048_576 }, 'Longest image')),
        cacheLimitGb: Type.Integer(option({ default: 10, minimum: 0, maximum: 1_048_576 }, 'Room for cached data of images from web servers')),
        showLocations: Type.Boolean(option({ default: false }, 'Show where the data of images is, and let their owners change it (`show_multiple_locations`)')),
        showDirectUrl: Type.Boolean(option({ default: false }, 'Show the first location as `direct_url`')),
        useKeystoneLimits: Type.Boolean(
          option(
            { default: false },
            "Limit projects' images by keystone's unified limits: image_size_total, image_stage_total (MiB), image_count_total, image_count_uploading",
          ),
        ),
        storageQuotaMb: Type.Integer(
          option({ default: 0, minimum: 0 }, 'Data that the images of one project may have in all stores together (`user_storage_quota`); 0 for no limit'),
        ),
        memberQuota: Type.Integer(option({ default: 128, minimum: -1 }, 'Projects that an image may be shared with; -1 for no limit')),
        propertyQuota: Type.Integer(option({ default: 128, minimum: -1 }, 'Properties that an image may have; -1 for no limit')),
        tagQuota: Type.Integer(option({ default: 128, minimum: -1 }, 'Tags that an image may have; -1 for no limit')),
        propertyProtectionFile: Type.String(option({ default: '' }, 'File that says who may make, read, change and remove which properties (docs/images.md)')),
        propertyProtectionFormat: Type.Enum(
          ['roles', 'policies'],
          option({ default: 'roles' }, 'What stands in that file behind each action: names of roles, or the name of one policy rule'),
        ),
        certificates: Type.String(
          option({ default: '' }, 'Directory of the certificates that signed images name; `certificates` in the data directory when empty'),
        ),
        hashLocations: Type.Boolean(option({ default: true }, 'Hash the data behind locations that are added (`do_secure_hash`)')),
        import: Type.Object(
          {
            methods: Type.Array(Type.String(), option({ default: [...IMPORT_METHODS] }, 'Ways to import that are open')),
            convertTo: Type.Enum(['none', 'raw', 'qcow2', 'vmdk'], option({ default: 'none' }, 'Format that imported images are converted to')),
            decompress: Type.Boolean(option({ default: false }, 'Unpack imported images that are gzip or ZIP')),
            unpackedLimitGb: Type.Integer(option({ default: 100, minimum: 1, maximum: 1_048_576 }, 'A packed image that unpacks to more is refused')),
            properties: Type.Record(Type.String(), Type.String(), option({ default: {} }, 'Properties that imported images get')),
            propertiesIgnoreRoles: Type.Array(Type.String(), option({ default: ['admin'] }, 'Images of users with these roles get none of them')),
            allowedSchemes: Type.Array(Type.Enum(['http', 'https']), option({ default: ['http', 'https'] }, 'Schemes of URLs that are fetched')),
            allowedPorts: Type.Array(Type.Integer({ minimum: 1, maximum: 65_535 }), option({ default: [80, 443] }, 'Ports of URLs that are fetched')),
            allowedHosts: Type.Array(
              Type.String(),
              option({ default: [] }, 'When not empty: only these hosts are fetched from (`*.example.org` for all below), wherever their addresses are'),
            ),
            disallowedHosts: Type.Array(Type.String(), option({ default: [] }, 'Hosts that are never fetched from')),
            allowedNetworks: Type.Array(
              Type.String({ format: 'cidr' }),
              option({ default: [] }, 'Networks that may be fetched from though they are not public: your own mirrors'),
            ),
          },
          closed,
        ),
      },
      closed,
    ),
    demoImage: Type.Boolean(option({ default: true }, 'Build and load the demo guest image `cirros` at the first start')),
  },
  closed,
);

export type CloudConfig = Static<typeof CloudSchema>;

/** Command-line options that set configuration. */
export interface CommonFlags {
  readonly data?: string;
  readonly config?: string;
  readonly listen?: string;
  readonly hypervisor?: string;
  readonly hosts?: string;
  readonly classicPorts?: boolean;
}

/** Options of this call: defaults, what an earlier `up` was given (`base`), --config FILE, CAIRN_* variables, flags. */
export function configOf(flags: CommonFlags, base?: CloudConfig): CloudConfig {
  const overrides: Record<string, unknown> = { data: flags.data };
  if (flags.listen !== undefined) {
    const match = /^(?:(\[[0-9a-fA-F:]+\]|[^:]*):)?(\d+)$/.exec(flags.listen);
    if (match) {
      if (match[1]) overrides['listen.address'] = match[1].replace(/^\[|\]$/g, '');
      overrides['listen.port'] = Number(match[2]);
    } else overrides['listen.address'] = flags.listen;
  }
  if (flags.hypervisor !== undefined) overrides['hypervisor.type'] = flags.hypervisor;
  if (flags.hosts !== undefined) overrides['hypervisor.hosts'] = Number(flags.hosts);
  if (flags.classicPorts !== undefined) overrides['listen.classicPorts'] = flags.classicPorts;
  return loadConfig(CloudSchema, { ...(base && { base }), ...(flags.config !== undefined && { file: flags.config }), environment: process.env, overrides });
}

/** `/var/lib/cairn` for root, below the home directory for others. */
function defaultData(): string {
  return process.getuid?.() === 0 ? '/var/lib/cairn' : join(process.env.XDG_DATA_HOME ?? join(homedir(), '.local', 'share'), 'cairn');
}

/** Where built guest images are kept across clouds. */
export function cacheFolder(): string {
  return process.getuid?.() === 0 ? '/var/cache/cairn' : join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'cairn');
}
