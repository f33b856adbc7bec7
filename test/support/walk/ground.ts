import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadMachines } from '@cairn/host/simulated/journal';
import { SimulatedMachine } from '@cairn/host/simulated/machine';
import { TestCloud } from '../cloud.ts';

/** A guest or a disk as its host has it, whatever the cloud says. */
export interface Physical {
  readonly guests: readonly { readonly host: string; readonly id: string; readonly state: string; readonly ports?: readonly string[] }[];
  readonly disks: readonly { readonly host: string; readonly id: string }[];
}

export interface GroundAnswer {
  readonly status: number;
  // biome-ignore lint: what the APIs answer
  readonly body: any;
}

/** A cloud that a walk goes over, as its admin. */
export interface Ground {
  /** Its data directory. */
  readonly data: string;
  call(method: string, path: string, body?: unknown, options?: { readonly headers?: Readonly<Record<string, string>> }): Promise<GroundAnswer>;
  /** The same, rejecting what is not a success; gives the body. */
  ok(method: string, path: string, body?: unknown, options?: { readonly headers?: Readonly<Record<string, string>> }): Promise<GroundAnswer['body']>;
  /** Ends the cloud's process with SIGKILL, and brings it up again on what it left. */
  crash(): Promise<void>;
  /** Ends a guest's process with SIGKILL and says whose; absent where guests are no processes. `chance` is between 0 and 1. */
  killGuest?(chance: number): string | undefined;
  physical(): Promise<Physical>;
  stop(): Promise<void>;
}

/** A cloud of simulated hosts. */
export async function simulatedGround(hosts: number): Promise<Ground> {
  const cloud = await TestCloud.start({ hosts });
  return {
    data: cloud.data,
    call: (method, path, body, options) => cloud.call(method, path, body, options),
    ok: (method, path, body, options) => cloud.ok(method, path, body, options),
    crash: () => cloud.crash(),
    physical: async () => {
      const machines = machinesOf(cloud.data);
      return {
        guests: machines.flatMap(({ host, guests }) =>
          [...guests].map(([id, { state, spec }]) => ({ host, id, state, ports: spec.nics.map((nic) => nic.portId).toSorted() })),
        ),
        disks: machines.flatMap(({ host, disks }) => [...disks.keys()].map((id) => ({ host, id }))),
      };
    },
    stop: () => cloud.stop(),
  };
}

function machinesOf(data: string): SimulatedMachine[] {
  const file = join(data, 'simulated.json');
  const names = Object.keys(existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as object) : {});
  const machines = names.map((name) => new SimulatedMachine(name));
  loadMachines(file, machines);
  return machines;
}
