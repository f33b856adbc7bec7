import { type CairnError, notFound } from '@cairn/kit/errors/errors';

export const backupNotFound = (id: string): CairnError => notFound(`Backup ${id} could not be found.`, { type: 'BackupNotFound' });
