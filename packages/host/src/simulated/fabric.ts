import { CairnError } from '@cairn/kit/errors/errors';
import { validate } from '../fabric/validate.ts';
import { type Fabric, type FabricChange, type FabricFlaw, FabricFlaws, type FabricObject, type FabricStatus, type MeterReading } from '../interface/fabric.ts';
import type { HostEvent } from '../interface/agent.ts';
import type { Injector, SimulatedDelays } from './faults.ts';
import type { SimulatedMachine } from './machine.ts';

const keyOf = (kind: string, id: string): string => `${kind} ${id}`;

/** The fabric in memory: it keeps what it is told, refuses what the kernel's would refuse by its look, and says which guest ports came up. */
export class SimulatedFabric implements Fabric {
  readonly #machine: SimulatedMachine;
  readonly #inject: Injector;
  readonly #delays: SimulatedDelays;
  readonly #emit: (event: HostEvent) => void;

  constructor(machine: SimulatedMachine, inject: Injector, delays: SimulatedDelays, emit: (event: HostEvent) => void) {
    this.#machine = machine;
    this.#inject = inject;
    this.#delays = delays;
    this.#emit = emit;
  }

  apply(objects: readonly FabricObject[]): Promise<void> {
    return this.#inject.run('fabric.apply', [objects], this.#delays.fabricMs, () => {
      const wanted = new Set(objects.map((o) => keyOf(o.kind, o.id)));
      for (const key of [...this.#machine.fabric.keys()]) if (!wanted.has(key)) this.#machine.fabric.delete(key);
      const flaws: FabricFlaw[] = [];
      for (const object of objects) {
        try {
          validate(object);
          this.#put(object);
        } catch (error) {
          if (!(error instanceof CairnError)) throw error;
          flaws.push({ kind: object.kind, id: object.id, message: error.message });
        }
      }
      if (flaws.length > 0) throw new FabricFlaws(flaws);
    });
  }

  patch(changes: readonly FabricChange[]): Promise<void> {
    return this.#inject.run('fabric.patch', [changes], this.#delays.fabricMs, () => {
      for (const change of changes) if (change.op === 'put') validate(change.object);
      for (const change of changes) {
        if (change.op === 'put') this.#put(change.object);
        else this.#machine.fabric.delete(keyOf(change.kind, change.id));
      }
    });
  }

  /** What `SimulatedMachine.metered` says of the meters that there are. */
  async meters(): Promise<readonly MeterReading[]> {
    const objects = [...this.#machine.fabric.values()];
    return objects.flatMap((object) =>
      object.kind === 'router'
        ? (object.meters ?? []).map(({ id }) => {
            const { packets, bytes } = this.#machine.metered.get(`${object.id} ${id}`) ?? { packets: 0, bytes: 0 };
            return { routerId: object.id, meterId: id, packets, bytes };
          })
        : [],
    );
  }

  async status(): Promise<FabricStatus> {
    const count = (kind: string): number => [...this.#machine.fabric.values()].filter((o) => o.kind === kind).length;
    return { namespaces: [], networks: count('network'), ports: count('port'), routers: count('router') };
  }

  #put(object: FabricObject): void {
    const key = keyOf(object.kind, object.id);
    const isNew = !this.#machine.fabric.has(key);
    this.#machine.fabric.set(key, object);
    if (isNew && object.kind === 'port' && object.attachment.kind === 'guest') this.#emit({ kind: 'port', portId: object.id, status: 'up' });
  }
}
