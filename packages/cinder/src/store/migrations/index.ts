import type { MigrationSet } from '@cairn/kit/store/store';
import { first } from './0001-first.ts';
import { whole } from './0002-whole.ts';

export const cinderMigrations: MigrationSet = { service: 'cinder', migrations: { '0001_first': first, '0002_whole': whole } };
