import { createHash } from 'node:crypto';
import type { Clock } from '@cairn/kit/clock/clock';
import { CairnError } from '@cairn/kit/errors/errors';
import { formatCidr, parseCidr } from '../fabric/plan/address.ts';
import { validate } from '../fabric/validate.ts';
import {
  type Fabric,
  type FabricChange,
  type FabricFlaw,
  FabricFlaws,
  type FabricObject,
  type FabricStatus,
  type MeterReading,
  type RouterSpec,
} from '../interface/fabric.ts';
import type { HostEvent } from '../interface/agent.ts';
import type { Injector, SimulatedDelays } from './faults.ts';
import type { SimulatedMachine } from './machine.ts';

const DELEGATED_MS = 86_400_000;

/** A network of those that are for documentation (3fff::/20, RFC 9637). */
export function simulatedPrefix(subnetId: string): string {
  const digest = createHash('sha256').update(subnetId).digest('hex');
  const words = [digest.slice(0, 3), digest.slice(3, 7), digest.slice(7, 11)].map((word) => Number.parseInt(word, 16).toString(16));
  return canonicalPrefix(`3fff:${words.join(':')}::/64`);
}

const canonicalPrefix = (text: string): string => {
  const cidr = parseCidr(text);
  return cidr ? formatCidr(cidr) : text;
};

const keyOf = (kind: string, id: string): string => `${kind} ${id}`;

/** The fabric in memory: it keeps what it is told, refuses what the kernel's would refuse by its look, and says which guest ports came up. */
export class SimulatedFabric implements Fabric {
  readonly #machine: SimulatedMachine;
  readonly #inject: Injector;
  readonly #delays: SimulatedDelays;
  readonly #emit: (event: HostEvent) => void;
  readonly #clock: Clock;

  constructor(machine: SimulatedMachine, clock: Clock, inject: Injector, delays: SimulatedDelays, emit: (event: HostEvent) => void) {
    this.#clock = clock;
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

  /** The provider says something else, or nothing any more; for tests. */
  tellPrefix(routerId: string, subnetId: string, prefix: string | undefined): void {
    const lease = prefix === undefined ? undefined : { prefix, validUntilMs: this.#clock.nowMs() + DELEGATED_MS };
    this.#emit({ kind: 'prefix', routerId, subnetId, ...(lease && { lease }) });
  }

  /** Its provider is never at a loss: each subnet has a prefix of its own for good, which is told whenever it is asked for. */
  #delegate({ id: routerId, adminUp, prefixDelegation = [] }: RouterSpec): void {
    if (!adminUp) return;
    for (const { subnetId, prefix } of prefixDelegation) {
      const lease = { prefix: prefix ?? simulatedPrefix(subnetId), validUntilMs: this.#clock.nowMs() + DELEGATED_MS };
      this.#emit({ kind: 'prefix', routerId, subnetId, lease });
    }
  }

  async status(): Promise<FabricStatus> {
    const count = (kind: string): number => [...this.#machine.fabric.values()].filter((o) => o.kind === kind).length;
    return { namespaces: [], networks: count('network'), ports: count('port'), routers: count('router') };
  }

  #put(object: FabricObject): void {
    const key = keyOf(object.kind, object.id);
    const isNew = !this.#machine.fabric.has(key);
    this.#machine.fabric.set(key, object);
    if (object.kind === 'router') this.#delegate(object);
    if (isNew && object.kind === 'port' && object.attachment.kind === 'guest') this.#emit({ kind: 'port', portId: object.id, status: 'up' });
  }
}
