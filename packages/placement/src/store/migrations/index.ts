import type { MigrationSet } from '@cairn/kit/store/store';
import { first } from './0001-first.ts';

export const placementMigrations: MigrationSet = { service: 'placement', migrations: { '0001_first': first } };
