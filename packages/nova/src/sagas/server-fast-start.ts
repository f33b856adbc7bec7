import type { DiskSource } from '@cairn/host/interface/disks';
import type { GuestInfo, GuestSpec } from '@cairn/host/interface/guests';
import type { PreparedTemplate } from '@cairn/host/interface/templates';
import { isCairnError } from '@cairn/kit/errors/errors';
import type { StepContext } from '@cairn/kit/saga/saga';
import type { NovaDeps } from '../app/deps.ts';
import { wantsFastStart } from '../app/fast-start.ts';
import { guestSpec } from '../hosts/guest-spec.ts';
import { tpmWish } from '../hosts/hardware.ts';
import { type BlockDeviceRow, blockDevicesOf } from '../store/block-device.ts';
import { findServer, flavorOf, imageOf } from '../store/server.ts';
import type { FlavorSpecs, ImageProperties } from '../topology/flavor-or-image.ts';
import { topologyWish } from '../topology/wish.ts';
import { type LocalDisk, makeDisks } from './server-disks.ts';

const GIB = 2 ** 30;

/** How a step that a template takes part in went, as its output keeps it. */
export interface FastStartOutcome {
  /** Absent where the server boots. */
  readonly templateId?: string;
  /** Why it boots. */
  readonly reason?: string;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
}

type Step = Pick<StepContext<unknown, unknown>, 'db' | 'log' | 'signal'>;

/** A template for a server whose flavor or image asks for one, made if there is none; undefined where nobody asks. */
async function prepareTemplate(
  deps: NovaDeps,
  step: Step,
  serverId: string,
  host: string,
): Promise<{ readonly prepared: PreparedTemplate; readonly outcome: FastStartOutcome; readonly rootDiskId: string | null | undefined } | undefined> {
  const row = await findServer(step.db, serverId);
  if (row === undefined || !wantsFastStart(flavorOf(row), imageOf(row))) return undefined;
  const { clock } = deps.env;
  const startedAtMs = clock.nowMs();
  const devices = await blockDevicesOf(step.db, serverId);
  const root = rootOf(devices);
  const spec = guestSpec({ row, devices, ports: [], shared: new Set(), readOnly: new Set() });
  const prepared = isOnlyItself(flavorOf(row), imageOf(row).properties)
    ? { reason: 'a server with a virtual TPM, or with a place of its own on NUMA nodes, is not started from a template' }
    : await ask(deps, step, host, root, spec, flavorOf(row).rootGb);
  if (prepared.templateId === undefined) step.log.info({ serverId, host, reason: prepared.reason }, 'a server boots that was to start from a template');
  const { templateId } = prepared;
  const how = templateId === undefined ? { reason: prepared.reason } : { templateId };
  return {
    prepared,
    rootDiskId: root?.disk_id,
    outcome: { ...how, startedAtMs, finishedAtMs: clock.nowMs() },
  };
}

/** A TPM's state, and memory on certain nodes, are one server's: no other's memory goes with them. */
const isOnlyItself = (flavor: FlavorSpecs, image: ImageProperties): boolean =>
  tpmWish(flavor, image) !== undefined || topologyWish(flavor, image) !== undefined;

/** The disk that the image was written to, or is to be; a volume is none. */
const rootOf = (devices: readonly BlockDeviceRow[]): BlockDeviceRow | undefined =>
  devices.find((device) => device.boot_index === 0 && device.destination_type === 'local' && device.source_type === 'image');

async function ask(deps: NovaDeps, step: Step, host: string, root: BlockDeviceRow | undefined, spec: GuestSpec, rootGb: number): Promise<PreparedTemplate> {
  const disk = spec.disks.find((one) => one.diskId === root?.disk_id);
  if (root?.image_id == null || disk === undefined) return { reason: 'a server that boots from a volume is not started from a template' };
  const { guestId: _id, name: _name, disks: _disks, nics: _nics, ...machine } = spec;
  const { diskId: _disk, ...device } = disk;
  const image = await deps.faces.glance.source(step.db, root.image_id);
  return await deps.hosts.get(host).templates.prepare({ image, sizeBytes: rootGb * GIB, root: device, machine }, step.signal);
}

/**
 * Makes a server's disks, its root on a template where one is asked for and there; otherwise from the image. Undefined where no template was
 * asked for.
 */
export async function makeDisksFast(
  deps: NovaDeps,
  step: Step,
  serverId: string,
  host: string,
  disks: readonly LocalDisk[],
): Promise<FastStartOutcome | undefined> {
  const asked = await prepareTemplate(deps, step, serverId, host);
  if (asked?.prepared.templateId === undefined) {
    await makeDisks(deps, host, disks, step.signal);
    return asked?.outcome;
  }
  const { prepared, outcome, rootDiskId } = asked;
  const source: DiskSource = { kind: 'snapshot', ...prepared.disk };
  try {
    const onTemplate = disks.map((one) => (one.diskId === rootDiskId ? { ...one, disk: { ...one.disk, source } } : one));
    await makeDisks(deps, host, onTemplate, step.signal);
    return outcome;
  } catch (error) {
    if (!isCairnError(error, 'NotFound')) throw error;
    await makeDisks(deps, host, disks, step.signal);
    return { reason: 'the template went while the server was made', startedAtMs: outcome.startedAtMs, finishedAtMs: deps.env.clock.nowMs() };
  }
}

/** What became of a start that was to be from a template. */
export function startOutcome(info: GuestInfo, startedAtMs: number, finishedAtMs: number, templateId: string): FastStartOutcome {
  const { fastStart } = info;
  // a guest that was found running says nothing: it was started by an earlier try, from the same template
  return fastStart?.used === false ? { reason: fastStart.reason, startedAtMs, finishedAtMs } : { templateId, startedAtMs, finishedAtMs };
}
