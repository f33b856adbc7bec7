import type { Kysely } from 'kysely';

/** Where a backup's objects are, which is no longer always under its own id: a record may be imported under another one. */
export async function backupPlace(db: Kysely<any>): Promise<void> {
  await db.schema.alterTable('cinder_backup').addColumn('service_metadata', 'text').execute();
  await db
    .updateTable('cinder_backup')
    .set((e: any) => ({ service_metadata: e.ref('id') }))
    .execute();
  await db.schema.createIndex('cinder_backup_place').on('cinder_backup').column('service_metadata').execute();
}
