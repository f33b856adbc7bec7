import type { AnyOperation } from '@cairn/kit/http/operation';
import { attachmentOperations } from './attachments.ts';
import { backupOperations } from './backups.ts';
import { consistencyGroupOperations } from './consistency-groups.ts';
import { extensionOperations } from './extensions.ts';
import { groupTypeOperations } from './group-types.ts';
import { groupOperations } from './groups.ts';
import { manageableOperations } from './manageable.ts';
import { messageOperations } from './messages.ts';
import { metadataOperations } from './metadata.ts';
import { withAndWithoutProject } from './op.ts';
import { qosOperations } from './qos-specs.ts';
import { quotaOperations } from './quotas.ts';
import { serviceControlOperations } from './service-control.ts';
import { serviceOperations } from './services.ts';
import { snapshotOperations } from './snapshots.ts';
import { transferOperations } from './transfers.ts';
import { typeOperations } from './types.ts';
import { versionOperations } from './versions.ts';
import { volumeActionOperations } from './volume-actions.ts';
import { volumeOperations } from './volumes.ts';

/** Every operation of the block storage API: one line per resource file. */
export const cinderOperations: readonly AnyOperation[] = [
  ...versionOperations,
  ...withAndWithoutProject([
    ...volumeOperations,
    ...volumeActionOperations,
    ...metadataOperations,
    ...snapshotOperations,
    ...attachmentOperations,
    ...typeOperations,
    ...quotaOperations,
    ...serviceOperations,
    ...extensionOperations,
    ...messageOperations,
    ...transferOperations,
    ...backupOperations,
    ...groupTypeOperations,
    ...groupOperations,
    ...consistencyGroupOperations,
    ...qosOperations,
    ...manageableOperations,
    ...serviceControlOperations,
  ]),
];
