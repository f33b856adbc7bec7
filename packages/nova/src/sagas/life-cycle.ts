import type { SagaDefinition, SagaFailure } from '@cairn/kit/saga/saga';
import type { NovaDeps } from '../app/deps.ts';
import { type DiscardParams, disksDiscardSaga } from './disks-discard.ts';
import { type CacheImagesParams, cacheImagesSaga } from './image-cache.ts';
import { type BackupParams, serverBackupSaga } from './server-image.ts';
import { type PasswordParams, serverPasswordSaga } from './server-password.ts';
import type { Placing } from './server-place.ts';
import { type RebuildParams, serverRebuildSaga } from './server-rebuild.ts';
import { type RescueParams, serverRescueSaga, serverUnrescueSaga, type UnrescueParams } from './server-rescue.ts';
import {
  type OffloadParams,
  serverOffloadSaga,
  serverShelveSaga,
  serverUnshelveHereSaga,
  type ShelveParams,
  type UnshelveHereParams,
} from './server-shelve.ts';
import { type RestoreParams, serverRestoreSaga, serverSoftDeleteSaga, type SoftDeleteParams } from './server-soft-delete.ts';
import { serverUnshelveSaga, type UnshelveParams } from './server-unshelve.ts';

/** The sagas of a server's life between its creation and its end. */
export interface LifeCycleSagas {
  readonly discard: SagaDefinition<DiscardParams>;
  readonly rescue: SagaDefinition<RescueParams>;
  readonly unrescue: SagaDefinition<UnrescueParams>;
  readonly rebuild: SagaDefinition<RebuildParams>;
  readonly shelve: SagaDefinition<ShelveParams>;
  readonly offload: SagaDefinition<OffloadParams>;
  readonly unshelve: SagaDefinition<UnshelveParams>;
  readonly unshelveHere: SagaDefinition<UnshelveHereParams>;
  readonly backup: SagaDefinition<BackupParams>;
  readonly softDelete: SagaDefinition<SoftDeleteParams>;
  readonly restore: SagaDefinition<RestoreParams>;
  readonly password: SagaDefinition<PasswordParams>;
  readonly cacheImages: SagaDefinition<CacheImagesParams>;
}

/** Passwords on their way to a guest, by ticket; only in memory. */
export class Passwords {
  readonly #byTicket = new Map<string, string>();

  keep(ticket: string, password: string): void {
    // whatever was forgotten by its saga goes
    if (this.#byTicket.size > 1_000) this.#byTicket.clear();
    this.#byTicket.set(ticket, password);
  }

  take(ticket: string): string | undefined {
    const password = this.#byTicket.get(ticket);
    this.#byTicket.delete(ticket);
    return password;
  }
}

export function lifeCycleSagas(deps: NovaDeps, placing: Placing, passwords: Passwords, tell: (sagaId: string, failure: SagaFailure) => void): LifeCycleSagas {
  const discard = disksDiscardSaga(deps);
  const offload = serverOffloadSaga(deps, discard);
  return {
    discard,
    offload,
    rescue: serverRescueSaga(deps),
    unrescue: serverUnrescueSaga(deps, discard),
    rebuild: serverRebuildSaga(deps, discard),
    shelve: serverShelveSaga(deps, offload),
    unshelve: serverUnshelveSaga(deps, placing, discard),
    unshelveHere: serverUnshelveHereSaga(deps, discard),
    backup: serverBackupSaga(deps),
    softDelete: serverSoftDeleteSaga(deps),
    restore: serverRestoreSaga(deps),
    cacheImages: cacheImagesSaga(deps),
    password: serverPasswordSaga(deps, (ticket) => passwords.take(ticket), tell),
  };
}
