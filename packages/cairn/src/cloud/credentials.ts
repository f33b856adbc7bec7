import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Ids } from '@cairn/kit/ids/ids';
import { stringify } from 'yaml';
import type { Paths } from '../daemon/paths.ts';

/** What the cloud keeps secret from everybody but its owner. */
export interface Secrets {
  readonly adminPassword: string;
}

/** Reads the secrets, or makes them at the first start (mode 0600). CAIRN_ADMIN_PASSWORD sets the first password. */
export function secretsOf(paths: Paths, ids: Ids): Secrets {
  if (existsSync(paths.secrets)) return JSON.parse(readFileSync(paths.secrets, 'utf8')) as Secrets;
  const secrets: Secrets = { adminPassword: process.env.CAIRN_ADMIN_PASSWORD || ids.bytes(18).toString('base64url') };
  writeFileSync(paths.secrets, JSON.stringify(secrets), { mode: 0o600 });
  return secrets;
}

/** Writes clouds.yaml and openrc, both 0600. */
export function writeClientFiles(paths: Paths, url: string, region: string, secrets: Secrets): void {
  const authUrl = `${url}/identity/v3`;
  const auth = {
    auth_url: authUrl,
    username: 'admin',
    password: secrets.adminPassword,
    project_name: 'admin',
    user_domain_name: 'Default',
    project_domain_name: 'Default',
  };
  const clouds = {
    clouds: {
      cairn: { auth, region_name: region, identity_api_version: 3 },
      'cairn-system-admin': {
        auth: { auth_url: authUrl, username: 'admin', password: secrets.adminPassword, user_domain_name: 'Default', system_scope: 'all' },
        region_name: region,
      },
    },
  };
  write(paths.clouds, stringify(clouds));
  const lines = {
    OS_AUTH_URL: authUrl,
    OS_IDENTITY_API_VERSION: '3',
    OS_USERNAME: 'admin',
    OS_PASSWORD: secrets.adminPassword,
    OS_PROJECT_NAME: 'admin',
    OS_USER_DOMAIN_NAME: 'Default',
    OS_PROJECT_DOMAIN_NAME: 'Default',
    OS_REGION_NAME: region,
    OS_CLIENT_CONFIG_FILE: paths.clouds,
  };
  // single quotes: nothing in a value is the shell's
  write(
    paths.openrc,
    `${Object.entries(lines)
      .map(([name, value]) => `export ${name}='${value.replaceAll("'", "'\\''")}'`)
      .join('\n')}\n`,
  );
}

function write(path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o600 });
  chmodSync(path, 0o600);
}
