/** What decides whether something can be done with a volume. */
export interface VolumeFacts {
  readonly status: string;
  readonly multiattach: boolean;
  readonly attachments: readonly {
    /** Null for what is attached to a host without a server. */
    readonly server_id: string | null;
    readonly device: string | null;
    readonly attachment_id: string;
    readonly attached_at?: string | null;
  }[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** The states from which cinder lets each begin. */
const FROM = {
  attach: ['available'],
  extend: ['available', 'in-use'],
  snapshot: ['available', 'in-use'],
  backup: ['available', 'in-use'],
  retype: ['available', 'in-use'],
  upload: ['available', 'in-use'],
  transfer: ['available'],
  readonly: ['available'],
  revert: ['available'],
  delete: ['available', 'error', 'error_restoring', 'error_extending', 'error_managing'],
} as const;
export type VolumeAction = keyof typeof FROM | 'detach' | 'edit' | 'bootable';

/** Why an action cannot be done now; undefined when it can. */
export type VolumeHindrance = { readonly why: 'state'; readonly needs: readonly string[] } | { readonly why: 'notAttached' };

export function volumeHindrance(action: VolumeAction, volume: VolumeFacts): VolumeHindrance | undefined {
  if (action === 'detach') return volume.attachments.length === 0 ? { why: 'notAttached' } : undefined;
  if (action === 'edit' || action === 'bootable') return undefined;
  if (action === 'attach' && volume.multiattach && volume.status === 'in-use') return undefined;
  const needs: readonly string[] = FROM[action];
  return needs.includes(volume.status) ? undefined : { why: 'state', needs };
}

/** Can nothing be written to it? Cinder keeps that in the metadata. */
export const isReadonly = (volume: VolumeFacts): boolean => volume.metadata['readonly']?.toLowerCase() === 'true';
