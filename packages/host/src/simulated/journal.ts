import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import type { SimulatedMachine } from './machine.ts';

/** What a machine keeps that no other part of a cloud can tell again: networks are told anew at every start. */
type Kind = 'guests' | 'disks' | 'images' | 'templates' | 'served';

/**
 * Keeps the simulated machines of a cloud in a file, so that they outlive its process as real ones do, however it ends: each change is
 * written before the call that made it returns. The file is a snapshot, the journal beside it what happened since; opening folds the one
 * into the other.
 */
export class MachineJournal {
  readonly #file: string;
  readonly #machines: readonly SimulatedMachine[];
  #journal: number;

  private constructor(file: string, machines: readonly SimulatedMachine[]) {
    this.#file = file;
    this.#machines = machines;
    this.#journal = this.#fold();
    for (const machine of machines) machine.keep = (kind, id) => this.#note(machine, kind, id);
  }

  /** Gives the machines what the file has of them, and keeps from now on what changes. */
  static open(file: string, machines: readonly SimulatedMachine[]): MachineJournal {
    loadMachines(file, machines);
    return new MachineJournal(file, machines);
  }

  close(): void {
    for (const machine of this.#machines) machine.keep = undefined;
    closeSync(this.#journal);
    closeSync(this.#fold());
  }

  #note(machine: SimulatedMachine, kind: Kind, id: string): void {
    writeSync(this.#journal, `${JSON.stringify([machine.host, kind, id, machine[kind].get(id) ?? null])}\n`);
  }

  /** Writes the snapshot and begins an empty journal. A crash between the two replays changes that the snapshot has: the same outcome. */
  #fold(): number {
    const text = JSON.stringify(Object.fromEntries(this.#machines.map((machine) => [machine.host, machine])));
    writeFileSync(`${this.#file}.new`, text, { mode: 0o600 });
    renameSync(`${this.#file}.new`, this.#file);
    rmSync(journalOf(this.#file), { force: true });
    return openSync(journalOf(this.#file), 'a', 0o600);
  }
}

const journalOf = (file: string): string => `${file}.journal`;

/** Reads what the file and its journal have of these machines; also of those of a cloud that runs. */
export function loadMachines(file: string, machines: readonly SimulatedMachine[]): void {
  const saved = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>) : {};
  for (const machine of machines) if (saved[machine.host]) machine.load(saved[machine.host]);
  if (!existsSync(journalOf(file))) return;
  const byHost = new Map(machines.map((machine) => [machine.host, machine]));
  const lines = readFileSync(journalOf(file), 'utf8').split('\n');
  // what follows the last newline is a line that a crash cut off, whose call never returned
  for (const line of lines.slice(0, -1)) {
    const [host, kind, id, value] = JSON.parse(line) as [string, Kind, string, unknown];
    const map = byHost.get(host)?.[kind] as Map<string, unknown> | undefined;
    if (value === null) map?.delete(id);
    else map?.set(id, value);
  }
}
