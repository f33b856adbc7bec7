import type { EngineName } from '@cairn/kit/store/store';
import type { Kysely } from 'kysely';

/** Certificates that a server's owner trusts for its image. */
export async function trustedCertificates(db: Kysely<any>, _engine: EngineName): Promise<void> {
  await db.schema.alterTable('nova_server').addColumn('trusted_certs_json', 'text').execute();
}
