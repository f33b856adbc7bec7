import { readFileSync } from 'node:fs';
import type { BackupOptions, ObjectBackupOptions, SwiftBackupOptions } from '@cairn/cinder/options';
import Type, { type Static } from 'typebox';

const option = <T extends object>(rest: T, description: string) => ({ ...rest, description });
const text = (description: string, value = '') => Type.String(option({ default: value }, description));

/** Where backups of volumes go; docs/storage.md explains it. */
export const BackupsSchema = Type.Object(
  {
    driver: Type.Enum(['file', 'swift', 's3'], option({ default: 'file' }, 'Where new backups of volumes go: files of this machine, or object storage')),
    path: text('Directory of backups that are files; `backups` in the data directory when empty'),
    container: Type.String(option({ default: 'volumebackups', minLength: 1 }, 'Container or bucket of backups whose request names none')),
    createContainers: Type.Boolean(option({ default: true }, 'Whether containers that are not there are made')),
    url: text(
      'Endpoint of the object storage. Swift: the account’s URL, for `per_user` without the project’s id at its end (`https://swift.example/v1/AUTH_`); when empty, what the catalogue says',
    ),
    region: text('Region of the endpoint in the catalogue, the cloud’s own when empty; for S3 the region of the signature, `us-east-1` when empty'),
    auth: Type.Enum(
      ['per_user', 'single_user'],
      option({ default: 'per_user' }, 'Swift: whether objects are in the account of each project, or all of them in that of `user`'),
    ),
    authVersion: Type.Enum(['1', '3'], option({ default: '3' }, 'Swift, `single_user`: how tokens are got: from the store itself (1), or from a keystone (3)')),
    authUrl: text('Swift, `single_user`: where tokens are got: `https://swift.example/auth/v1.0`, or the URL of keystone'),
    user: text('Swift, `single_user`: name of the user'),
    keyFile: text('File with that user’s password'),
    project: text('Project of the user, for version 3'),
    userDomain: text('Name of the user’s domain', 'Default'),
    projectDomain: text('Name of the project’s domain', 'Default'),
    storagePolicy: text('Swift: storage policy of containers that are made'),
    accessKey: text('S3: access key'),
    secretKeyFile: text('S3: file with the secret key'),
    objectBytes: Type.Integer(
      option({ default: 52_428_800, minimum: 4_096, maximum: 2 ** 30 }, 'Longest stretch of a volume in one object; a multiple of `blockBytes`'),
    ),
    blockBytes: Type.Integer(
      option(
        { default: 32_768, minimum: 4_096, maximum: 2 ** 24 },
        'Increments tell changes by blocks of this size, a power of two; after a change the next backup must be a full one',
      ),
    ),
    compression: Type.Enum(['zlib', 'zstd', 'none'], option({ default: 'zlib' }, 'How objects are compressed')),
    attempts: Type.Integer(option({ default: 4, minimum: 1, maximum: 20 }, 'Requests that are made to the object storage for one answer')),
    backoffSeconds: Type.Number(option({ default: 2, minimum: 0, maximum: 60 }, 'Pause after the first failed request, doubled after each')),
    timeoutSeconds: Type.Number(option({ default: 60, minimum: 1, maximum: 3_600 }, 'Longest silence of the object storage')),
    caFile: text('Certificate authorities that the object storage’s certificate is checked by, PEM; the system’s when empty'),
  },
  { additionalProperties: false },
);

type BackupsConfig = Static<typeof BackupsSchema>;

/** Options that are for these drivers alone; set for another one they are a mistake. */
const ONLY: Readonly<Record<string, readonly BackupsConfig['driver'][]>> = {
  path: ['file'],
  url: ['swift', 's3'],
  region: ['swift', 's3'],
  authUrl: ['swift'],
  user: ['swift'],
  keyFile: ['swift'],
  project: ['swift'],
  storagePolicy: ['swift'],
  accessKey: ['s3'],
  secretKeyFile: ['s3'],
  caFile: ['swift', 's3'],
};

/** The operator's choice, checked; `region` is the cloud's. Throws an Error that names the option. */
export function backupsOf(config: BackupsConfig, region: string): BackupOptions {
  const { driver } = config;
  for (const [name, drivers] of Object.entries(ONLY))
    if (config[name as keyof BackupsConfig] !== '' && !drivers.includes(driver)) throw wrong(name, `is not an option of the driver ${driver}`);
  if (driver === 'file') {
    if (config.path !== '' && !config.path.startsWith('/')) throw wrong('path', 'is not an absolute path');
    return { driver };
  }
  if ((config.blockBytes & (config.blockBytes - 1)) !== 0) throw wrong('blockBytes', 'is not a power of two');
  if (config.objectBytes % config.blockBytes !== 0) throw wrong('objectBytes', 'is not a multiple of storage.backups.blockBytes');
  const common: ObjectBackupOptions = {
    container: config.container,
    createContainers: config.createContainers,
    objectBytes: config.objectBytes,
    blockBytes: config.blockBytes,
    compression: config.compression,
    attempts: config.attempts,
    backoffMs: config.backoffSeconds * 1000,
    timeoutMs: config.timeoutSeconds * 1000,
    ca: config.caFile === '' ? undefined : read('caFile', config.caFile),
  };
  if (driver === 'swift') return { ...common, driver, storagePolicy: config.storagePolicy || undefined, auth: swiftAuthOf(config, region) };
  return {
    ...common,
    driver,
    url: endpoint('url', needed(config, 'url')),
    region: config.region || 'us-east-1',
    accessKey: needed(config, 'accessKey'),
    secretKey: read('secretKeyFile', needed(config, 'secretKeyFile')).trim(),
  };
}

function swiftAuthOf(config: BackupsConfig, region: string): SwiftBackupOptions['auth'] {
  const url = config.url === '' ? undefined : endpoint('url', config.url);
  if (config.auth === 'per_user') {
    for (const name of ['authUrl', 'user', 'keyFile', 'project'] as const)
      if (config[name] !== '') throw wrong(name, 'is for auth: single_user; with per_user each project’s own account is used');
    return { mode: 'per_user', url, region: config.region || region };
  }
  const version = config.authVersion;
  return {
    mode: 'single_user',
    version,
    authUrl: endpoint('authUrl', needed(config, 'authUrl')),
    user: needed(config, 'user'),
    key: read('keyFile', needed(config, 'keyFile')).trim(),
    project: version === '3' ? needed(config, 'project') : '',
    userDomain: config.userDomain,
    projectDomain: config.projectDomain,
    region: config.region,
    url,
  };
}

const wrong = (name: string, why: string): Error => new Error(`storage.backups.${name} ${why}`);

function needed(config: BackupsConfig, name: 'url' | 'authUrl' | 'user' | 'keyFile' | 'project' | 'accessKey' | 'secretKeyFile'): string {
  if (config[name] === '') throw wrong(name, `is missing: the driver ${config.driver}${config.driver === 'swift' ? ' with auth: single_user' : ''} needs it`);
  return config[name];
}

/** An address without a password in it, which logs would have. */
function endpoint(name: string, value: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) throw wrong(name, `is no URL that begins with http:// or https://: ${value}`);
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw wrong(name, 'has a user, a query or a fragment, which have no place here');
  return value;
}

function read(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw wrong(name, `cannot be read: ${(error as Error).message}`);
  }
}
