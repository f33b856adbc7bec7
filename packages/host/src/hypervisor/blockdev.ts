import { createHash } from 'node:crypto';
import { conflict } from '@cairn/kit/errors/errors';
import type { DiskLayer } from './open-disks.ts';

/** QEMU's blockdev options as JSON: for `-blockdev` and `blockdev-add` alike. */
export type BlockNode = { readonly driver: string; readonly 'node-name'?: string } & Readonly<Record<string, unknown>>;

/** What tells two layers apart: the path, or the protocol's options. */
export const layerKey = (layer: DiskLayer): string => ('path' in layer ? layer.path : JSON.stringify(layer.protocol));

export const sameLayer = (a: DiskLayer, b: DiskLayer): boolean => layerKey(a) === layerKey(b);

/** The name of a layer's node in QEMU: the same for the same disk and file always, and within QEMU's 31 characters. */
export const nodeName = (diskId: string, layer: DiskLayer): string => `d${hash(diskId, layerKey(layer))}`;

/** The name of the node below it, which reads the file. */
export const protocolNodeName = (diskId: string, layer: DiskLayer): string => `f${hash(diskId, layerKey(layer))}`;

const hash = (...parts: readonly string[]): string => createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 24);

export interface DiskAccess {
  readonly readOnly: boolean;
  /** Several guests write: only raw can bear that. */
  readonly shared: boolean;
}

/**
 * The whole chain of a disk as one nested node. Each layer names its driver and what backs it (or that nothing does), so QEMU
 * probes no content and follows no name that it reads in a header.
 */
export function diskNode(diskId: string, layers: readonly DiskLayer[], access: DiskAccess): BlockNode {
  const [top, ...lower] = layers;
  if (!top) throw conflict(`Disk ${diskId} has no layers.`);
  if (access.shared && !access.readOnly && (layers.length > 1 || top.format !== 'raw')) {
    throw conflict(
      `Disk ${diskId} cannot be attached to several servers for writing: it is ${lower.length ? 'an overlay' : top.format}, and only raw disks can be.`,
    );
  }
  return layerNode(diskId, top, lower, access.readOnly);
}

function layerNode(diskId: string, layer: DiskLayer, lower: readonly DiskLayer[], readOnly: boolean): BlockNode {
  const [next, ...rest] = lower;
  if (layer.format === 'raw' && next) throw conflict(`Disk ${diskId} is damaged: a raw layer cannot be backed by another.`);
  return {
    ...openLayer(diskId, layer, readOnly),
    // null, not absent: absent would make QEMU open whatever the header names.
    ...(layer.format === 'qcow2' ? { backing: next ? layerNode(diskId, next, rest, true) : null } : {}),
  };
}

/** The name of the node that decrypts a disk: the same for the same disk always. */
export const cryptNodeName = (diskId: string): string => `c${hash(diskId)}`;

/** The node that a guest's device stands on: the disk's top layer, or what decrypts it. */
export const rootNodeName = (diskId: string, top: DiskLayer, encrypted: readonly string[] | undefined): string =>
  encrypted?.includes(diskId) ? cryptNodeName(diskId) : nodeName(diskId, top);

/** Decrypts what is below it. QEMU has the secret when it opens the node, and needs it no longer afterwards. */
export const decrypting = (diskId: string, below: BlockNode, secretId: string): BlockNode & { readonly 'node-name': string } => ({
  driver: 'luks',
  'node-name': cryptNodeName(diskId),
  'key-secret': secretId,
  'read-only': below['read-only'] === true,
  discard: 'unmap',
  file: below,
});

/** One layer without what backs it: for overlays and copies that are put into place later. */
export function openLayer(diskId: string, layer: DiskLayer, readOnly: boolean): BlockNode {
  const device = 'path' in layer ? layer.device : undefined;
  return {
    driver: layer.format,
    ...(device?.sizeBytes !== undefined && { size: device.sizeBytes }),
    'node-name': nodeName(diskId, layer),
    'read-only': readOnly,
    discard: 'unmap',
    // Zeroes that the guest writes become holes.
    ...(readOnly ? {} : { 'detect-zeroes': 'unmap' }),
    file: {
      ...('path' in layer ? { driver: device ? 'host_device' : 'file', filename: layer.path, locking: 'auto' } : layer.protocol),
      'node-name': protocolNodeName(diskId, layer),
      discard: 'unmap',
    },
  };
}
