import type { Env } from '@cairn/kit/env';
import { conflict, isCairnError } from '@cairn/kit/errors/errors';
import type { HttpService } from '@cairn/kit/http/service';
import type { Db, MigrationSet } from '@cairn/kit/store/store';
import { operations } from './api/operations.ts';
import { createApp, type KeystoneApp } from './app/app.ts';
import { substituteUrl } from './app/endpoint-url.ts';
import { bootstrap, type BootstrapOptions, type Bootstrapped } from './bootstrap.ts';
import type { KeystoneFace } from './face.ts';
import { keystoneFault } from './faults.ts';
import { defaultKeystoneOptions, type KeystoneOptions } from './options.ts';
import { policies } from './policies.ts';
import { enabledCatalog } from './store/catalog.ts';
import { limitsOfProject } from './store/limits.ts';
import { findProject, shownDomain } from './store/projects.ts';
import { migrations } from './store/migrations/index.ts';
import { userIsThere } from './store/users.ts';

export { migrations } from './store/migrations/index.ts';

export interface Keystone {
  readonly http: HttpService<KeystoneApp>;
  readonly face: KeystoneFace;
  readonly app: KeystoneApp;
  readonly migrations: MigrationSet;
  /** keystone has no multi-step work: every change is one transaction. */
  readonly sagas: readonly [];
  /** The URL of a service in a region, by the catalog; `kind` is public, internal or admin. Undefined where there is none, or one for each project. */
  endpointUrl(db: Db, serviceType: string, region: string, kind: string): Promise<string | undefined>;
  /** Makes what a new cloud needs; again, it finds what is there. */
  bootstrap(options: BootstrapOptions): Promise<Bootstrapped>;
  /** Ends the connections to directories. */
  close(): Promise<void>;
}

/** The identity service. Run `migrations` before its first request, and `bootstrap` on a new cloud. */
export function createKeystone(env: Env, options: Partial<KeystoneOptions> & Pick<KeystoneOptions, 'dataDir'>): Keystone {
  const app = createApp(env, { ...defaultKeystoneOptions, ...options });
  return {
    app,
    migrations,
    sagas: [],
    face: createFace(app),
    bootstrap: (settings) => bootstrap(app, settings),
    close: () => app.backends.close(),
    async endpointUrl(db, serviceType, region, kind) {
      const { services, endpoints } = await enabledCatalog(db);
      const ids = new Set(services.filter((s) => s.type === serviceType).map((s) => s.id));
      return endpoints.find((e) => ids.has(e.service_id) && e.region_id === region && e.interface === kind && !/[$%]\(/.test(e.url))?.url;
    },
    http: {
      name: 'keystone',
      type: 'identity',
      prefix: '/identity',
      classicPort: 5000,
      app,
      operations,
      policies,
      headTwins: true,
      fault: keystoneFault,
      headers: () => ({ Vary: 'X-Auth-Token' }),
    },
  };
}

function createFace(app: KeystoneApp): KeystoneFace {
  return {
    sealSecret: (purpose, text) => app.secrets.seal(purpose, text),
    openSecret: (purpose, sealed) => app.secrets.open(purpose, sealed),
    async authenticate(token, requestId) {
      try {
        return app.tokens.contextOf(await app.tokens.validate(token), requestId);
      } catch (error) {
        // whatever is wrong with a token, it is not valid; what is wrong with keystone is another matter
        if (isCairnError(error) && error.status < 500) return undefined;
        throw error;
      }
    },
    async project(db, projectId) {
      const row = await findProject(db, projectId);
      if (!row) return undefined;
      return { id: row.id, name: row.name, domainId: shownDomain(row.domain_id) ?? row.id, parentId: row.parent_id, enabled: row.enabled !== 0 };
    },
    async tokenFor(who) {
      try {
        const methods = who.applicationCredentialId === undefined ? ['token'] : ['application_credential'];
        const { id, claims } = await app.tokens.issue({ ...who, methods });
        return { token: id, expiresAtMs: claims.expiresAtMs };
      } catch (error) {
        if (!isCairnError(error) || error.status >= 500) throw error;
        throw conflict(`User ${who.userId} may not act in project ${who.projectId} any more.`, { detail: error.message, cause: error });
      }
    },
    async endpointFor(db, serviceType, region, scope) {
      const { services, endpoints } = await enabledCatalog(db);
      const ids = new Set(services.filter((s) => s.type === serviceType).map((s) => s.id));
      const found = endpoints.find((e) => ids.has(e.service_id) && e.region_id === region && e.interface === 'public');
      return found && substituteUrl(found.url, scope);
    },
    userExists: userIsThere,
    unifiedLimits: limitsOfProject,
  };
}
