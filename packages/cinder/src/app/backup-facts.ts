import { type CairnError, notFound } from '@cairn/kit/errors/errors';
import type { Pairs } from '../store/metadata.ts';

/** Volume facts that travel with a backup. */
export interface BackupFacts {
  readonly bootable?: number;
  readonly imageMetadata?: Pairs;
  readonly name?: string | null;
  readonly metadata?: Pairs;
  /** Of an encrypted volume: what it is restored to has this type. */
  readonly typeId?: string;
}

export const backupNotFound = (id: string): CairnError => notFound(`Backup ${id} could not be found.`, { type: 'BackupNotFound' });
