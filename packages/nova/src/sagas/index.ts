import type { SagaDefinition, SagaFailure } from '@cairn/kit/saga/saga';
import type { NovaDeps } from '../app/deps.ts';
import type { CreateServerParams } from '../app/server-create.ts';
import { type LifeCycleSagas, lifeCycleSagas, Passwords } from './life-cycle.ts';
import { serverCreateSaga } from './server-create.ts';
import { type DeleteServerParams, serverDeleteSaga } from './server-delete.ts';
import { serverImageSaga, type ServerImageParams, volumeImageSaga, type VolumeImageParams } from './server-image.ts';
import {
  interfaceAttachSaga,
  type InterfaceAttachParams,
  interfaceDetachSaga,
  type InterfaceDetachParams,
  type UnplugParams,
  unplugSaga,
} from './server-interface.ts';
import { Placing } from './server-place.ts';
import { type PowerSagas, serverPowerSagas } from './server-power.ts';
import { serverSettleSaga, type SettleParams } from './server-settle.ts';
import { confirmResizeSaga, type FinishParams, type ResizeParams, revertResizeSaga, serverResizeSaga } from './server-resize.ts';
import { type LeftBehindParams, leftBehindSaga, type LiveParams, serverLiveSaga } from './server-live.ts';
import { type EvacuateParams, serverEvacuateSaga } from './server-evacuate.ts';
import { volumeAttachSaga, volumeDetachSaga, type VolumeParams } from './server-volume.ts';
import { volumeMoveSaga, type VolumeMoveParams } from './server-volume-move.ts';
import { volumeSwapSaga, type VolumeSwapParams } from './server-volume-swap.ts';

/** Nova's sagas, made once per process with what they work on. */
export interface NovaSagas extends LifeCycleSagas {
  readonly create: SagaDefinition<CreateServerParams>;
  readonly remove: SagaDefinition<DeleteServerParams>;
  readonly power: PowerSagas;
  readonly settle: SagaDefinition<SettleParams>;
  readonly image: SagaDefinition<ServerImageParams>;
  readonly volumeImage: SagaDefinition<VolumeImageParams>;
  readonly volumeAttach: SagaDefinition<VolumeParams>;
  readonly volumeDetach: SagaDefinition<VolumeParams>;
  readonly volumeMove: SagaDefinition<VolumeMoveParams>;
  readonly volumeSwap: SagaDefinition<VolumeSwapParams>;
  readonly interfaceAttach: SagaDefinition<InterfaceAttachParams>;
  readonly interfaceDetach: SagaDefinition<InterfaceDetachParams>;
  readonly unplug: SagaDefinition<UnplugParams>;
  readonly passwords: Passwords;
  readonly live: SagaDefinition<LiveParams>;
  readonly leftBehind: SagaDefinition<LeftBehindParams>;
  readonly evacuate: SagaDefinition<EvacuateParams>;
  readonly resize: SagaDefinition<ResizeParams>;
  readonly confirmResize: SagaDefinition<FinishParams>;
  readonly revertResize: SagaDefinition<FinishParams>;
  /** Why a saga of this process failed, for the request that waits for it; told once. */
  failureOf(sagaId: string): SagaFailure | undefined;
  readonly all: readonly SagaDefinition[];
}

export function createNovaSagas(deps: NovaDeps): NovaSagas {
  const failures = new Map<string, SagaFailure>();
  const placing = new Placing(deps);
  const unplug = unplugSaga(deps);
  const leftBehind = leftBehindSaga(deps);
  const passwords = new Passwords();
  const tell = (sagaId: string, failure: SagaFailure): void => {
    // nobody may be waiting any more
    if (failures.size > 1_000) failures.clear();
    failures.set(sagaId, failure);
  };
  const sagas = {
    create: serverCreateSaga(deps, placing),
    remove: serverDeleteSaga(deps),
    power: serverPowerSagas(deps),
    settle: serverSettleSaga(deps),
    image: serverImageSaga(deps),
    volumeImage: volumeImageSaga(deps),
    volumeAttach: volumeAttachSaga(deps),
    volumeDetach: volumeDetachSaga(deps),
    volumeMove: volumeMoveSaga(deps),
    volumeSwap: volumeSwapSaga(deps),
    interfaceAttach: interfaceAttachSaga(deps, tell),
    interfaceDetach: interfaceDetachSaga(deps, unplug),
    unplug,
    ...lifeCycleSagas(deps, placing, passwords, tell),
    live: serverLiveSaga(deps, leftBehind),
    leftBehind,
    evacuate: serverEvacuateSaga(deps),
    resize: serverResizeSaga(deps),
    confirmResize: confirmResizeSaga(deps),
    revertResize: revertResizeSaga(deps),
  };
  const { power, ...single } = sagas;
  return {
    ...sagas,
    passwords,
    failureOf(sagaId) {
      const failure = failures.get(sagaId);
      failures.delete(sagaId);
      return failure;
    },
    all: [...Object.values(single), ...Object.values(power)],
  };
}
