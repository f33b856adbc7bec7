import { isCairnError } from '@cairn/kit/errors/errors';
import type { KeystoneApp } from './app/app.ts';
import type { Initiator } from './app/core.ts';
import type { Role } from './app/roles.ts';
import { DEFAULT_DOMAIN_ID } from './options.ts';
import { findProjectByName } from './store/projects.ts';
import { findUserByName } from './store/users.ts';

/** A service of the catalog with the addresses of its interfaces. */
export interface CatalogEntry {
  /** `nova`. */
  readonly name: string;
  /** `compute`. */
  readonly type: string;
  /** Without an entry the interface has no endpoint. `$(project_id)s` stands for the project of the scope. */
  readonly urls: Readonly<Partial<Record<'public' | 'internal' | 'admin', string>>>;
}

export interface BootstrapOptions {
  readonly adminPassword: string;
  /** Default `RegionOne`. */
  readonly region?: string;
  readonly endpoints: readonly CatalogEntry[];
}

/** What a new cloud has; ids for whoever seeds on. */
export interface Bootstrapped {
  readonly domainId: string;
  readonly adminProjectId: string;
  readonly serviceProjectId: string;
  readonly adminUserId: string;
  readonly roleIds: Readonly<Record<string, string>>;
}

/** Roles as `keystone-manage bootstrap` makes them, immutable, and each with the one that it implies. */
const ROLES = [
  { name: 'reader', immutable: true },
  { name: 'member', implies: 'reader', immutable: true },
  { name: 'manager', implies: 'member', immutable: true },
  { name: 'admin', implies: 'manager', immutable: true },
  { name: 'service', immutable: true },
  { name: 'ResellerAdmin', immutable: false },
] as const;

const WHO: Initiator = { requestId: 'req-bootstrap' };

/** Makes what is missing of the default domain, admin, roles and catalog (keystone/cmd/bootstrap.py); again, it finds what is there. */
export async function bootstrap(app: KeystoneApp, options: BootstrapOptions): Promise<Bootstrapped> {
  const region = options.region ?? 'RegionOne';
  await orThere(() => app.domains.create({ id: DEFAULT_DOMAIN_ID, name: 'Default', description: 'The default domain' }, WHO));
  const adminProjectId = await project(app, 'admin', 'Bootstrap project for initializing the cloud.');
  const serviceProjectId = await project(app, 'service', 'Project for the users of the services.');
  const roleIds = await roles(app);
  const adminUserId = await admin(app, options.adminPassword);
  const adminRole = roleIds.admin ?? '';
  await app.assignments.create({ actor: { userId: adminUserId }, target: { projectId: adminProjectId } }, adminRole, WHO);
  await app.assignments.create({ actor: { userId: adminUserId }, target: 'system' }, adminRole, WHO);
  await orThere(() => app.catalog.createRegion({ id: region }, WHO));
  for (const entry of options.endpoints) await catalogEntry(app, entry, region);
  return { domainId: DEFAULT_DOMAIN_ID, adminProjectId, serviceProjectId, adminUserId, roleIds };
}

/** Does nothing where it is there already. */
async function orThere(make: () => Promise<unknown>): Promise<void> {
  try {
    await make();
  } catch (error) {
    if (!isCairnError(error, 'Conflict')) throw error;
  }
}

async function project(app: KeystoneApp, name: string, description: string): Promise<string> {
  await orThere(() => app.projects.create({ name, description, domainId: DEFAULT_DOMAIN_ID, parentId: DEFAULT_DOMAIN_ID }, WHO));
  const found = await findProjectByName(app.core.env.store.read, name, DEFAULT_DOMAIN_ID);
  if (!found) throw new Error(`project ${name} is missing after its creation`);
  return found.id;
}

async function roles(app: KeystoneApp): Promise<Record<string, string>> {
  const ids: Record<string, string> = {};
  for (const wanted of ROLES) {
    await orThere(() => app.roles.create({ name: wanted.name, ...(wanted.immutable && { options: { immutable: true } }) }, WHO));
    const role = (await app.roles.findByName(wanted.name)) as Role;
    ids[wanted.name] = role.id;
    if ('implies' in wanted) await orThere(() => app.roles.imply(role.id, ids[wanted.implies] ?? ''));
  }
  return ids;
}

/** The admin user, enabled and with the given password. */
async function admin(app: KeystoneApp, password: string): Promise<string> {
  const row = await findUserByName(app.core.env.store.read, 'admin', DEFAULT_DOMAIN_ID);
  if (!row) return (await app.users.create({ name: 'admin', domainId: DEFAULT_DOMAIN_ID, password }, WHO, { bySystem: true })).id;
  const known = await app.passwords.verify(`user:${row.id}`, row.password_hash, password);
  const { enabled } = await app.users.get(row.id);
  const change = { ...(!enabled && { enabled: true }), ...(!known && { password }) };
  if (Object.keys(change).length > 0) await app.users.update(row.id, change, WHO, { bySystem: true });
  return row.id;
}

async function catalogEntry(app: KeystoneApp, entry: CatalogEntry, region: string): Promise<void> {
  const service =
    (await app.catalog.listServices([is('type', entry.type)]))[0] ?? (await app.catalog.createService({ type: entry.type, name: entry.name }, WHO));
  const present = await app.catalog.listEndpoints([is('service_id', service.id), is('region_id', region)]);
  for (const [kind, url] of Object.entries(entry.urls)) {
    const endpoint = present.find((each) => each.interface === kind);
    if (!endpoint) await app.catalog.createEndpoint({ serviceId: service.id, regionId: region, interface: kind, url }, WHO);
    else if (endpoint.url !== url) await app.catalog.updateEndpoint(endpoint.id, { url }, WHO);
  }
}

const is = (field: string, value: string) => ({ field, comparator: 'equals' as const, ignoreCase: false, value });
