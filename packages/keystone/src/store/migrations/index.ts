import type { MigrationSet } from '@cairn/kit/store/store';
import { first } from './0001_first.ts';

/** keystone's schema, step by step. */
export const migrations: MigrationSet = { service: 'keystone', migrations: { '0001_first': first } };
