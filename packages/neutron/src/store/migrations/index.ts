import type { MigrationSet } from '@cairn/kit/store/store';
import { first } from './0001-first.ts';

export const neutronMigrations: MigrationSet = { service: 'neutron', migrations: { '0001_first': first } };
