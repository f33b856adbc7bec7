import { type Duplex, PassThrough } from 'node:stream';
import type { Clock } from '@cairn/kit/clock/clock';
import { conflict, notFound, unavailable } from '@cairn/kit/errors/errors';
import type { HostEvent } from '../interface/agent.ts';
import type {
  GuestDiagnostics,
  GuestDisk,
  GuestInfo,
  GuestLayout,
  GuestNic,
  GuestPlaces,
  GuestSpec,
  Guests,
  GuestState,
  GuestUsage,
  LiveChannel,
  LiveHurry,
  LiveProgress,
  LiveReceive,
  LiveSend,
  StartOptions,
  UsageQuestion,
} from '../interface/guests.ts';
import { placesOf } from '../hypervisor/places.ts';
import { laterThan } from '../hypervisor/usage.ts';
import { simulatedDisplay, simulatedSerial } from './consoles.ts';
import type { Injector, SimulatedDelays } from './faults.ts';
import { findExport, type SimulatedGuest, type SimulatedMachine } from './machine.ts';
import { madeSamples, madeUsage } from './usage.ts';

const LOGIN = (name: string): string => `[    0.000000] simulated guest\n${name.replaceAll(/[^\x20-\x7e]/g, '?')} login: `;

/** Guests in memory, with the rules of real ones: no disk that is not there, no disk in two guests unless shared, no taps from nowhere. */
export class SimulatedGuests implements Guests {
  readonly #machine: SimulatedMachine;
  readonly #clock: Clock;
  readonly #inject: Injector;
  readonly #delays: SimulatedDelays;
  readonly #emit: (event: HostEvent) => void;
  readonly #hastened = new Set<string>();

  constructor(machine: SimulatedMachine, clock: Clock, inject: Injector, delays: SimulatedDelays, emit: (event: HostEvent) => void) {
    this.#machine = machine;
    this.#clock = clock;
    this.#inject = inject;
    this.#delays = delays;
    this.#emit = emit;
  }

  start(spec: GuestSpec, { templateId }: StartOptions = {}): Promise<GuestInfo> {
    return this.#inject.run('guests.start', [spec], this.#delays.guestStartMs, () => {
      const found = this.#machine.guests.get(spec.guestId);
      if (found && (found.state === 'running' || found.state === 'paused')) return infoOf(found);
      const guest = this.#boot(spec, found);
      if (templateId === undefined) return infoOf(guest);
      if (!this.#machine.templates.has(templateId)) return { ...infoOf(guest), fastStart: { used: false, reason: 'the template is gone' } };
      guest.templateId = templateId;
      return { ...infoOf(guest), fastStart: { used: true } };
    });
  }

  shutDown(guestId: string, graceMs: number): Promise<GuestInfo> {
    return this.#inject.run('guests.shutDown', [guestId, graceMs], this.#delays.guestStopMs, () => {
      const guest = this.#machine.guests.get(guestId);
      if (!guest) return { guestId, state: 'absent' as const };
      guest.state = 'shutdown';
      return infoOf(guest);
    });
  }

  remove(guestId: string): Promise<void> {
    return this.#inject.run('guests.remove', [guestId], this.#delays.guestStopMs, () => {
      this.#machine.guests.delete(guestId);
    });
  }

  rebootSoft(guestId: string, graceMs: number): Promise<GuestInfo> {
    return this.#inject.run('guests.rebootSoft', [guestId, graceMs], this.#delays.guestStartMs, () => {
      const guest = this.#need(guestId);
      guest.console += LOGIN(guest.spec.name);
      guest.state = 'running';
      return infoOf(guest);
    });
  }

  rebootHard(spec: GuestSpec): Promise<GuestInfo> {
    return this.#inject.run('guests.rebootHard', [spec], this.#delays.guestStartMs, () => infoOf(this.#boot(spec, this.#machine.guests.get(spec.guestId))));
  }

  pause(guestId: string): Promise<GuestInfo> {
    return this.#turn('guests.pause', guestId, 'paused');
  }

  unpause(guestId: string): Promise<GuestInfo> {
    return this.#turn('guests.unpause', guestId, 'running');
  }

  suspend(guestId: string): Promise<GuestInfo> {
    return this.#turn('guests.suspend', guestId, 'suspended');
  }

  resume(spec: GuestSpec): Promise<GuestInfo> {
    return this.#inject.run('guests.resume', [spec], this.#delays.guestStartMs, () => {
      const guest = this.#machine.guests.get(spec.guestId) ?? this.#boot(spec, undefined);
      guest.state = 'running';
      return infoOf(guest);
    });
  }

  attachDisk(guestId: string, disk: GuestDisk): Promise<void> {
    return this.#inject.run('guests.attachDisk', [guestId, disk], this.#delays.diskMs, () => {
      const guest = this.#need(guestId);
      if (guest.spec.disks.some((d) => d.diskId === disk.diskId)) return;
      if (guest.spec.disks.some((d) => d.device === disk.device)) throw conflict(`The guest already has a disk ${disk.device}.`);
      this.#claimDisk(guestId, disk);
      guest.spec = { ...guest.spec, disks: [...guest.spec.disks, disk] };
    });
  }

  diskHasGrown(guestId: string, diskId: string, sizeBytes: number): Promise<void> {
    return this.#inject.run('guests.diskHasGrown', [guestId, diskId, sizeBytes], undefined, () => {
      const guest = this.#machine.guests.get(guestId);
      if (guest && !guest.spec.disks.some((disk) => disk.diskId === diskId)) throw conflict(`Disk ${diskId} is not open in the server.`);
    });
  }

  detachDisk(guestId: string, diskId: string, waitMs: number): Promise<void> {
    return this.#inject.run('guests.detachDisk', [guestId, diskId, waitMs], this.#delays.diskMs, () => {
      const guest = this.#machine.guests.get(guestId);
      if (guest) guest.spec = { ...guest.spec, disks: guest.spec.disks.filter((d) => d.diskId !== diskId) };
    });
  }

  swapDisk(guestId: string, diskId: string, disk: GuestDisk): Promise<void> {
    return this.#inject.run('guests.swapDisk', [guestId, diskId, disk], this.#delays.diskMs, () => {
      const guest = this.#need(guestId);
      if (guest.spec.disks.some((d) => d.diskId === disk.diskId)) return;
      if (guest.state !== 'running' && guest.state !== 'paused')
        throw conflict(`Cannot move a disk of the server: it is not running (its state is ${guest.state}).`);
      const before = guest.spec.disks.find((d) => d.diskId === diskId && d.device === disk.device);
      if (!before) throw notFound(`The server has no disk ${diskId}.`);
      const source = this.#keeperOf(before)?.disks.get(diskId);
      const keeper = this.#keeperOf(disk);
      const target = keeper?.disks.get(disk.diskId);
      if (source && target && target.sizeBytes !== source.sizeBytes) throw conflict(`The disk that is to take the place of ${before.device} has another size.`);
      this.#claimDisk(guestId, disk);
      const content = source?.content;
      if (target && content !== undefined) target.content = content;
      keeper?.keep?.('disks', disk.diskId);
      guest.spec = { ...guest.spec, disks: guest.spec.disks.map((d) => (d.diskId === diskId ? disk : d)) };
    });
  }

  attachNic(guestId: string, nic: GuestNic): Promise<void> {
    return this.#inject.run('guests.attachNic', [guestId, nic], this.#delays.fabricMs, () => {
      const guest = this.#need(guestId);
      if (guest.spec.nics.some((n) => n.portId === nic.portId)) return;
      this.#needTap(nic);
      guest.spec = { ...guest.spec, nics: [...guest.spec.nics, nic] };
    });
  }

  detachNic(guestId: string, portId: string, waitMs: number): Promise<void> {
    return this.#inject.run('guests.detachNic', [guestId, portId, waitMs], this.#delays.fabricMs, () => {
      const guest = this.#machine.guests.get(guestId);
      if (guest) guest.spec = { ...guest.spec, nics: guest.spec.nics.filter((n) => n.portId !== portId) };
    });
  }

  async layout(guestId: string): Promise<GuestLayout> {
    this.#need(guestId);
    return { slots: {}, ports: 0, places: {}, machineType: 'simulated', accelerator: 'tcg', cpuModel: 'simulated' };
  }

  async places(spec: GuestSpec): Promise<GuestPlaces> {
    return placesOf(spec, {});
  }

  receiveLive(spec: GuestSpec, _layout: GuestLayout, mirrored: readonly string[], options: LiveReceive = {}): Promise<Readonly<Record<string, string>>> {
    return this.#inject.run('guests.receiveLive', [spec, mirrored], this.#delays.guestStartMs, () => {
      const there = this.#machine.guests.get(spec.guestId);
      if (there) throw conflict('The server runs on this host already.');
      const guest = this.#boot(spec, undefined, true);
      guest.state = 'suspended';
      guest.live = 'coming';
      guest.mayPostCopy = options.mayPostCopy === true;
      return Object.fromEntries(mirrored.map((diskId) => [diskId, `export-${diskId}`]));
    });
  }

  async liveChannel(guestId: string, _which: LiveChannel): Promise<Duplex> {
    this.#need(guestId);
    return new PassThrough();
  }

  async sendLive(guestId: string, options: LiveSend): Promise<void> {
    const guest = this.#need(guestId);
    if (guest.live === 'sent') return;
    const parted = guest.live === 'parted';
    if (!parted) guest.mayPostCopy = options.switched !== undefined;
    for (const { diskId } of options.mirror) {
      if (!guest.spec.disks.some((disk) => disk.diskId === diskId)) throw conflict(`Disk ${diskId} is not open in the server.`);
    }
    await options.channel('memory').then((stream) => stream.destroy());
    if (!parted && (this.#delays.liveMs ?? 0) > 0) await this.#untilSent(guestId, options.signal);
    if (!parted && options.switched && this.#hastened.has(guestId)) {
      await this.#inject.run('guests.switchLive', [guestId], undefined, () => {
        guest.live = 'parted';
        guest.state = 'paused';
      });
      await options.switched();
    }
    await this.#inject.run('guests.sendLive', [guestId, options.mirror], undefined, () => {
      this.#hastened.delete(guestId);
      guest.live = 'sent';
      guest.state = 'paused';
    });
  }

  /** A guest that nobody hastens takes its time. */
  async #untilSent(guestId: string, signal: AbortSignal | undefined): Promise<void> {
    const endMs = this.#clock.nowMs() + (this.#delays.liveMs ?? 0);
    this.#hastened.delete(guestId);
    while (this.#clock.nowMs() < endMs && !this.#hastened.has(guestId)) await this.#clock.sleep(Math.min(20, this.#delays.liveMs ?? 0), signal);
  }

  async liveProgress(guestId: string): Promise<LiveProgress> {
    const guest = this.#need(guestId);
    const memoryTotal = guest.spec.memoryMb * 2 ** 20;
    const isSent = guest.live === 'sent';
    const half = isSent ? 0 : memoryTotal / 2;
    const postCopy = guest.live === 'parted' ? 'running' : guest.mayPostCopy ? 'possible' : 'no';
    return { isSent, postCopy, memoryTotal, memoryProcessed: memoryTotal - half, memoryRemaining: half, diskTotal: 0, diskProcessed: 0, diskRemaining: 0 };
  }

  async hastenLive(guestId: string): Promise<LiveHurry> {
    const { mayPostCopy } = this.#need(guestId);
    this.#hastened.add(guestId);
    return mayPostCopy ? 'post-copy' : 'paused';
  }

  reopenLive(guestId: string): Promise<void> {
    return this.#inject.run('guests.reopenLive', [guestId], undefined, () => {
      this.#need(guestId);
    });
  }

  resumeLive(guestId: string, run: boolean): Promise<void> {
    return this.#inject.run('guests.resumeLive', [guestId, run], undefined, () => {
      const guest = this.#machine.guests.get(guestId);
      if (guest?.live === 'parted') guest.state = 'crashed';
      else if (guest?.live === 'sent') guest.state = run ? 'running' : 'paused';
      else return;
      guest.live = undefined;
    });
  }

  finishLive(guestId: string, run: boolean): Promise<GuestInfo> {
    return this.#inject.run('guests.finishLive', [guestId, run], undefined, () => {
      const guest = this.#need(guestId);
      for (const disk of guest.spec.disks) this.#claimDisk(guestId, disk);
      guest.live = undefined;
      guest.state = run ? 'running' : 'paused';
      return infoOf(guest);
    });
  }

  async info(guestId: string): Promise<GuestInfo> {
    const guest = this.#machine.guests.get(guestId);
    return guest ? infoOf(guest) : { guestId, state: 'absent' };
  }

  async list(): Promise<readonly GuestInfo[]> {
    return [...this.#machine.guests.values()].map(infoOf);
  }

  async consoleLog(guestId: string, lines?: number): Promise<string> {
    const text = this.#need(guestId).console;
    return lines === undefined ? text : text.split('\n').slice(-lines).join('\n');
  }

  async diagnostics(guestId: string): Promise<GuestDiagnostics> {
    const guest = this.#need(guestId);
    return {
      state: guest.state,
      uptimeSeconds: Math.floor((this.#clock.nowMs() - guest.startedAtMs) / 1000),
      memoryMb: guest.spec.memoryMb,
      ...madeUsage(guest, this.#clock.nowMs()),
      disks: guest.spec.disks.map((d) => ({ device: d.device, readBytes: 0, readRequests: 0, writeBytes: 0, writeRequests: 0, errors: 0 })),
      nics: guest.spec.nics.map((n) => ({ mac: n.mac, rxBytes: 0, rxPackets: 0, rxErrors: 0, rxDrops: 0, txBytes: 0, txPackets: 0, txErrors: 0, txDrops: 0 })),
    };
  }

  async usage({ guestIds, sinceMs }: UsageQuestion): Promise<readonly GuestUsage[]> {
    const { guests } = this.#machine;
    return [...(guestIds ?? guests.keys())].flatMap((guestId) => {
      const guest = guests.get(guestId);
      return guest ? [{ guestId, vcpus: guest.spec.vcpus, samples: laterThan(madeSamples(guest, this.#clock.nowMs()), sinceMs) }] : [];
    });
  }

  async tpmState(guestId: string): Promise<string | undefined> {
    return this.#machine.guests.get(guestId)?.tpm;
  }

  async interrupt(guestId: string): Promise<void> {
    this.#need(guestId).console += '\n[    1.000000] NMI received\n';
  }

  setPassword(guestId: string, userName: string, password: string): Promise<void> {
    return this.#inject.run('guests.setPassword', [guestId, userName, password.length], undefined, () => {
      if (this.#need(guestId).state !== 'running') throw conflict("The server's guest agent does not answer.");
    });
  }

  async console(guestId: string, which: 'vnc' | 'serial'): Promise<Duplex> {
    const guest = this.#need(guestId);
    if (guest.state === 'shutdown' || guest.state === 'crashed' || guest.state === 'suspended')
      throw conflict(`Cannot open a console of the server: the server is not running (its state is ${guest.state}).`);
    return which === 'vnc' ? simulatedDisplay(guest.spec.name) : simulatedSerial(guest.console);
  }

  /** For tests: the guest changes state by itself, as after a crash or `poweroff` inside. */
  happen(guestId: string, state: 'shutdown' | 'crashed', reason: string): void {
    const guest = this.#need(guestId);
    guest.state = state;
    this.#machine.keep?.('guests', guestId);
    this.#emit({ kind: 'guest', guestId, state, reason });
  }

  #turn(method: string, guestId: string, state: GuestState): Promise<GuestInfo> {
    return this.#inject.run(method, [guestId], undefined, () => {
      const guest = this.#need(guestId);
      guest.state = state;
      return infoOf(guest);
    });
  }

  #boot(spec: GuestSpec, before: SimulatedGuest | undefined, comes = false): SimulatedGuest {
    for (const disk of spec.disks) this.#claimDisk(spec.guestId, disk, comes);
    for (const nic of spec.nics) this.#needTap(nic);
    const { tpm } = spec.hardware ?? {};
    const guest: SimulatedGuest = {
      spec,
      state: 'running',
      startedAtMs: this.#clock.nowMs(),
      console: (before?.console ?? '') + LOGIN(spec.name),
      ...(tpm && { tpm: before?.tpm ?? tpm.state ?? Buffer.from(`tpm of ${spec.guestId} made on ${this.#machine.host}`).toString('base64') }),
    };
    this.#machine.guests.set(spec.guestId, guest);
    return guest;
  }

  /** The machine that has a guest's disk, be it another one. */
  #keeperOf(disk: GuestDisk): SimulatedMachine | undefined {
    return disk.location ? findExport(disk.location.exportName)?.machine : this.#machine.keeperOf(disk.diskId);
  }

  /** A guest that comes by live migration waits until its disks are its own; all others have them from now on. */
  #claimDisk(guestId: string, disk: GuestDisk, comes = false): void {
    if (disk.location) {
      const found = findExport(disk.location.exportName);
      if (!found || found.machine.isHalted) throw unavailable(`Disk ${disk.diskId} cannot be reached on the host that keeps it.`);
      if (found.served.waits && !comes) throw conflict(`Disk ${disk.diskId} is another server's at the moment.`);
      return;
    }
    const served = this.#machine.served.get(disk.diskId);
    if (served && !served.waits && !served.shared && !comes) throw conflict(`Disk ${disk.diskId} is in use on another host.`);
    if (!this.#machine.keeperOf(disk.diskId).disks.has(disk.diskId)) throw notFound(`Disk ${disk.diskId} is not on host ${this.#machine.host}.`);
    if (disk.shared) {
      const kept = this.#machine.keeperOf(disk.diskId).disks.get(disk.diskId);
      if (kept && kept.format !== 'raw' && !disk.readOnly && !disk.location)
        throw conflict(`Disk ${disk.diskId} cannot be attached to several servers for writing: it is ${kept.format}, and only raw disks can be.`);
      return;
    }
    for (const other of this.#machine.guests.values()) {
      if (other.spec.guestId !== guestId && other.state !== 'shutdown' && other.spec.disks.some((d) => d.diskId === disk.diskId))
        throw conflict(`Disk ${disk.diskId} is open in another guest.`);
    }
  }

  #needTap(nic: GuestNic): void {
    const port = this.#machine.fabric.get(`port ${nic.portId}`);
    if (port?.kind !== 'port' || port.attachment.kind !== 'guest') throw notFound(`Port ${nic.portId} is not plugged on host ${this.#machine.host}.`);
  }

  #need(guestId: string): SimulatedGuest {
    const guest = this.#machine.guests.get(guestId);
    if (!guest) throw notFound(`Guest ${guestId} is not on host ${this.#machine.host}.`);
    return guest;
  }
}

const infoOf = (guest: SimulatedGuest): GuestInfo => ({ guestId: guest.spec.guestId, state: guest.state, startedAtMs: guest.startedAtMs });
