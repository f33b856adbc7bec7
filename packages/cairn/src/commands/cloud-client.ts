import type { Paths } from '../daemon/paths.ts';
import { adminClient, wordsOf } from './admin-client.ts';

/** Reads from a cloud's public API. */
export interface ApiClient {
  /** `path` is below the endpoint of the service. Rejects with the fault's words on 4xx and 5xx. */
  // oxlint-disable-next-line typescript/no-explicit-any -- bodies are read as what the API says they are
  get(service: 'network' | 'compute', path: string): Promise<any>;
}

type Variables = Readonly<Record<string, string | undefined>>;

/** As whom OS_* variables say, like any OpenStack client; without OS_AUTH_URL as the admin of the cloud that runs here. */
export async function cloudClient(paths: Paths, variables: Variables = process.env): Promise<ApiClient> {
  if (variables.OS_AUTH_URL === undefined) {
    const admin = await adminClient(paths);
    return { get: async (service, path) => await admin.json('GET', `${{ network: '/network', compute: '/compute/v2.1' }[service]}${path}`) };
  }
  const { token, endpoints } = await login(variables.OS_AUTH_URL, variables);
  return {
    async get(service, path) {
      const endpoint = endpoints.get(service);
      if (endpoint === undefined) throw new Error(`the catalog of ${variables.OS_AUTH_URL} has no public ${service} endpoint`);
      const response = await fetch(endpoint.replace(/\/+$/, '') + path, { headers: { 'x-auth-token': token } });
      const text = await response.text();
      if (response.status >= 400) throw new Error(`${response.status}: ${wordsOf(text)}`);
      return JSON.parse(text);
    },
  };
}

async function login(url: string, variables: Variables): Promise<{ token: string; endpoints: ReadonlyMap<string, string> }> {
  const response = await fetch(`${url.replace(/\/+$/, '')}/auth/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(loginOf(variables)),
  });
  const token = response.headers.get('x-subject-token');
  const text = await response.text();
  if (token === null) throw new Error(`${url} refused: ${response.status}: ${wordsOf(text)}`);
  const { catalog } = (JSON.parse(text) as { token: { catalog?: { type: string; endpoints: { interface: string; region: string; url: string }[] }[] } }).token;
  const region = variables.OS_REGION_NAME;
  return {
    token,
    endpoints: new Map(
      (catalog ?? []).flatMap(({ type, endpoints }) => {
        const found = endpoints.find((each) => each.interface === 'public' && (region === undefined || each.region === region));
        return found ? [[type, found.url] as const] : [];
      }),
    ),
  };
}

/** What is sent to log in: with an application credential, or with a name and a password for a project. */
export function loginOf(variables: Variables): object {
  const { OS_USERNAME: name, OS_PASSWORD: password, OS_PROJECT_NAME: project, OS_PROJECT_ID: projectId } = variables;
  if (variables.OS_APPLICATION_CREDENTIAL_ID !== undefined) {
    const credential = { id: variables.OS_APPLICATION_CREDENTIAL_ID, secret: variables.OS_APPLICATION_CREDENTIAL_SECRET };
    return { auth: { identity: { methods: ['application_credential'], application_credential: credential } } };
  }
  const domain = (who: 'USER' | 'PROJECT'): object => {
    const named = variables[`OS_${who}_DOMAIN_NAME`];
    return named === undefined ? { id: variables[`OS_${who}_DOMAIN_ID`] ?? 'default' } : { name: named };
  };
  if (name === undefined || password === undefined) throw new Error('OS_AUTH_URL is set, but not OS_USERNAME and OS_PASSWORD');
  if (project === undefined && projectId === undefined) throw new Error('OS_AUTH_URL is set, but neither OS_PROJECT_NAME nor OS_PROJECT_ID');
  const scope = projectId === undefined ? { name: project, domain: domain('PROJECT') } : { id: projectId };
  return { auth: { identity: { methods: ['password'], password: { user: { name, password, domain: domain('USER') } } }, scope: { project: scope } } };
}
