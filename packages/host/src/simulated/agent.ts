import type { Clock } from '@cairn/kit/clock/clock';
import { unavailable } from '@cairn/kit/errors/errors';
import type { HostAgent, HostCallbacks, HostEvent, HostFacts, MetadataReply } from '../interface/agent.ts';
import { SimulatedDisks } from './disks.ts';
import { SimulatedFabric } from './fabric.ts';
import { Injector, type SimulatedDelays, type SimulatedFault } from './faults.ts';
import { SimulatedGuests } from './guests.ts';
import { SimulatedMachine } from './machine.ts';
import { SimulatedTemplates } from './templates.ts';

export interface SimulatedAgentOptions {
  readonly clock: Clock;
  /** The machine to run on; a new one of default size when absent. */
  readonly machine?: SimulatedMachine;
  readonly callbacks?: HostCallbacks;
  readonly delays?: SimulatedDelays;
  readonly fault?: SimulatedFault;
  /** Where tunnels to it would end: it is then told what hosts that are joined are told. */
  readonly tunnelIp?: string;
}

/** A host in memory behind the same interface as the real one: for tests, for laptops, for clouds of thousands of hosts in one process. */
export class SimulatedAgent implements HostAgent {
  readonly host: string;
  readonly tunnelIp: string | undefined;
  readonly machine: SimulatedMachine;
  readonly guests: SimulatedGuests;
  readonly fabric: SimulatedFabric;
  readonly disks: SimulatedDisks;
  readonly templates: SimulatedTemplates;
  readonly #listeners = new Set<(event: HostEvent) => void>();
  readonly #callbacks: HostCallbacks | undefined;
  readonly #clock: Clock;
  readonly #bootedAtMs: number;

  constructor(host: string, options: SimulatedAgentOptions) {
    this.host = host;
    this.tunnelIp = options.tunnelIp;
    this.machine = options.machine ?? new SimulatedMachine(host);
    this.#callbacks = options.callbacks;
    this.#clock = options.clock;
    this.#bootedAtMs = options.clock.nowMs();
    const inject = new Injector(this.machine, options.clock, options.fault);
    const delays = options.delays ?? {};
    const emit = (event: HostEvent): void => {
      for (const listener of this.#listeners) listener(event);
    };
    this.guests = new SimulatedGuests(this.machine, options.clock, inject, delays, emit);
    this.disks = new SimulatedDisks(this.machine, inject, delays, options.callbacks?.diskKey?.bind(options.callbacks));
    this.templates = new SimulatedTemplates(this.machine, options.clock, inject, delays);
    this.fabric = new SimulatedFabric(this.machine, options.clock, inject, delays, emit);
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {
    this.#listeners.clear();
  }

  async halt(): Promise<void> {
    this.machine.isHalted = true;
    const guests = await this.guests.list();
    await Promise.all(guests.filter((guest) => guest.state !== 'shutdown').map((guest) => this.guests.shutDown(guest.guestId, 0)));
  }

  async wake(): Promise<void> {
    this.machine.isHalted = false;
  }

  async destroy(): Promise<void> {
    this.machine.guests.clear();
    this.machine.disks.clear();
    this.machine.images.clear();
    this.machine.served.clear();
    this.machine.templates.clear();
    this.machine.fabric.clear();
  }

  async describe(): Promise<HostFacts> {
    const { size } = this.machine;
    let memoryUsedMb = 512;
    for (const guest of this.machine.guests.values()) if (guest.state !== 'shutdown') memoryUsedMb += guest.spec.memoryMb;
    return {
      host: this.host,
      architecture: 'x86_64',
      vcpus: size.vcpus,
      memoryMb: size.memoryMb,
      diskGb: size.diskGb,
      memoryUsedMb,
      diskFreeGb: (await this.disks.capacity()).freeGb,
      hypervisorType: 'simulated',
      hypervisorVersion: 1_000_000,
      accelerator: 'simulated',
      cpu: { vendor: 'Cairn', model: 'simulated', features: [], sockets: 1, cores: size.vcpus, threads: 1 },
      ...(size.numa && { numa: size.numa }),
      traits: [
        'COMPUTE_NODE',
        'COMPUTE_SECURITY_TPM_1_2',
        'COMPUTE_SECURITY_TPM_2_0',
        'COMPUTE_SECURITY_TPM_CRB',
        'COMPUTE_SECURITY_TPM_TIS',
        'COMPUTE_SECURITY_UEFI_SECURE_BOOT',
        'COMPUTE_VOLUME_ATTACH',
        'COMPUTE_VOLUME_EXTEND',
        'COMPUTE_NET_ATTACH_INTERFACE',
        'COMPUTE_DEVICE_TAGGING',
        'COMPUTE_IMAGE_TYPE_QCOW2',
        'COMPUTE_IMAGE_TYPE_RAW',
      ],
      hostIp: '127.0.0.1',
      uptimeSeconds: Math.floor((this.#clock.nowMs() - this.#bootedAtMs) / 1000),
    };
  }

  onEvent(listener: (event: HostEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** What a simulated guest would read from 169.254.169.254, for tests. */
  guestReads(portId: string, path: string, method = 'GET'): Promise<MetadataReply> {
    if (!this.#callbacks) throw unavailable('This simulated host was made without callbacks.');
    return this.#callbacks.metadata({ portId, method, path });
  }
}
