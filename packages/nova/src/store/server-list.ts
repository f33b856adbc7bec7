import { type ListRequest, type ListSpec, listRows } from '@cairn/kit/store/list';
import { type Db, on } from '@cairn/kit/store/store';
import type { ServerRow } from './server.ts';
import type { NovaTables } from './tables.ts';

/** How servers are listed; fields have upstream's names of columns. */
const SERVERS: ListSpec<ServerRow> = {
  table: 'nova_server',
  id: 'id',
  columns: {
    uuid: 'id',
    seq: { column: 'seq', type: 'integer' },
    project_id: 'project_id',
    user_id: 'user_id',
    display_name: 'name',
    display_description: { column: 'description', nullable: true },
    hostname: 'hostname',
    vm_state: 'vm_state',
    task_state: { column: 'task_state', nullable: true },
    power_state: { column: 'power_state', type: 'integer' },
    host: { column: 'host', nullable: true },
    node: { column: 'node', nullable: true },
    availability_zone: { column: 'availability_zone', nullable: true },
    instance_type_id: 'flavor_id',
    image_ref: 'image_id',
    key_name: { column: 'key_name', nullable: true },
    config_drive: { column: 'config_drive', type: 'integer' },
    auto_disk_config: { column: 'auto_disk_config', type: 'integer' },
    locked: { column: 'locked', type: 'integer' },
    locked_by: { column: 'locked_by', nullable: true },
    access_ip_v4: { column: 'access_ip_v4', nullable: true },
    access_ip_v6: { column: 'access_ip_v6', nullable: true },
    root_device_name: { column: 'root_device', nullable: true },
    launch_index: { column: 'launch_index', type: 'integer' },
    reservation_id: 'reservation_id',
    created_at: { column: 'created_at_ms', type: 'integer' },
    updated_at: { column: 'updated_at_ms', type: 'integer' },
    launched_at: { column: 'launched_at_ms', nullable: true, type: 'integer' },
    terminated_at: { column: 'terminated_at_ms', nullable: true, type: 'integer' },
    deleted: { column: 'deleted', type: 'integer' },
  },
  tags: { table: 'nova_server_tag', owner: 'server_id', tag: 'tag' },
};

/** One page of servers, without what only one server's view shows (user data, files, password). */
export async function pageOfServers(db: Db, request: ListRequest): Promise<{ readonly rows: readonly ServerRow[]; readonly hasMore: boolean }> {
  return await listRows(db, SERVERS, request);
}

/** Does a server of this id exist, deleted or not? Markers may name any. */
export async function serverExists(db: Db, serverId: string): Promise<boolean> {
  return (await on<NovaTables>(db).selectFrom('nova_server').select('id').where('id', '=', serverId).executeTakeFirst()) !== undefined;
}
