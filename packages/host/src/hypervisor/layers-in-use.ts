import { layerKey } from './blockdev.ts';
import { diskDeviceId } from './devices.ts';
import type { Guest, Machine } from './guest.ts';
import type { DiskLayer } from './open-disks.ts';

interface ImageInfo {
  readonly filename: string;
  readonly format: string;
  readonly 'backing-image'?: ImageInfo;
}

/** The layers of a disk as QEMU has them open, top first. */
export async function layersInUse(guest: Guest, machine: Machine, diskId: string): Promise<readonly DiskLayer[]> {
  const record = guest.known();
  const known = record.layers[diskId] ?? [];
  const disk = record.spec.disks.find((d) => d.diskId === diskId);
  if (!disk || known.some((layer) => !('path' in layer))) return known;
  const blocks = await machine.qmp.execute<readonly { readonly qdev?: string; readonly inserted?: { readonly image: ImageInfo } }[]>('query-block');
  const device = diskDeviceId(disk);
  const layers: DiskLayer[] = [];
  for (let image = blocks.find((b) => (b.qdev ?? '').split('/').includes(device))?.inserted?.image; image; image = image['backing-image']) {
    const path = pathOf(image.filename);
    if (path === undefined || (image.format !== 'raw' && image.format !== 'qcow2')) return known;
    layers.push({ format: image.format, path });
  }
  return layers.length ? layers : known;
}

/** QEMU names a file whose options differ from the usual by its options, as `json:{...}`. */
function pathOf(filename: string): string | undefined {
  if (!filename.startsWith('json:')) return filename;
  let node = JSON.parse(filename.slice('json:'.length)) as { readonly filename?: string; readonly file?: unknown };
  while (typeof node.file === 'object' && node.file !== null) node = node.file;
  return node.filename;
}

export const layersEqual = (a: readonly DiskLayer[], b: readonly DiskLayer[]): boolean =>
  a.length === b.length && a.every((layer, i) => layerKey(layer) === layerKey(b[i] ?? layer) && layer.format === b[i]?.format);
