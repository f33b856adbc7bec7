import { open, readFile, truncate } from 'node:fs/promises';
import { conflict, unavailable } from '@cairn/kit/errors/errors';
import type { GuestDisk, GuestLayout, GuestSpec } from '../interface/guests.ts';
import type { GuestHardware, GuestTpm } from '../interface/hardware.ts';
import { checkReachable, giveToGuest, processUser, shareWithGuests } from './account.ts';
import { type BlockNode, decrypting, diskNode, nodeName } from './blockdev.ts';
import { commandLine, type MachinePlan } from './command-line.ts';
import { busPlaces } from './devices.ts';
import { dropSecret, dropSecretFiles, secretFiles, secretId } from './disk-secrets.ts';
import { isExporter } from './exporter.ts';
import { asFault, startFault } from './faults.ts';
import { findFirmware, noFirmware, prepareFirmware } from './firmware.ts';
import type { Guest, Machine } from './guest.ts';
import type { DiskLayer, OpenableDisk } from './open-disks.ts';
import { endQemu, type QemuProcess, spawnQemu } from './qemu-process.ts';
import { Qmp } from './qmp.ts';
import { type GuestRecord, makeDirs } from './record.ts';
import { placeAll } from './slots.ts';
import { hostNuma, pinThreads } from './pinning.ts';
import type { ProcessIdentity } from './process-identity.ts';
import { throttle } from './throttle.ts';
import { endTpm, findSwtpm, startTpm } from './tpm.ts';

/** What a guest may use beside its own memory: QEMU itself, translated code, caches of disks, the display. */
const OVERHEAD_BYTES = 768 * 2 ** 20;
const OVERHEAD_PER_DISK_BYTES = 64 * 2 ** 20;
/** QEMU starts worker threads as disks ask for them, 64 at a time at most per pool. */
const MAX_TASKS = 1024;
const START_MS = 60_000;
/** Hot-plug ports of a template: what is started from it has no more. */
const TEMPLATE_PORTS = 12;

/** A disk's layers, and the node by which QEMU opens them. */
export interface OpenedDisk {
  readonly disk: GuestDisk;
  readonly layers: readonly DiskLayer[];
  /** The secret that it takes to open it. */
  readonly keyId?: string;
  readonly node: BlockNode & { readonly 'node-name': string };
}

const isReadOnly = (disk: GuestDisk): boolean => disk.readOnly === true || disk.kind === 'cdrom';

/** Holds the disk for the guest, whose user id is `uid`, and asks Disks for its layers. `comes`: by live migration, to wait until the disk is its own. */
export async function askForDisk(guest: Guest, uid: number | undefined, disk: GuestDisk, comes = false): Promise<OpenedDisk> {
  const { context, guestId } = guest;
  const { diskId, location } = disk;
  // what serves the disk to the host that a guest comes from lets go of it before the guest goes on here
  const others = context.holders.of(diskId).filter((holder) => holder !== guestId && !(comes && isExporter(holder)));
  if (others.length && !disk.shared && !isReadOnly(disk))
    throw conflict(`The disk for ${disk.device} is in use by another server.`, { detail: { diskId, others } });
  context.holders.add(diskId, guestId);
  if (location) return opened(disk, await context.imports.open(guestId, uid, diskId, location));
  return opened(disk, await context.asking.ask(diskId, context.options.openDisk));
}

/** What QEMU must have before it opens disks of other hosts: the keys to them. */
const credentials = (guest: Guest, disks: readonly GuestDisk[]): readonly object[] =>
  disks.flatMap(({ diskId, location }) => (location ? [guest.context.imports.credentials(guest.guestId, diskId, location)] : []));

function opened(disk: GuestDisk, { layers, keyId }: OpenableDisk): OpenedDisk {
  const { diskId } = disk;
  const [top] = layers;
  if (!top) throw unavailable(`Disk ${diskId} has no layers.`);
  const node = { ...diskNode(diskId, layers, { readOnly: isReadOnly(disk), shared: disk.shared === true }), 'node-name': nodeName(diskId, top) };
  if (keyId === undefined) return { disk, layers, node };
  if (disk.shared) throw conflict(`Disk ${diskId} cannot be attached to several servers: it is encrypted.`);
  return { disk, layers, keyId, node: decrypting(diskId, node, secretId(diskId)) };
}

/** Lets the guest's user open the files of a disk. The record names the disk already: what is given here will be taken back. */
export async function lendDisk(guest: Guest, uid: number | undefined, { disk, layers }: OpenedDisk): Promise<void> {
  const { account } = guest.context;
  await Promise.all(
    layers.map(async (layer, depth) => {
      if (!('path' in layer)) {
        const socket = socketOf(layer.protocol);
        if (socket !== undefined) await giveToGuest(account, uid, socket);
        return;
      }
      await checkReachable(account, layer.path);
      if (depth > 0 || isReadOnly(disk)) await shareWithGuests(account, layer.path);
      else if (disk.shared) await shareWithGuests(account, layer.path, { write: true });
      else await giveToGuest(account, uid, layer.path);
    }),
  );
}

/** The socket that a disk of a back end is reached by. */
function socketOf(protocol: Readonly<Record<string, unknown>>): string | undefined {
  const server = protocol['server'] as { readonly type?: string; readonly path?: string } | undefined;
  return server?.type === 'unix' ? server.path : undefined;
}

export interface LaunchOptions {
  /** Waits for a saved memory instead of running. */
  readonly incoming?: boolean;
  /** How the machine is laid out that this one takes over from. */
  readonly layout?: GuestLayout;
  /** The machine becomes a template, or is started from one. Its memory is this file, open as 3 and up in its process where it must be. */
  readonly fastStart?: { readonly isTemplate: boolean; readonly memoryPath: string; readonly inherit: readonly number[] };
}

/**
 * Starts QEMU for `spec` and takes charge of it. Resolves when it runs (with `incoming`: when it waits). On failure nothing runs, and the
 * guest's state is as before.
 */
export async function launch(guest: Guest, spec: GuestSpec, options: LaunchOptions = {}): Promise<Machine> {
  const before = guest.record;
  let process: QemuProcess | undefined;
  let confined: Promise<void> | undefined;
  try {
    const started = await prepare(guest, spec, options);
    process = await spawnQemu(started.spawn);
    // In control groups while it is still coming up.
    confined = context(guest)
      .controlGroups()
      .then((groups) => groups.confine(guest.guestId, process?.identity.pid ?? 0, limits(spec)))
      .catch((error: unknown) => {
        if (process?.hasEnded() === false) context(guest).log.warn({ guest: guest.guestId, err: error }, 'a guest runs without its control groups');
      });
    const { qmp, status } = await connect(guest, process, options);
    await forgetSecrets(guest, qmp, started.record.encrypted ?? []);
    await throttle(qmp, spec.disks);
    const machine = guest.take(process, qmp);
    await pinThreads(qmp, process.identity.pid, spec.hardware?.numa, started.hostNuma, context(guest).options.cpus);
    await Promise.all([
      guest.remember({
        ...started.record,
        process: process.identity,
        startedAtMs: context(guest).clock.nowMs(),
        state: options.incoming ? 'suspended' : 'running',
        reason: 'started',
      }),
      confined,
    ]);
    // A guest may be over before anybody could listen.
    guest.notice(machine, status);
    return machine;
  } catch (error) {
    // Groups that are still being made could not be taken away.
    await confined;
    await abandon(guest, before, process);
    throw asFault(error, 'The server cannot be started');
  }
}

const context = (guest: Guest): Guest['context'] => guest.context;

const limits = (spec: GuestSpec): { vcpus: number; memoryBytes: number; maxTasks: number } => ({
  vcpus: spec.vcpus,
  memoryBytes: spec.memoryMb * 2 ** 20 + OVERHEAD_BYTES + spec.disks.length * OVERHEAD_PER_DISK_BYTES,
  maxTasks: MAX_TASKS + spec.vcpus,
});

/** Everything up to the argv: directories, ownership, layout, record. */
async function prepare(
  guest: Guest,
  spec: GuestSpec,
  options: LaunchOptions,
): Promise<{
  readonly record: GuestRecord;
  readonly spawn: Parameters<typeof spawnQemu>[0];
  readonly hostNuma: Awaited<ReturnType<typeof hostNuma>>;
}> {
  const { context: ctx, files, record: before } = guest;
  const [inventory] = await Promise.all([ctx.inventory(), makeDirs(files)]);
  const uid = before?.uid ?? ctx.takeUid();
  await Promise.all([checkReachable(ctx.account, files.consoleLog), checkReachable(ctx.account, files.socketDir)]);
  const machine = spec.machine ?? 'q35';
  // A saved memory fits only the machine that it was saved from.
  const same = options.layout ?? (options.incoming ? before : undefined);
  const accelerator = same?.accelerator ?? inventory.accelerator;
  const { fastStart } = options;
  const { slots, ports } = placeAll(spec.disks, spec.nics, (options.layout ?? before)?.slots ?? {}, machine);
  const [opened, firmware, kernel] = await Promise.all([
    Promise.all(spec.disks.map((disk) => askForDisk(guest, uid, disk, options.layout !== undefined))),
    spec.firmware === 'uefi' ? uefi(guest, uid, spec.hardware) : undefined,
    spec.kernel ? kernelFiles(guest, spec.kernel) : undefined,
    logFile(guest, uid, !options.incoming),
    fastStart && fastStart.inherit.length === 0 ? lendMemory(guest, uid, fastStart.memoryPath) : undefined,
    ctx.account && uid !== undefined ? ownDirectory(files.socketDir, uid, ctx.account.gid) : undefined,
  ]);
  const encrypted = opened.flatMap(({ disk, keyId }) => (keyId === undefined ? [] : [{ diskId: disk.diskId, keyId }]));
  const numa = await hostNuma(ctx.options.cpus);
  endTpm(before?.tpm);
  const tpm = spec.hardware?.tpm && (await tpmOf(guest, spec.hardware.tpm, uid));
  const record: GuestRecord = {
    version: 1,
    ...(tpm && { tpm }),
    spec,
    state: before?.state ?? 'absent',
    reason: 'starting',
    ...(uid === undefined ? {} : { uid }),
    slots,
    ports: same?.ports ?? (fastStart?.isTemplate ? Math.max(ports, TEMPLATE_PORTS) : ports),
    places: same?.places ?? busPlaces(spec.disks),
    layers: Object.fromEntries(opened.map(({ disk, layers }) => [disk.diskId, layers])),
    ...(encrypted.length > 0 && { encrypted: encrypted.map(({ diskId }) => diskId) }),
    machineType: same?.machineType ?? `pc-${machine === 'pc' ? 'i440fx' : 'q35'}-${inventory.major}.${inventory.minor}`,
    accelerator,
    cpuModel: options.layout?.cpuModel ?? spec.cpuModel ?? (accelerator === 'kvm' ? 'host' : 'max'),
    ...(fastStart?.isTemplate ? { isTemplate: true } : {}),
    ...(fastStart && !fastStart.isTemplate ? { fastStart: 'coming' as const } : !fastStart && same?.fastStart ? { fastStart: 'started' as const } : {}),
  };
  const plan: MachinePlan = {
    spec,
    paths: files,
    machine,
    machineType: record.machineType,
    accelerator,
    cpuModel: record.cpuModel,
    seccomp: inventory.seccomp,
    slots,
    ports: record.ports,
    places: record.places,
    nodes: new Map(opened.map(({ disk, node }) => [disk.diskId, node])),
    ...(firmware ? { firmware } : {}),
    ...(kernel ? { kernel } : {}),
    ...(fastStart ? { fastStart: { memory: { path: fastStart.memoryPath, isShared: fastStart.isTemplate } } } : record.fastStart ? { fastStart: {} } : {}),
    incoming: options.incoming === true,
    hostNodes: numa?.length ?? 1,
  };
  // Before the process and the disks, so that a crash of Cairn in between leaves something by which they are found.
  await guest.remember(record);
  const [secrets] = await Promise.all([secretFiles(guest, uid, encrypted), ...opened.map((disk) => lendDisk(guest, uid, disk))]);
  return {
    record,
    hostNuma: numa,
    spawn: {
      qemu: ctx.qemu,
      args: commandLine({ ...plan, secrets: [...secrets, ...credentials(guest, spec.disks)] }),
      netns: ctx.options.netns,
      user: ctx.account && uid !== undefined ? processUser(ctx.account, uid) : undefined,
      logPath: files.qemuLog,
      inherit: fastStart?.inherit ?? [],
    },
  };
}

/** QEMU has opened its disks: neither it nor a file has their secrets any longer. */
async function forgetSecrets(guest: Guest, qmp: Qmp, diskIds: readonly string[]): Promise<void> {
  if (diskIds.length === 0) return;
  await dropSecretFiles(guest);
  for (const diskId of diskIds) await dropSecret(qmp, diskId);
}

/** The guest's TPM, running. It is the guest's user's, as QEMU is. */
async function tpmOf(guest: Guest, tpm: GuestTpm, uid: number | undefined): Promise<ProcessIdentity> {
  const { context: ctx, files } = guest;
  const program = await findSwtpm(ctx.options.swtpm ?? 'swtpm');
  if (program === undefined) throw unavailable('This server has a virtual TPM, and this host cannot make one. Install the package swtpm.');
  return startTpm({ program, files, tpm, user: ctx.account && uid !== undefined ? processUser(ctx.account, uid) : undefined, clock: ctx.clock });
}

async function uefi(guest: Guest, uid: number | undefined, hardware: GuestHardware | undefined): Promise<NonNullable<MachinePlan['firmware']>> {
  const { context: ctx, files } = guest;
  const found = await findFirmware(ctx.options.firmwareDirs, hardware?.secureBoot === true);
  if (hardware?.statelessFirmware) {
    if (!found) throw noFirmware(hardware.secureBoot === true);
    await checkReachable(ctx.account, found.codePath);
    await shareWithGuests(ctx.account, found.codePath);
    return { codePath: found.codePath };
  }
  const firmware = await prepareFirmware(found, files.firmwareVariables, hardware?.secureBoot === true);
  await Promise.all([
    giveToGuest(ctx.account, uid, firmware.variablesPath),
    checkReachable(ctx.account, firmware.codePath),
    shareWithGuests(ctx.account, firmware.codePath),
  ]);
  return firmware;
}

async function kernelFiles(guest: Guest, kernel: NonNullable<GuestSpec['kernel']>): Promise<NonNullable<MachinePlan['kernel']>> {
  const { account, options } = guest.context;
  const share = async (imageId: string): Promise<string> => {
    const path = await options.imagePath(imageId);
    await checkReachable(account, path);
    await shareWithGuests(account, path);
    return path;
  };
  const [kernelPath, ramdiskPath] = await Promise.all([share(kernel.imageId), kernel.ramdiskImageId === undefined ? undefined : share(kernel.ramdiskImageId)]);
  return { kernelPath, ...(ramdiskPath === undefined ? {} : { ramdiskPath }), commandLine: kernel.commandLine };
}

/** Memory in a file of the guest's own: a template's, or the copy of one. */
async function lendMemory(guest: Guest, uid: number | undefined, path: string): Promise<void> {
  await checkReachable(guest.context.account, path);
  await giveToGuest(guest.context.account, uid, path);
}

/** The console's log exists before QEMU opens it, so that its directory can stay root's. A new start begins a new log, as upstream's does. */
async function logFile(guest: Guest, uid: number | undefined, fresh: boolean): Promise<void> {
  const { consoleLog, consoleLogBefore, qemuLog } = guest.files;
  await (await open(consoleLog, fresh ? 'w' : 'a', 0o600)).close();
  await giveToGuest(guest.context.account, uid, consoleLog);
  if (fresh) await truncate(consoleLogBefore).catch(() => {});
  await truncate(qemuLog).catch(() => {});
}

async function ownDirectory(dir: string, uid: number, gid: number): Promise<void> {
  const handle = await open(dir, 'r');
  try {
    await handle.chown(uid, gid);
    await handle.chmod(0o700);
  } finally {
    await handle.close();
  }
}

async function connect(guest: Guest, process: QemuProcess, options: LaunchOptions): Promise<{ qmp: Qmp; status: string }> {
  const qmp = await Qmp.connect(guest.files.qmpSocket, {
    clock: guest.context.clock,
    timeoutMs: START_MS,
    hopeless: () => (process.hasEnded() ? unavailable('QEMU ended at its start.') : undefined),
  });
  const { status } = await qmp.execute<{ status: string }>('query-status');
  const expected = options.incoming ? ['inmigrate'] : ['running', 'paused', 'shutdown', 'guest-panicked'];
  if (!expected.includes(status)) throw unavailable(`The server came up in the unexpected state ${status}.`);
  return { qmp, status };
}

/** After a failed start: no process, no held disk, and the record as it was. Throws the better-founded reason where QEMU gave one. */
async function abandon(guest: Guest, before: GuestRecord | undefined, process: QemuProcess | undefined): Promise<void> {
  const { log } = guest.context;
  const endedByItself = process?.hasEnded() === true;
  if (process)
    await endQemu(process, undefined, guest.context.clock).catch((error: unknown) =>
      log.error({ guest: guest.guestId, err: error }, 'a failed start left its process behind'),
    );
  endTpm(guest.record?.tpm);
  const said = await readFile(guest.files.qemuLog, 'utf8').catch(() => '');
  await dropSecretFiles(guest);
  await guest.end(before?.state ?? 'absent', before?.reason ?? '');
  guest.context.holders.removeGuest(guest.guestId);
  if (before) await guest.remember(before);
  else await guest.forget();
  if (endedByItself) throw startFault(said);
}
