import { unavailable } from '@cairn/kit/errors/errors';
import type { HostAgent, HostEvent, HostFacts } from '../interface/agent.ts';
import type { Disks } from '../interface/disks.ts';
import type { Fabric, FabricObject } from '../interface/fabric.ts';
import type { Guests } from '../interface/guests.ts';
import type { Templates } from '../interface/templates.ts';

/** What is beside the agent when a host is switched off and on again: its cables. */
export interface Cables {
  cut(): Promise<void>;
  join(): Promise<void>;
}

/**
 * A host that can be switched off as a machine can: its guests end at once, its cables are out, and its agent answers nothing. What it has
 * on its disks is there when it is switched on again. For trying what happens when a host is lost.
 */
export class SwitchableHost implements HostAgent {
  readonly host: string;
  readonly tunnelIp: string | undefined;
  readonly guests: Guests;
  readonly fabric: Fabric;
  readonly disks: Disks;
  readonly templates: Templates;
  readonly #inner: HostAgent;
  readonly #cables: Cables;
  #isOff = false;
  /** Until the host has heard what its network is to be, its cables stay out: what it had before may be another's now. */
  #awaitsFabric = false;

  constructor(inner: HostAgent, cables: Cables) {
    this.#inner = inner;
    this.#cables = cables;
    this.host = inner.host;
    this.tunnelIp = inner.tunnelIp;
    this.guests = this.#guarded(inner.guests);
    this.disks = this.#guarded(inner.disks);
    this.templates = this.#guarded(inner.templates);
    const fabric = this.#guarded(inner.fabric);
    this.fabric = {
      apply: async (objects: readonly FabricObject[]) => {
        await fabric.apply(objects);
        if (!this.#awaitsFabric) return;
        await this.#cables.join();
        this.#awaitsFabric = false;
      },
      patch: (changes) => fabric.patch(changes),
      meters: () => fabric.meters(),
      status: () => fabric.status(),
    };
  }

  get isOff(): boolean {
    return this.#isOff;
  }

  /** The agent itself, for what is the machine's own affair. */
  get inner(): HostAgent {
    return this.#inner;
  }

  /** From now on nothing of the host works. */
  async powerOff(): Promise<void> {
    if (this.#isOff) return;
    this.#isOff = true;
    await this.#cables.cut();
    await this.#inner.halt();
  }

  async powerOn(): Promise<void> {
    if (!this.#isOff) return;
    await this.#inner.wake();
    this.#awaitsFabric = true;
    this.#isOff = false;
  }

  start(): Promise<void> {
    return this.#inner.start();
  }

  stop(): Promise<void> {
    return this.#inner.stop();
  }

  destroy(): Promise<void> {
    return this.#inner.destroy();
  }

  halt(): Promise<void> {
    return this.powerOff();
  }

  wake(): Promise<void> {
    return this.powerOn();
  }

  async describe(): Promise<HostFacts> {
    this.#refuse();
    return await this.#inner.describe();
  }

  onEvent(listener: (event: HostEvent) => void): () => void {
    return this.#inner.onEvent((event) => {
      if (!this.#isOff) listener(event);
    });
  }

  #refuse(): void {
    if (this.#isOff) throw unavailable(`Host ${this.host} does not answer: it is switched off. "cairn host start ${this.host}" switches it on.`);
  }

  /** The same part of the host, answering only while it is on. */
  #guarded<T extends object>(part: T): T {
    return new Proxy(part, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        return (...args: readonly unknown[]): unknown => {
          if (this.#isOff) return Promise.reject(unavailable(`Host ${this.host} does not answer: it is switched off.`));
          return Reflect.apply(value, target, args);
        };
      },
    });
  }
}
