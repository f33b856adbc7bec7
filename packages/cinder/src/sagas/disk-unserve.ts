import { defineSaga, type SagaDefinition } from '@cairn/kit/saga/saga';
import { boundHost } from '../app/backend.ts';
import type { CinderDeps } from '../app/deps.ts';
import { attachmentOfExport } from '../app/remote.ts';
import { attachmentById } from '../store/attachments.ts';
import { volumeById } from '../store/volumes.ts';
import { DISK_DEADLINE_MS } from './common.ts';

export interface DiskUnserveParams {
  readonly volumeId: string;
}

const made = new WeakMap<CinderDeps, SagaDefinition<DiskUnserveParams>>();

/** Closes the ways to a volume's disk that were made for attachments which have ended. There is one definition for each cinder. */
export function diskUnserveSaga(deps: CinderDeps): SagaDefinition<DiskUnserveParams> {
  const saga =
    made.get(deps) ??
    defineSaga<DiskUnserveParams, unknown>({
      name: 'cinder.disk.unserve',
      steps: [
        {
          name: 'unserve',
          deadlineMs: DISK_DEADLINE_MS,
          attempts: 20,
          async do(step) {
            const row = await volumeById(step.db, step.params.volumeId);
            const host = row && boundHost(deps, row.host);
            // a host that is away is brought in line when it is back (app/remote.ts)
            if (!row || host == null || !deps.hosts.names().includes(host)) return;
            const { disks } = deps.hosts.get(host);
            const served = (await disks.served()).find(({ diskId }) => diskId === row.disk_id);
            for (const exportId of served?.exportIds ?? [])
              if (!(await attachmentById(step.db, attachmentOfExport(exportId)))) await disks.unserve(row.disk_id, exportId);
          },
        },
      ],
    });
  made.set(deps, saga);
  return saga;
}
