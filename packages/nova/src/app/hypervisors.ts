import { invalidInput, notFound } from '@cairn/kit/errors/errors';
import { isUuidLike } from '@cairn/kit/ids/ids';
import type { Resources } from '@cairn/placement/face';
import type { ComputeNodeRow } from '../store/compute-node.ts';
import { serversOnHosts } from '../store/host-servers.ts';
import { findHypervisor, type HypervisorKey, type HypervisorListWish, type HypervisorRow, listHypervisors, withServices } from '../store/hypervisor.ts';
import { isUp } from '../store/service.ts';
import type { NovaDeps } from './deps.ts';

/** A hypervisor with what follows from services, servers and placement. */
export interface HypervisorFacts extends HypervisorRow {
  readonly up: boolean;
  /** Empty unless asked for. */
  readonly servers: readonly { readonly id: string; readonly name: string }[];
  /** Claimed in placement; empty unless asked for. */
  readonly used: Resources;
}

/** What a view shows besides the node. */
export interface HypervisorWish {
  readonly withUse: boolean;
  readonly withServers: boolean;
}

/** A page of hypervisors. */
export interface HypervisorPage extends Pick<HypervisorListWish, 'pattern' | 'limit'> {
  /** uuid or number of the last one before. */
  readonly marker?: string | undefined;
}

const keyOf = (id: string): HypervisorKey | undefined => (isUuidLike(id) ? { id } : /^\d{1,15}$/.test(id) ? { seq: Number(id) } : undefined);

/** Hypervisors as operators see them. */
export class Hypervisors {
  readonly #deps: NovaDeps;

  constructor(deps: NovaDeps) {
    this.#deps = deps;
  }

  /** Throws NotFound when a pattern matches none, InvalidInput for an unknown marker. */
  async list(wish: HypervisorWish, page: HypervisorPage = {}): Promise<HypervisorFacts[]> {
    const db = this.#deps.env.store.read;
    let afterSeq: number | undefined;
    if (page.marker !== undefined) {
      const key = keyOf(page.marker);
      afterSeq = key && (await findHypervisor(db, key))?.seq;
      if (afterSeq === undefined) throw invalidInput(`marker [${page.marker}] not found`, { field: 'marker' });
    }
    const nodes = await listHypervisors(db, { pattern: page.pattern, limit: page.limit, afterSeq });
    if (nodes.length === 0 && page.pattern !== undefined) throw notFound(`No hypervisor matching '${page.pattern}' could be found.`);
    return this.#facts(nodes, wish);
  }

  async get(key: HypervisorKey, wish: HypervisorWish): Promise<HypervisorFacts> {
    const node = await findHypervisor(this.#deps.env.store.read, key);
    const [facts] = node ? await this.#facts([node], wish) : [];
    if (!facts) throw notFound(`Hypervisor with ID '${'id' in key ? key.id : key.seq}' could not be found.`);
    return facts;
  }

  async #facts(nodes: readonly ComputeNodeRow[], wish: HypervisorWish): Promise<HypervisorFacts[]> {
    const { env, faces, options } = this.#deps;
    const db = env.store.read;
    const rows = await withServices(db, nodes);
    const hosts = rows.map(({ node }) => node.host);
    const servers = wish.withServers || wish.withUse ? await serversOnHosts(db, hosts) : undefined;
    const nowMs = env.clock.nowMs();
    return Promise.all(
      rows.map(async ({ node, service }) => ({
        node,
        service,
        up: isUp(service, nowMs, options.serviceDownMs),
        servers: servers?.get(node.host) ?? [],
        used: wish.withUse ? await faces.placement.usageOf(db, node.id) : {},
      })),
    );
  }
}
