import type { MigrationSet } from '@cairn/kit/store/store';
import { first } from './0001-first.ts';
import { whole } from './0002-whole.ts';
import { backupPlace } from './0003-backup-place.ts';

export const cinderMigrations: MigrationSet = { service: 'cinder', migrations: { '0001_first': first, '0002_whole': whole, '0003_backup_place': backupPlace } };
