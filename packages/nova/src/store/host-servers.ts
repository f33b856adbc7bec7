import { type Db, on } from '@cairn/kit/store/store';
import type { NovaTables } from './tables.ts';

/** Live servers by host. */
export async function serversOnHosts(db: Db, hosts: readonly string[]): Promise<Map<string, { id: string; name: string }[]>> {
  const out = new Map<string, { id: string; name: string }[]>();
  if (hosts.length === 0) return out;
  const rows = await on<NovaTables>(db)
    .selectFrom('nova_server')
    .select(['id', 'name', 'host'])
    .where('host', 'in', [...hosts])
    .where('deleted', '=', 0)
    .orderBy('seq')
    .execute();
  for (const row of rows) {
    const list = out.get(row.host as string) ?? [];
    list.push({ id: row.id, name: row.name });
    out.set(row.host as string, list);
  }
  return out;
}
