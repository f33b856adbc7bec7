import type { MigrationSet } from '@cairn/kit/store/store';
import { first } from './0001-first.ts';
import { storesAndTasks } from './0002-stores-and-tasks.ts';
import { metadefsAndQuotas } from './0003-metadefs-and-quotas.ts';

export const glanceMigrations: MigrationSet = {
  service: 'glance',
  migrations: { '0001_first': first, '0002_stores_and_tasks': storesAndTasks, '0003_metadefs_and_quotas': metadefsAndQuotas },
};
