import type { Tx } from '@cairn/kit/store/store';
import { invalid, invalidVolume } from '../errors.ts';
import { subjectOf } from '../sagas/common.ts';
import type { VolumeRow } from '../store/tables.ts';
import { typeById } from '../store/types.ts';
import { updateVolume } from '../store/volumes.ts';
import type { CinderApp } from './app.ts';
import { type Caller, requesterOf, targetOf } from './caller.ts';
import { emitVolume } from './events.ts';
import { claimQuota } from './quota.ts';
import { sizeProblem } from './types.ts';
import { isMigrating } from './volume-migrate.ts';

/** Accepts a larger size; `attached` says that a volume in use may be extended, too. */
export async function extendVolume(app: CinderApp, tx: Tx, caller: Caller, row: VolumeRow, newSizeGb: number, attached: boolean): Promise<void> {
  const { env, options } = app.deps;
  const online = attached && row.status === 'in-use';
  caller.authorize(online ? 'volume:extend_attached_volume' : 'volume:extend', targetOf(row));
  if (newSizeGb <= row.size_gb) throw invalid(`New size for extend must be greater than current size. (current: ${row.size_gb}, extended: ${newSizeGb}).`);
  const type = (await typeById(tx, row.type_id)) ?? { id: row.type_id, name: row.type_id };
  if ('extra_specs' in type) {
    const problem = sizeProblem(type, newSizeGb);
    if (problem !== undefined) throw invalid(problem);
  }
  const expected = online ? 'in-use' : 'available';
  if (row.status !== expected) throw invalidVolume(`Volume ${row.id} status must be '{'status': '${expected}'}' to extend, currently ${row.status}.`);
  if (isMigrating(row)) throw invalidVolume(`Volume ${row.id} cannot be extended while it is migrating.`);
  const more = newSizeGb - row.size_gb;
  await claimQuota(tx, options.quotaDefaults, { projectId: row.project_id, type, change: { growing_gb: more }, resource: 'volumes', volumeGb: newSizeGb });
  await updateVolume(tx, row.id, { status: 'extending', previous_status: row.status, growing_gb: more }, env.clock.nowMs());
  const who = requesterOf(caller.ctx);
  await emitVolume(env, tx, who, 'resize.start', { ...row, status: 'extending' });
  await env.sagas.start(
    tx,
    app.sagas.volumeExtend,
    { volumeId: row.id, newSizeGb, who },
    { subject: subjectOf(row.id), requestId: who.requestId, userId: who.userId, projectId: row.project_id },
  );
}
