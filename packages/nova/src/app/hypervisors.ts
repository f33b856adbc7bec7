import { notFound } from '@cairn/kit/errors/errors';
import type { Resources } from '@cairn/placement/face';
import { allComputeNodes, type ComputeNodeRow } from '../store/compute-node.ts';
import { serversOnHosts } from '../store/host-servers.ts';
import { isUp, type ServiceRow, servicesOf } from '../store/service.ts';
import type { NovaDeps } from './deps.ts';

/** A hypervisor with what follows from services, servers and placement. */
export interface HypervisorFacts {
  readonly node: ComputeNodeRow;
  readonly service: ServiceRow | undefined;
  readonly up: boolean;
  readonly servers: readonly { readonly id: string; readonly name: string }[];
  /** Claimed in placement; empty unless asked for. */
  readonly used: Resources;
}

export interface HypervisorWish {
  readonly withUse: boolean;
  readonly withServers: boolean;
}

/** Hypervisors as operators see them. */
export class Hypervisors {
  readonly #deps: NovaDeps;

  constructor(deps: NovaDeps) {
    this.#deps = deps;
  }

  async list(wish: HypervisorWish, choose: (node: ComputeNodeRow) => boolean = () => true, page: { readonly limit?: number; readonly marker?: string } = {}): Promise<HypervisorFacts[]> {
    const { env, faces, options } = this.#deps;
    const db = env.store.read;
    const [all, services] = await Promise.all([allComputeNodes(db), servicesOf(db, 'nova-compute')]);
    let nodes = all.filter(choose);
    if (page.marker !== undefined) {
      const at = nodes.findIndex((node) => node.id === page.marker || String(node.seq) === page.marker);
      if (at < 0) throw notFound(`marker [${page.marker}] not found`, { status: 400 });
      nodes = nodes.slice(at + 1);
    }
    if (page.limit !== undefined) nodes = nodes.slice(0, page.limit);
    const servers = wish.withServers || wish.withUse ? await serversOnHosts(db, nodes.map((node) => node.host)) : new Map<string, { id: string; name: string }[]>();
    const nowMs = env.clock.nowMs();
    return Promise.all(
      nodes.map(async (node) => {
        const service = services.get(node.host);
        return { node, service, up: service !== undefined && isUp(service, nowMs, options.serviceDownMs), servers: servers.get(node.host) ?? [], used: wish.withUse ? await faces.placement.usageOf(db, node.id) : {} };
      }),
    );
  }

  /** By uuid (from 2.53) or number. */
  async get(id: string, byUuid: boolean, wish: HypervisorWish): Promise<HypervisorFacts> {
    const [found] = await this.list(wish, (node) => (byUuid ? node.id === id : String(node.seq) === id));
    if (!found) throw notFound(`Hypervisor with ID '${id}' could not be found.`);
    return found;
  }
}
