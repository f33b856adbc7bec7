import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileSink } from './file-sink.ts';
import { type IntakeOptions, type Stored, takeIn } from './intake.ts';

/** Ids with at most an ending: nothing that leads out of the directory. */
const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*$/;

/** A directory for data on its way: staged by users, fetched, unpacked, converted. Files have names that nobody outside chooses. */
export class Staging {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  path(file: string): string {
    if (!FILE_NAME.test(file)) throw new Error(`${JSON.stringify(file)} is no name of a file here`);
    return join(this.directory, file);
  }

  /** At the start: makes the directory and removes what is not needed any more. */
  async prepare(needed: (file: string) => boolean): Promise<void> {
    await mkdir(this.directory, { recursive: true, mode: 0o711 });
    for (const name of await readdir(this.directory)) if (!needed(name)) await rm(this.path(name), { force: true, recursive: true });
  }

  /** Takes a stream in; the file appears when it is whole. Again under the same name starts from nothing. */
  async take(file: string, data: Readable, options: IntakeOptions): Promise<Stored> {
    return takeIn(data, await fileSink(this.path(file)), options);
  }

  async size(file: string): Promise<number | undefined> {
    return (await stat(this.path(file)).catch(() => undefined))?.size;
  }

  async remove(file: string): Promise<void> {
    await rm(this.path(file), { force: true });
    await rm(`${this.path(file)}.part`, { force: true });
  }
}
