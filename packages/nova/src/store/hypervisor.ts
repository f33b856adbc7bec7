import { type Db, on } from '@cairn/kit/store/store';
import { sql } from 'kysely';
import type { ComputeNodeRow } from './compute-node.ts';
import type { ServiceRow } from './service.ts';
import type { NovaTables } from './tables.ts';

const q = (db: Db) => on<NovaTables>(db);

/** A hypervisor with its host's compute service. */
export interface HypervisorRow {
  readonly node: ComputeNodeRow;
  readonly service: ServiceRow;
}

/** A hypervisor by uuid or by number. */
export type HypervisorKey = { readonly id: string } | { readonly seq: number };

/** Which hypervisors a list asks for; in the order in which they came. */
export interface HypervisorListWish {
  /** Part of the name, whatever the case. */
  readonly pattern?: string | undefined;
  readonly limit?: number | undefined;
  /** After this one. */
  readonly afterSeq?: number | undefined;
}

export async function findHypervisor(db: Db, key: HypervisorKey): Promise<ComputeNodeRow | undefined> {
  const query = q(db).selectFrom('nova_compute_node').selectAll();
  return ('id' in key ? query.where('id', '=', key.id) : query.where('seq', '=', key.seq)).executeTakeFirst();
}

export async function listHypervisors(db: Db, wish: HypervisorListWish): Promise<readonly ComputeNodeRow[]> {
  let query = q(db).selectFrom('nova_compute_node').selectAll().orderBy('seq');
  if (wish.pattern !== undefined) {
    const part = `%${wish.pattern.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`;
    query = query.where(sql<boolean>`lower(hypervisor_hostname) like ${part} escape '\\'`);
  }
  if (wish.afterSeq !== undefined) query = query.where('seq', '>', wish.afterSeq);
  if (wish.limit !== undefined) query = query.limit(wish.limit);
  return query.execute();
}

/** The nodes whose hosts have a compute service; upstream passes over the others. */
export async function withServices(db: Db, nodes: readonly ComputeNodeRow[]): Promise<readonly HypervisorRow[]> {
  if (nodes.length === 0) return [];
  const hosts = nodes.map(({ host }) => host);
  const services = await q(db).selectFrom('nova_service').selectAll().where('binary', '=', 'nova-compute').where('host', 'in', hosts).execute();
  const byHost = new Map(services.map((service) => [service.host, service]));
  return nodes.flatMap((node) => {
    const service = byHost.get(node.host);
    return service === undefined ? [] : [{ node, service }];
  });
}
