import type { GuestLayout } from '../interface/guests.ts';

/** What the hypervisor must know to start a guest from a template. */
export interface OpenTemplate {
  readonly layout: GuestLayout;
  /** Its memory as a path that the guest's process can open, and the open files that the path needs (as 3 and up in that process). */
  readonly memory: { readonly path: string; readonly inherit: readonly number[] };
  /** All of the machine but its memory, as QEMU wrote it. */
  readonly statePath: string;
  /** What it printed while it booted. */
  readonly console: Buffer;
  /** The guest has started, or did not. */
  close(): Promise<void>;
}

/**
 * Opens a template for a guest whose root disk is `rootDiskId`. `ownFile` is a path of the guest's own, for when it has to have the memory as
 * a copy. Rejects with words for the user when the template is not there, or when the disk is no longer as the template left it.
 */
export type TemplateResolver = (templateId: string, guest: { readonly rootDiskId: string; readonly ownFile: string }) => Promise<OpenTemplate>;
