import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadMachines } from '@cairn/host/simulated/journal';
import { SimulatedMachine } from '@cairn/host/simulated/machine';
import { TestCloud } from '../cloud.ts';
import { SLOT_OFFSETS, type Content, type Expected, type Write } from './contents.ts';
import { placeOf } from './records.ts';

/** A guest or a disk as its host has it, whatever the cloud says. */
export interface Physical {
  readonly guests: readonly {
    readonly host: string;
    readonly id: string;
    readonly state: string;
    readonly ports?: readonly string[];
    readonly volumes?: readonly string[];
  }[];
  readonly disks: readonly { readonly host: string; readonly id: string }[];
}

export interface GroundAnswer {
  readonly status: number;
  // what the APIs answer
  readonly body: any;
}

/** A cloud that a walk goes over, as its admin. */
export interface Ground {
  /** Its data directory. */
  readonly data: string;
  /** How much a walk may have at once. */
  readonly limits: { readonly hosts: number; readonly servers: number; readonly volumes: number };
  call(method: string, path: string, body?: unknown, options?: { readonly headers?: Readonly<Record<string, string>> }): Promise<GroundAnswer>;
  /** The same, rejecting what is not a success; gives the body. */
  ok(method: string, path: string, body?: unknown, options?: { readonly headers?: Readonly<Record<string, string>> }): Promise<GroundAnswer['body']>;
  /** Ends the cloud's process with SIGKILL, and brings it up again on what it left. */
  crash(): Promise<void>;
  /** Ends a guest's process with SIGKILL and says whose; absent where guests are no processes. `chance` is between 0 and 1. */
  killGuest?(chance: number): string | undefined;
  /** Waits for a program that works on disks and ends it with SIGKILL; says which, or nothing when none came before the signal. */
  killHelper?(signal: AbortSignal): Promise<string | undefined>;
  /** Takes a whole host away until what it returns is called; absent where hosts cannot go. */
  loseHost?(host: string): Promise<() => Promise<void>>;
  /** Writes to volumes that nobody uses, behind the cloud's back. */
  write(writes: readonly Write[]): Promise<void>;
  /** Which of its contents each of these holds; undefined: none of them. */
  held(expected: readonly Expected[]): Promise<readonly (Content | undefined)[]>;
  physical(): Promise<Physical>;
  stop(): Promise<void>;
}

/** A cloud of simulated hosts. */
export async function simulatedGround(hosts: number): Promise<Ground> {
  const cloud = await TestCloud.start({ hosts });
  return {
    data: cloud.data,
    limits: { hosts, servers: 12, volumes: 9 },
    call: (method, path, body, options) => cloud.call(method, path, body, options),
    ok: (method, path, body, options) => cloud.ok(method, path, body, options),
    crash: () => cloud.crash(),
    // a simulated disk is in the memory of the cloud's process while that runs
    async write(writes) {
      await cloud.crash(() => {
        for (const machine of machinesOf(cloud.data)) {
          for (const { volumeId, slot, byte } of writes) {
            const { diskId } = placeOf(cloud.data, 'volume', volumeId);
            const disk = machine.disks.get(diskId);
            if (!disk) continue;
            const content = contentOf(disk.content).with(slot, byte).join();
            machine.disks.set(diskId, { ...disk, content });
            appendFileSync(join(cloud.data, 'simulated.json.journal'), `${JSON.stringify([machine.host, 'disks', diskId, machine.disks.get(diskId)])}\n`);
          }
        }
      });
    },
    async held(expected) {
      const machines = machinesOf(cloud.data);
      return expected.map(({ kind, id, contents }) => {
        const { diskId, snapshotId } = placeOf(cloud.data, kind, id);
        const disk = machines.map((machine) => machine.disks.get(diskId)).find((found) => found !== undefined);
        if (!disk) return undefined;
        const held = contentOf(snapshotId === undefined ? disk.content : disk.snapshotContents?.[snapshotId]).join();
        return contents.find((content) => content.join() === held);
      });
    },
    physical: async () => {
      const machines = machinesOf(cloud.data);
      return {
        guests: machines.flatMap(({ host, guests }) =>
          [...guests].map(([id, { state, spec }]) => ({
            host,
            id,
            state,
            ports: spec.nics.map((nic) => nic.portId).toSorted(),
            volumes: spec.disks.flatMap((disk) => disk.serial ?? []).toSorted(),
          })),
        ),
        disks: machines.flatMap(({ host, disks }) => [...disks.keys()].map((id) => ({ host, id }))),
      };
    },
    stop: () => cloud.stop(),
  };
}

const contentOf = (text: string | undefined): Content => (text === undefined ? SLOT_OFFSETS.map(() => 0) : text.split(',').map(Number));

function machinesOf(data: string): SimulatedMachine[] {
  const file = join(data, 'simulated.json');
  const names = Object.keys(existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as object) : {});
  const machines = names.map((name) => new SimulatedMachine(name));
  loadMachines(file, machines);
  return machines;
}
