import type { AnyOperation } from '@cairn/kit/http/operation';
import { withAndWithoutProject } from './op.ts';
import { versionOperations } from './versions.ts';
import { volumeOperations } from './volumes.ts';

/** Every operation of the block storage API: one line per resource file. */
export const cinderOperations: readonly AnyOperation[] = [...versionOperations, ...withAndWithoutProject([...volumeOperations])];
