import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomically } from '../disks/record.ts';
import type { GuestLayout } from '../interface/guests.ts';

/** What is remembered of a template. It is there when this is: a crash while it is made leaves none. */
export interface TemplateRecord {
  readonly version: 1;
  readonly templateId: string;
  readonly imageId: string;
  readonly memoryMb: number;
  readonly madeAtMs: number;
  /** Machines that start from it are laid out so. */
  readonly layout: GuestLayout;
}

/** The files of one template, in a directory that only Cairn's own user reads. */
export class TemplateFiles {
  readonly dir: string;
  readonly record: string;
  readonly memory: string;
  readonly state: string;
  readonly console: string;

  constructor(root: string, templateId: string) {
    this.dir = join(root, templateId);
    this.record = join(this.dir, 'template.json');
    this.memory = join(this.dir, 'memory');
    this.state = join(this.dir, 'state');
    this.console = join(this.dir, 'console');
  }
}

/** Undefined where there is none, or none that can be read. */
export async function readTemplate(files: TemplateFiles): Promise<TemplateRecord | undefined> {
  try {
    const record = JSON.parse(await readFile(files.record, 'utf8')) as TemplateRecord;
    return record.version === 1 ? record : undefined;
  } catch {
    return undefined;
  }
}

export const writeTemplate = (files: TemplateFiles, record: TemplateRecord): Promise<void> => writeAtomically(files.record, JSON.stringify(record));
