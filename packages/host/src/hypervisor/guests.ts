import { mkdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { invalidInput, unavailable } from '@cairn/kit/errors/errors';
import type {
  GuestDiagnostics,
  GuestDisk,
  GuestInfo,
  GuestLayout,
  GuestNic,
  GuestPlaces,
  GuestSpec,
  Guests,
  GuestUsage,
  LiveChannel,
  LiveHurry,
  LiveProgress,
  LiveReceive,
  LiveSend,
  StartOptions,
  UsageQuestion,
} from '../interface/guests.ts';
import { checkReachable, processUser } from './account.ts';
import { Asking } from './asking.ts';
import { type ControlGroups, openControlGroups } from './cgroups.ts';
import { readConsole, trimLogs } from './console-log.ts';
import { Holders, type HypervisorContext, type QemuOptions } from './context.ts';
import { describeHypervisor, type HypervisorFacts } from './describe.ts';
import { diagnose } from './diagnostics.ts';
import { isExporter } from './exporter.ts';
import { Exporters } from './exporters.ts';
import { asFault } from './faults.ts';
import { makeTemplate, startFromTemplate, type TemplateFiles } from './fast-start.ts';
import { findFirmware } from './firmware.ts';
import { Guest } from './guest.ts';
import { askAgent } from './guest-agent.ts';
import { Imports } from './imports.ts';
import { type Inventory, takeInventory } from './inventory.ts';
import * as lifecycle from './lifecycle.ts';
import * as live from './live.ts';
import { KeyedMutex } from './mutex.ts';
import { OpenDiskWork } from './open-disk-work.ts';
import type { OpenDisks } from './open-disks.ts';
import { placesOf } from './places.ts';
import * as plug from './plug.ts';
import { guestsDir, RUN_DIR_BYTES } from './record.ts';
import { recoverGuests } from './recover.ts';
import { checkDisk, checkGuestId, checkNic, checkSpec } from './spec.ts';
import * as saved from './suspend.ts';
import { swapDisk } from './swap.ts';
import { hostNuma } from './pinning.ts';
import { reopen } from './post-copy.ts';
import { findSwtpm, packTpm } from './tpm.ts';
import { type SampledGuest, UsageSampler } from './usage.ts';

const TPM_TRAITS = ['COMPUTE_SECURITY_TPM_1_2', 'COMPUTE_SECURITY_TPM_2_0', 'COMPUTE_SECURITY_TPM_CRB', 'COMPUTE_SECURITY_TPM_TIS'];

/** How often consoles' logs are looked at. */
const TRIM_MS = 5000;

/** Real guests: one QEMU process each. */
export class QemuGuests implements Guests {
  readonly #context: HypervisorContext;
  readonly #options: QemuOptions;
  readonly #guests = new Map<string, Guest>();
  /** Calls under way per guest, so that a guest that is gone is dropped only when nobody holds it. */
  readonly #calls = new Map<string, number>();
  readonly #byDisk = new KeyedMutex();
  readonly #byNic = new KeyedMutex();
  #inventory: Promise<Inventory> | undefined;
  #controlGroups: Promise<ControlGroups> | undefined;
  #lastUid = 0;
  #found = false;
  #stopped = false;
  /** Work on disks that guests have open, for Disks. */
  readonly openDisks: OpenDisks;
  /** The disks that other hosts' guests use. */
  readonly exporters: Exporters;
  readonly #imports: Imports;
  readonly #usage: UsageSampler;

  constructor(options: QemuOptions) {
    if (Buffer.byteLength(options.runDir) > RUN_DIR_BYTES)
      throw invalidInput(`The run directory's name is longer than ${RUN_DIR_BYTES} bytes, too long for sockets: ${options.runDir}`);
    if (!/^[A-Za-z0-9_.-]{1,64}$/.test(options.name)) throw invalidInput('A host is named by letters, digits, dots, dashes and underscores.');
    this.#options = options;
    const holders = new Holders();
    const asking = new Asking();
    const { between } = options;
    const context: Omit<HypervisorContext, 'imports'> = {
      options,
      qemu: options.qemu ?? 'qemu-system-x86_64',
      clock: options.clock,
      log: options.log,
      account: options.account,
      inventory: () => this.inventory(),
      controlGroups: () => this.#groups(),
      holders,
      asking,
      takeUid: () => this.#takeUid(),
    };
    this.#imports = new Imports(context, join(options.runDir, 'n'), between?.netns);
    this.#context = { ...context, imports: this.#imports };
    this.exporters = new Exporters({
      context: this.#context,
      dataDir: join(options.dataDir, 'exports'),
      runDir: join(options.runDir, 'x'),
      between,
      hasGone: (guestId) => {
        const guest = this.#guests.get(guestId);
        return guest !== undefined && live.hasGone(guest);
      },
    });
    this.#usage = new UsageSampler({ clock: options.clock, log: options.log, running: () => this.#running() });
    this.openDisks = new OpenDiskWork({
      find: (holder) => (isExporter(holder) ? this.exporters.find(holder) : this.#guests.get(holder)),
      holders: (diskId) => holders.of(diskId),
      asking,
      byDisk: this.#byDisk,
      clock: options.clock,
    });
  }

  /** Makes directories, learns what QEMU can do, and finds the guests of an earlier run. Before anything else. */
  async recover(): Promise<void> {
    const { dataDir, runDir, account } = this.#options;
    await Promise.all([mkdir(guestsDir(dataDir), { recursive: true, mode: 0o711 }), mkdir(runDir, { recursive: true, mode: 0o711 })]);
    await checkReachable(account, `${guestsDir(dataDir)}/guest`);
    await this.#imports.recover();
    const guests = await recoverGuests(this.#context);
    for (const guest of guests) this.#guests.set(guest.guestId, guest);
    await this.exporters.recover();
    this.#found = true;
    this.#stopped = false;
    this.#trimLater();
    this.#usage.start();
  }

  /** Ends every guest and all that serves disks, at once, as switching the host off does. */
  async halt(): Promise<void> {
    await Promise.all([...this.#guests.values()].filter((guest) => guest.machine).map((guest) => lifecycle.shutDown(guest, 0)));
    await this.exporters.halt();
    await this.#imports.halt();
  }

  /** Lets go of all guests; they run on. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#usage.stop();
    for (const guest of this.#guests.values()) guest.letGo();
    this.#guests.clear();
    this.exporters.letGo();
    this.#imports.letGo();
  }

  /** Ends and forgets all guests, and leaves no trace but what Disks has. */
  async destroy(): Promise<void> {
    const { dataDir, runDir } = this.#options;
    if (!this.#found || this.#stopped) await this.recover();
    await Promise.all([...this.#guests.keys()].map((guestId) => this.remove(guestId)));
    await this.exporters.destroy();
    await this.#imports.halt();
    this.#stopped = true;
    this.#usage.stop();
    await (await this.#groups()).destroy();
    await Promise.all([guestsDir(dataDir), `${dataDir}/hypervisor.json`, runDir].map((path) => rm(path, { recursive: true, force: true })));
  }

  /** What QEMU is and can do here; asked once. */
  inventory(): Promise<Inventory> {
    this.#inventory ??= this.#takeInventory().catch((error: unknown) => {
      this.#inventory = undefined;
      throw error;
    });
    return this.#inventory;
  }

  async describe(): Promise<HypervisorFacts> {
    const { account, firmwareDirs, cpus, swtpm = 'swtpm' } = this.#options;
    const [inventory, groups, firmware, secure, tpm, numa] = await Promise.all([
      this.inventory(),
      this.#groups(),
      findFirmware(firmwareDirs),
      findFirmware(firmwareDirs, true),
      findSwtpm(swtpm),
      hostNuma(cpus),
    ]);
    const traits = [
      ...(tpm === undefined ? [] : TPM_TRAITS),
      ...(secure ? ['COMPUTE_SECURITY_UEFI_SECURE_BOOT'] : []),
      ...(firmware ? ['COMPUTE_SECURITY_STATELESS_FIRMWARE'] : []),
    ];
    // a host with one node whose processors are all shared and that has small pages alone has nothing to choose from
    const isPlain = numa === undefined || (numa.length === 1 && cpus === undefined && numa[0]?.pages.length === 1);
    const facts = await describeHypervisor(inventory, {
      controlGroups: groups.description,
      guestUser: !account
        ? 'guests run as the user of Cairn itself'
        : account.uids > 1
          ? `a user id for each guest, from ${account.firstUid}`
          : `all guests share the user id ${account.firstUid}`,
      uefi: firmware ? firmware.codePath : 'no UEFI firmware is installed (package ovmf)',
    });
    return { ...facts, traits: [...facts.traits, ...traits].toSorted(), ...(isPlain ? {} : { numa }) };
  }

  start(spec: GuestSpec, { templateId }: StartOptions = {}): Promise<GuestInfo> {
    checkSpec(spec);
    return this.#with(spec.guestId, (guest) => (templateId === undefined ? lifecycle.start(guest, spec) : startFromTemplate(guest, spec, templateId)));
  }

  /** For Templates: boots a guest that is nobody's, and keeps it. */
  makeTemplate(spec: GuestSpec, files: TemplateFiles, limits: Parameters<typeof makeTemplate>[3]): ReturnType<typeof makeTemplate> {
    checkSpec(spec);
    return this.#with(spec.guestId, (guest) => makeTemplate(guest, spec, files, limits));
  }

  shutDown(guestId: string, graceMs: number): Promise<GuestInfo> {
    return this.#with(guestId, (guest) => lifecycle.shutDown(guest, graceMs));
  }

  remove(guestId: string): Promise<void> {
    return this.#with(guestId, (guest) => lifecycle.remove(guest));
  }

  rebootSoft(guestId: string, graceMs: number): Promise<GuestInfo> {
    return this.#with(guestId, (guest) => lifecycle.rebootSoft(guest, graceMs));
  }

  rebootHard(spec: GuestSpec): Promise<GuestInfo> {
    checkSpec(spec);
    return this.#with(spec.guestId, (guest) => lifecycle.rebootHard(guest, spec));
  }

  pause(guestId: string): Promise<GuestInfo> {
    return this.#with(guestId, lifecycle.pause);
  }

  unpause(guestId: string): Promise<GuestInfo> {
    return this.#with(guestId, lifecycle.unpause);
  }

  suspend(guestId: string): Promise<GuestInfo> {
    return this.#with(guestId, saved.suspend);
  }

  resume(spec: GuestSpec): Promise<GuestInfo> {
    checkSpec(spec);
    return this.#with(spec.guestId, (guest) => saved.resume(guest, spec));
  }

  attachDisk(guestId: string, disk: GuestDisk): Promise<void> {
    checkDisk(disk);
    return this.#with(guestId, (guest) => this.#byDisk.run(disk.diskId, () => plug.attachDisk(guest, disk)));
  }

  detachDisk(guestId: string, diskId: string, waitMs: number): Promise<void> {
    return this.#with(guestId, (guest) => this.#byDisk.run(diskId, () => plug.detachDisk(guest, diskId, waitMs)));
  }

  diskHasGrown(guestId: string, diskId: string, sizeBytes: number): Promise<void> {
    return this.#with(guestId, (guest) => this.#byDisk.run(diskId, () => plug.diskHasGrown(guest, diskId, sizeBytes)));
  }

  swapDisk(guestId: string, diskId: string, disk: GuestDisk, signal?: AbortSignal): Promise<void> {
    checkDisk(disk);
    // in one order, so that two calls never wait for each other
    const [one, other] = [diskId, disk.diskId].toSorted() as [string, string];
    return this.#with(guestId, (guest) => this.#byDisk.run(one, () => this.#byDisk.run(other, () => swapDisk(guest, diskId, disk, signal))));
  }

  attachNic(guestId: string, nic: GuestNic): Promise<void> {
    checkNic(nic);
    return this.#with(guestId, (guest) => this.#byNic.run(nic.portId, () => plug.attachNic(guest, nic)));
  }

  detachNic(guestId: string, portId: string, waitMs: number): Promise<void> {
    return this.#with(guestId, (guest) => this.#byNic.run(portId, () => plug.detachNic(guest, portId, waitMs)));
  }

  layout(guestId: string): Promise<GuestLayout> {
    return this.#with(guestId, async (guest) => live.layout(guest));
  }

  async places(spec: GuestSpec, anew?: boolean): Promise<GuestPlaces> {
    return placesOf(spec, (anew ? undefined : this.#guests.get(spec.guestId)?.record?.slots) ?? {});
  }

  receiveLive(spec: GuestSpec, layout: GuestLayout, mirrored: readonly string[], options?: LiveReceive): Promise<Readonly<Record<string, string>>> {
    checkSpec(spec);
    return this.#with(spec.guestId, (guest) => live.receive(guest, spec, layout, mirrored, options));
  }

  reopenLive(guestId: string): Promise<void> {
    return this.#with(guestId, reopen);
  }

  liveChannel(guestId: string, which: LiveChannel): Promise<Duplex> {
    return this.#with(guestId, (guest) => live.channel(guest, which));
  }

  sendLive(guestId: string, options: LiveSend): Promise<void> {
    return this.#with(guestId, (guest) => live.send(guest, options, options.signal));
  }

  liveProgress(guestId: string): Promise<LiveProgress> {
    return this.#with(guestId, live.progress);
  }

  hastenLive(guestId: string): Promise<LiveHurry> {
    return this.#with(guestId, live.hasten);
  }

  resumeLive(guestId: string, run: boolean): Promise<void> {
    return this.#with(guestId, (guest) => live.goOn(guest, run));
  }

  finishLive(guestId: string, run: boolean): Promise<GuestInfo> {
    return this.#with(guestId, (guest) => live.finish(guest, run));
  }

  async info(guestId: string): Promise<GuestInfo> {
    return this.#guests.get(guestId)?.info() ?? { guestId, state: 'absent' };
  }

  async list(): Promise<readonly GuestInfo[]> {
    return [...this.#guests.values()].filter((guest) => guest.state !== 'absent' && !guest.record?.isTemplate).map((guest) => guest.info());
  }

  consoleLog(guestId: string, lines?: number): Promise<string> {
    return this.#with(guestId, async (guest) => {
      guest.known();
      return readConsole(guest.files, lines);
    });
  }

  diagnostics(guestId: string): Promise<GuestDiagnostics> {
    return this.#with(guestId, diagnose);
  }

  async usage(question: UsageQuestion): Promise<readonly GuestUsage[]> {
    return this.#usage.usage(question);
  }

  tpmState(guestId: string): Promise<string | undefined> {
    return this.#with(guestId, (guest) => packTpm(guest.files.tpmDir));
  }

  interrupt(guestId: string): Promise<void> {
    return this.#with(guestId, async (guest) => {
      const { qmp } = guest.running('interrupt the server');
      await qmp.execute('inject-nmi').catch((error: unknown) => {
        throw asFault(error, 'The server cannot be interrupted');
      });
    });
  }

  async setPassword(guestId: string, userName: string, password: string): Promise<void> {
    await askAgent(await this.socketPath(guestId, 'agent'), this.#context.clock, {
      execute: 'guest-set-user-password',
      arguments: { username: userName, password: Buffer.from(password).toString('base64'), crypted: false },
    });
  }

  async console(guestId: string, which: 'vnc' | 'serial'): Promise<Duplex> {
    const socket = connect({ path: await this.socketPath(guestId, which), allowHalfOpen: false });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', (error) => reject(unavailable('The console of the server cannot be reached.', { cause: error })));
    });
    return socket;
  }

  /** The unix socket of a running guest's serial console, display (VNC) or agent; each takes one client at a time. */
  async socketPath(guestId: string, which: 'serial' | 'vnc' | 'agent'): Promise<string> {
    const guest = this.#guests.get(guestId) ?? new Guest(this.#context, guestId);
    guest.running('open a console of the server');
    return { serial: guest.files.serialSocket, vnc: guest.files.vncSocket, agent: guest.files.agentSocket }[which];
  }

  async #with<T>(guestId: string, work: (guest: Guest) => Promise<T>): Promise<T> {
    checkGuestId(guestId);
    if (this.#stopped) throw unavailable('This host is stopping.');
    const guest = this.#guests.get(guestId) ?? new Guest(this.#context, guestId);
    this.#guests.set(guestId, guest);
    this.#calls.set(guestId, (this.#calls.get(guestId) ?? 0) + 1);
    try {
      return await work(guest);
    } finally {
      const left = (this.#calls.get(guestId) ?? 1) - 1;
      if (left > 0) this.#calls.set(guestId, left);
      else {
        this.#calls.delete(guestId);
        if (!guest.record && this.#guests.get(guestId) === guest) this.#guests.delete(guestId);
      }
    }
  }

  async #takeInventory(): Promise<Inventory> {
    const { account, dataDir, accelerator } = this.#options;
    await mkdir(dataDir, { recursive: true, mode: 0o711 });
    const inventory = await takeInventory({
      qemu: this.#context.qemu,
      cacheDir: dataDir,
      user: account && processUser(account, account.firstUid),
      accelerator,
    });
    this.#options.log.info(
      { version: inventory.version, accelerator: inventory.accelerator, kvm: inventory.kvm.why, seccomp: inventory.seccomp },
      'hypervisor',
    );
    return inventory;
  }

  #running(): readonly SampledGuest[] {
    return [...this.#guests.values()].flatMap(({ guestId, machine, record }) =>
      machine && record && !record.isTemplate ? [{ guestId, vcpus: record.spec.vcpus, process: machine.process.identity }] : [],
    );
  }

  #groups(): Promise<ControlGroups> {
    this.#controlGroups ??= openControlGroups(this.#options.name);
    return this.#controlGroups;
  }

  /** Ids are handed out in turn, so that one is used again only after all others. */
  #takeUid(): number | undefined {
    const { account } = this.#options;
    if (!account) return undefined;
    if (account.uids === 1) return account.firstUid;
    const taken = new Set([...this.#guests.values(), ...this.exporters.all].map((holder) => holder.record?.uid));
    // The first id is for what is no guest: qemu-img, the trial of KVM.
    for (let i = 1; i < account.uids; i++) {
      this.#lastUid = (this.#lastUid % (account.uids - 1)) + 1;
      const uid = account.firstUid + this.#lastUid;
      if (!taken.has(uid)) return uid;
    }
    throw unavailable('All user ids for guests are taken on this host.');
  }

  #trimLater(): void {
    this.#options.clock.after(TRIM_MS, () => {
      if (this.#stopped) return;
      const running = [...this.#guests.values()].filter((guest) => guest.machine);
      void Promise.all(running.map((guest) => trimLogs(guest.files)))
        .catch((error: unknown) => this.#options.log.warn({ err: error }, 'console logs could not be cut'))
        .then(() => this.#trimLater());
    });
  }
}
