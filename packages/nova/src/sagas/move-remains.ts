import type { Db, Tx } from '@cairn/kit/store/store';
import type { NovaDeps } from '../app/deps.ts';
import { disksOf, migrationsWithRemains, patchMigration, UNCONFIRMED } from '../store/migration.ts';
import { clearOnHost } from './on-host.ts';
import { diskIds, removeAll } from './server-resize.ts';
import { giveRoomBack } from '../topology/room.ts';

/** Removes what a server that is being deleted still has on the other side of its moves: the disks that a revert would have gone back to. */
export async function clearOtherSides(
  deps: NovaDeps,
  step: { readonly db: Db; readonly attempt: number; readonly log: Parameters<typeof clearOnHost>[2]['log'] },
  serverId: string,
): Promise<void> {
  for (const migration of await migrationsWithRemains(step.db, serverId)) {
    const atDest = migration.at_dest === 1;
    const host = atDest ? migration.source_host : migration.dest_host;
    const ids = disksOf(migration).map((disk) => (atDest ? disk.oldDiskId : disk.newDiskId));
    if (host !== null) await clearOnHost(deps, host, step, diskIds(ids), (agent) => removeAll(agent, ids));
  }
}

/** The rows of that: claims of moves go, and moves that nobody confirmed count as confirmed, as upstream's deletion has it. */
export async function forgetOtherSides(deps: NovaDeps, tx: Tx, serverId: string): Promise<void> {
  const nowMs = deps.env.clock.nowMs();
  for (const migration of await migrationsWithRemains(tx, serverId)) {
    await giveRoomBack(deps, tx, migration.id);
    const unconfirmed = UNCONFIRMED.includes(migration.status);
    await patchMigration(tx, migration.id, { disks_json: '[]', updated_at_ms: nowMs, ...(unconfirmed && { status: 'confirmed' }) });
  }
}
