import { quoted } from '../api/commands.ts';
import type { Session } from '../session/session.ts';

/** What the files say of the cloud and of who uses it. */
export interface AccessFacts extends Pick<Session, 'user' | 'project' | 'domain' | 'system' | 'catalog'> {
  /** Where the console itself is, for a cloud whose catalog has no identity service. */
  readonly origin: string;
  /** The region of the console, of those that the catalog has. */
  readonly region?: string | undefined;
}

/** An application credential as its maker gets it, once. */
export interface AppCredentialSecret {
  readonly id: string;
  readonly secret: string;
}

/** Where clients find the identity service, with its version. */
export function authUrlOf({ catalog, origin }: Pick<AccessFacts, 'catalog' | 'origin'>): string {
  const url = catalog.find(({ type }) => type === 'identity')?.url ?? `${origin}/identity`;
  return `${url.replace(/\/+$/, '').replace(/\/v3$/, '')}/v3`;
}

const regionOf = ({ catalog, region }: Pick<AccessFacts, 'catalog' | 'region'>): string | undefined => region ?? catalog[0]?.region;

/** The scope of the session, in the words of clients: `project_name`, `domain_name` or `system_scope`. */
function scopeOf({ project, domain, system }: AccessFacts): readonly (readonly [string, string])[] {
  if (project !== null)
    return [
      ['project_id', project.id],
      ['project_name', project.name],
      ['project_domain_name', project.domain.name],
    ];
  if (domain !== null) return [['domain_id', domain.id]];
  return system ? [['system_scope', 'all']] : [];
}

const line = (name: string, value: string): string => `export ${name}=${quoted(value)}`;

/** A file to be sourced by a shell; asks for the password when it is, since it has none in it. */
export function openrcOf(facts: AccessFacts): string {
  const region = regionOf(facts);
  return [
    '# sets what the openstack command needs: . openrc.sh',
    'unset OS_TOKEN OS_SYSTEM_SCOPE OS_DOMAIN_ID OS_PROJECT_ID OS_PROJECT_NAME OS_PROJECT_DOMAIN_NAME',
    line('OS_AUTH_URL', authUrlOf(facts)),
    line('OS_IDENTITY_API_VERSION', '3'),
    line('OS_USERNAME', facts.user.name),
    line('OS_USER_DOMAIN_NAME', facts.user.domain.name),
    ...scopeOf(facts).map(([name, value]) => line(`OS_${name.toUpperCase()}`, value)),
    ...(region === undefined ? [] : [line('OS_REGION_NAME', region)]),
    `printf 'Password of %s: ' ${quoted(facts.user.name)}`,
    'stty -echo 2>/dev/null',
    'read -r OS_PASSWORD',
    'stty echo 2>/dev/null',
    'echo',
    'export OS_PASSWORD',
    '',
  ].join('\n');
}

/** A text in YAML, whatever is in it: a JSON string is one, with what YAML does not print escaped. */
const yamlText = (text: string): string =>
  JSON.stringify(text).replace(/[\u007f-\u009f\u2028\u2029\ufeff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
const yamlLines = (pairs: readonly (readonly [string, string])[]): string[] => pairs.map(([name, value]) => `      ${name}: ${yamlText(value)}`);

function cloudsYaml(facts: AccessFacts, kind: readonly string[], auth: readonly (readonly [string, string])[]): string {
  const region = regionOf(facts);
  return [
    'clouds:',
    '  cairn:',
    ...kind,
    '    auth:',
    ...yamlLines([['auth_url', authUrlOf(facts)], ...auth]),
    ...(region === undefined ? [] : [`    region_name: ${yamlText(region)}`]),
    '    interface: public',
    '    identity_api_version: 3',
    '',
  ].join('\n');
}

/** clouds.yaml without a password: clients ask for it, or find it in secure.yaml. */
export const cloudsYamlOf = (facts: AccessFacts): string =>
  cloudsYaml(facts, [], [['username', facts.user.name], ['user_domain_name', facts.user.domain.name], ...scopeOf(facts)]);

/** clouds.yaml of an application credential, which needs nothing else. */
export const appCredentialYaml = (facts: AccessFacts, { id, secret }: AppCredentialSecret): string =>
  cloudsYaml(
    facts,
    ['    auth_type: v3applicationcredential'],
    [
      ['application_credential_id', id],
      ['application_credential_secret', secret],
    ],
  );
