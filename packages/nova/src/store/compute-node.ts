import type { HostFacts } from '@cairn/host/interface/agent';
import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { Selectable } from 'kysely';
import type { ComputeNodeTable, NovaTables } from './tables.ts';

export type ComputeNodeRow = Selectable<ComputeNodeTable>;

export async function allComputeNodes(db: Db): Promise<readonly ComputeNodeRow[]> {
  return await on<NovaTables>(db).selectFrom('nova_compute_node').selectAll().orderBy('seq').execute();
}

export async function computeNodeOfHost(db: Db, host: string): Promise<ComputeNodeRow | undefined> {
  return await on<NovaTables>(db).selectFrom('nova_compute_node').selectAll().where('host', '=', host).executeTakeFirst();
}

/** Writes what a host says about itself; a new host gets `newId`. Returns the node's id, which is its resource provider's. */
export async function saveComputeNode(tx: Tx, facts: HostFacts, newId: string, nowMs: number): Promise<{ readonly id: string; readonly isNew: boolean }> {
  const values = {
    hypervisor_hostname: facts.host,
    hypervisor_type: facts.hypervisorType,
    hypervisor_version: facts.hypervisorVersion,
    host_ip: facts.hostIp,
    vcpus: facts.vcpus,
    memory_mb: facts.memoryMb,
    disk_gb: facts.diskGb,
    memory_used_mb: facts.memoryUsedMb,
    disk_free_gb: facts.diskFreeGb,
    uptime_seconds: Math.trunc(facts.uptimeSeconds),
    cpu_json: JSON.stringify({ arch: facts.architecture, accelerator: facts.accelerator, ...facts.cpu }),
    numa_json: facts.numa === undefined ? null : JSON.stringify(facts.numa),
    traits_json: JSON.stringify(facts.traits),
    updated_at_ms: nowMs,
  };
  const nova = on<NovaTables>(tx);
  const known = await nova.updateTable('nova_compute_node').set(values).where('host', '=', facts.host).returning('id').executeTakeFirst();
  if (known !== undefined) return { id: known.id, isNew: false };
  await nova
    .insertInto('nova_compute_node')
    .values({ id: newId, host: facts.host, ...values, created_at_ms: nowMs })
    .execute();
  return { id: newId, isNew: true };
}

/** What a host's processor is like, with the accelerator that its guests run on. */
export async function findComputeNodeFacts(
  db: Db,
  host: string,
): Promise<(HostFacts['cpu'] & { readonly arch: string; readonly accelerator: HostFacts['accelerator'] }) | undefined> {
  const row = await computeNodeOfHost(db, host);
  return row === undefined ? undefined : (JSON.parse(row.cpu_json) as HostFacts['cpu'] & { arch: string; accelerator: HostFacts['accelerator'] });
}
