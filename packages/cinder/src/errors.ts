import { CairnError, conflict, type ErrorOptions, invalidInput, notFound } from '@cairn/kit/errors/errors';

/** Cinder's errors with the sentences that clients know (cinder/exception.py). `type` is upstream's class. */
export const volumeNotFound = (id: string): CairnError => notFound(`Volume ${id} could not be found.`, { type: 'VolumeNotFound' });
export const snapshotNotFound = (id: string): CairnError => notFound(`Snapshot ${id} could not be found.`, { type: 'SnapshotNotFound' });
export const attachmentNotFound = (id: string): CairnError =>
  notFound(`Volume attachment could not be found with filter: attachment_id = ${id}.`, { type: 'VolumeAttachmentNotFound' });
export const typeNotFound = (id: string): CairnError => notFound(`Volume type ${id} could not be found.`, { type: 'VolumeTypeNotFound' });
export const typeNotFoundByName = (name: string): CairnError => notFound(`Volume type with name ${name} could not be found.`, { type: 'VolumeTypeNotFound' });

export const invalid = (reason: string, options?: ErrorOptions): CairnError =>
  invalidInput(`Invalid input received: ${reason}`, { type: 'InvalidInput', ...options });
export const invalidVolume = (reason: string): CairnError => invalidInput(`Invalid volume: ${reason}`, { type: 'InvalidVolume' });
export const invalidSnapshot = (reason: string): CairnError => invalidInput(`Invalid snapshot: ${reason}`, { type: 'InvalidSnapshot' });
export const resourceConflict = (reason: string): CairnError => conflict(`Resource conflict: ${reason}`, { type: 'ResourceConflict' });
export const badRequest = (message: string, options?: ErrorOptions): CairnError => invalidInput(message, options);

/** Over a limit: 413 with Retry-After; cinder names the exception's class in the text. */
export const overQuota = (type: string, message: string): CairnError =>
  new CairnError('QuotaExceeded', `${type}: ${message}`, { type, status: 413, headers: { 'Retry-After': '0' } });

/** Alternatives in a sentence. */
export const orList = (items: readonly string[]): string => items.join(' or ');

export const glanceMetadataNotFound = (id: string): CairnError =>
  notFound(`Glance metadata for volume/snapshot ${id} cannot be found.`, { type: 'GlanceMetadataNotFound' });
export const volumeMetadataNotFound = (id: string, key: string): CairnError =>
  notFound(`Volume ${id} has no metadata with key ${key}.`, { type: 'VolumeMetadataNotFound' });
export const snapshotMetadataNotFound = (id: string, key: string): CairnError =>
  notFound(`Snapshot ${id} has no metadata with key ${key}.`, { type: 'SnapshotMetadataNotFound' });
export const messageNotFound = (id: string): CairnError => notFound(`Message ${id} could not be found.`, { type: 'MessageNotFound' });
export const transferNotFound = (id: string): CairnError => notFound(`Transfer ${id} could not be found.`, { type: 'TransferNotFound' });
export const extraSpecNotFound = (typeId: string, key: string): CairnError =>
  notFound(`Volume Type ${typeId} has no extra specs with key ${key}.`, { type: 'VolumeTypeExtraSpecsNotFound' });
