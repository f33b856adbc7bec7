import type { MigrationSet } from '@cairn/kit/store/store';
import { first } from './0001-first.ts';
import { migrations } from './0002-migrations.ts';
import { serverActions } from './0003-server-actions.ts';
import { topology } from './0004-topology.ts';
import { portRoom } from './0006-port-room.ts';
import { trustedCertificates } from './0005-trusted-certificates.ts';

/** Nova's migrations, in order. */
export const novaMigrations: MigrationSet = {
  service: 'nova',
  migrations: {
    '0001_first': first,
    '0002_migrations': migrations,
    '0003_server_actions': serverActions,
    '0004_topology': topology,
    '0005_trusted_certificates': trustedCertificates,
    '0006_port_room': portRoom,
  },
};
