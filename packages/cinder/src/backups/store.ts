import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { notFound } from '@cairn/kit/errors/errors';

/**
 * Where backups are kept: objects of bounded size under keys like `<backup>/data-00000`. What is written stays as it is.
 */
export interface BackupStore {
  /** As `backup_service` of exported records names it. */
  readonly service: string;
  put(key: string, data: Buffer): Promise<void>;
  /** Throws NotFound. */
  get(key: string): Promise<Buffer>;
  /** Names of the objects of one backup, without its id; empty when there is none. */
  list(backupId: string): Promise<readonly string[]>;
  /** Removes a backup's objects. Tolerates absence. */
  remove(backupId: string): Promise<void>;
}

const SAFE = /^[A-Za-z0-9][A-Za-z0-9_-]*(?:\/[A-Za-z0-9][A-Za-z0-9_.-]*)?$/;

/** Backups as files: one directory for each. A file is complete and on the disk before it has its name. */
export class DirectoryStore implements BackupStore {
  /** Upstream's name of what it is: clients look for `cinder.backup.drivers`. */
  readonly service = 'cinder.backup.drivers.posix.PosixBackupDriver';
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  async put(key: string, data: Buffer): Promise<void> {
    const path = this.#path(key);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const half = `${path}.half`;
    const file = await open(half, 'w', 0o600);
    try {
      await file.writeFile(data);
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(half, path);
  }

  async get(key: string): Promise<Buffer> {
    try {
      return await readFile(this.#path(key));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw notFound('A part of the backup is missing in the backup store.', { detail: key });
      throw error;
    }
  }

  async list(backupId: string): Promise<readonly string[]> {
    try {
      return (await readdir(this.#path(backupId))).filter((name) => !name.endsWith('.half')).toSorted();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  async remove(backupId: string): Promise<void> {
    const path = this.#path(backupId);
    const there = await stat(path).catch(() => undefined);
    if (there) await rm(path, { recursive: true, force: true });
  }

  #path(key: string): string {
    if (!SAFE.test(key)) throw new Error(`not a key of the backup store: ${key}`);
    return join(this.#root, key);
  }
}
