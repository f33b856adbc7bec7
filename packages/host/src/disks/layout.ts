import { chmod, chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { invalidInput } from '@cairn/kit/errors/errors';
import type { NewDisk } from '../interface/disks.ts';
import type { ProcessUser } from '../process/command.ts';

export type Pool = NewDisk['pool'];

/** Directories below the data directory; pools hold one directory for each disk, named by its id. */
export const POOL_DIRECTORY: Readonly<Record<Pool, string>> = { ephemeral: 'ephemeral', volume: 'volumes', template: 'templates' };
export const BASES = 'bases';
const WORK = 'work';

/** Ids become file names: no separators, no dots in front, nothing that a format or protocol could be read from. */
const ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;
/** Refuses an id that cannot be a file name. `what` names the field. */
export function checkId(what: string, id: string): string {
  if (!ID.test(id)) throw invalidInput(`The ${what} is not valid: letters, digits, dots, dashes and underscores are allowed.`, { field: what });
  return id;
}

/** Where everything is. Paths inside of records are relative to the data directory, so that it can be moved. */
export class Layout {
  readonly root: string;
  /** Owner group of the directories: guests and qemu-img may pass through them, and list none. */
  readonly #user: ProcessUser | undefined;

  constructor(root: string, user: ProcessUser | undefined) {
    this.root = root;
    this.#user = user;
  }

  /** Absolute path of a file named relative to the data directory. */
  path(file: string): string {
    return join(this.root, file);
  }

  diskDirectory(pool: Pool, diskId: string): string {
    return `${POOL_DIRECTORY[pool]}/${diskId}`;
  }

  /** Files that are being made; emptied at every start. */
  work(name: string): string {
    return `${WORK}/${name}`;
  }

  async prepare(): Promise<void> {
    for (const directory of ['', BASES, WORK, ...Object.values(POOL_DIRECTORY)]) await this.makeDirectory(directory);
  }

  /** Makes a directory that guests and qemu-img may pass through but not look into. */
  async makeDirectory(directory: string): Promise<void> {
    const path = this.path(directory);
    await mkdir(path, { recursive: true, mode: 0o710 });
    if (!this.#user) return;
    await chown(path, 0, this.#user.gid);
    await chmod(path, 0o710);
  }

  /** Gives a file to the user that qemu-img runs as. Guests' own users get it from the hypervisor, when they open it. */
  async lend(file: string): Promise<void> {
    if (!this.#user) return;
    await chown(this.path(file), this.#user.uid, this.#user.gid);
    await chmod(this.path(file), 0o600);
  }

  /** A layer that only lies below others: whoever may pass through the directory may read it, nobody may write it. */
  async freeze(file: string): Promise<void> {
    const path = this.path(file);
    if (this.#user) await chown(path, 0, this.#user.gid);
    await chmod(path, this.#user ? 0o440 : 0o600);
  }
}
