import type { EngineName } from '@cairn/kit/store/store';
import type { Kysely } from 'kysely';
import { makeTable } from './make-table.ts';

/** Prefixes that providers have delegated. */
export async function delegatedPrefixes(db: Kysely<any>, _engine: EngineName): Promise<void> {
  await makeTable(db, 'neutron_delegated_prefix', { id: 'text', router_id: 'text', prefix: 'text', valid_until_ms: 'bigint' });
}
