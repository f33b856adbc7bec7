import type { EngineName } from '@cairn/kit/store/store';
import type { Kysely } from 'kysely';

/** Which providers give what ports of servers ask for. */
export async function portRoom(db: Kysely<any>, _engine: EngineName): Promise<void> {
  await db.schema
    .createTable('nova_port_room')
    .addColumn('consumer_id', 'text', (c) => c.notNull())
    .addColumn('host', 'text', (c) => c.notNull())
    .addColumn('port_id', 'text', (c) => c.notNull())
    .addColumn('groups_json', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('nova_port_room_pk', ['consumer_id', 'host', 'port_id'])
    .execute();
}
