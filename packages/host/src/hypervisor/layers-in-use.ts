import { cryptNodeName, layerKey } from './blockdev.ts';
import { diskDeviceId } from './devices.ts';
import type { Guest } from './guest.ts';
import type { DiskLayer } from './open-disks.ts';
import type { Qmp } from './qmp.ts';

interface ImageInfo {
  readonly filename: string;
  readonly format: string;
  readonly 'backing-image'?: ImageInfo;
}

/** The layers of a disk as QEMU has them open, top first. */
export async function layersInUse(guest: Guest, machine: { readonly qmp: Qmp }, diskId: string): Promise<readonly DiskLayer[]> {
  const record = guest.known();
  const known = record.layers[diskId] ?? [];
  const disk = record.spec.disks.find((d) => d.diskId === diskId);
  if (!disk || known.some((layer) => !('path' in layer))) return known;
  const top = record.encrypted?.includes(diskId) ? await encryptedImage(machine.qmp, diskId) : await imageOf(machine.qmp, diskDeviceId(disk));
  return layersOf(top, known) ?? known;
}

async function imageOf(qmp: Qmp, device: string): Promise<ImageInfo | undefined> {
  const blocks = await qmp.execute<readonly { readonly qdev?: string; readonly inserted?: { readonly image: ImageInfo } }[]>('query-block');
  return blocks.find((b) => (b.qdev ?? '').split('/').includes(device))?.inserted?.image;
}

/** What the device has is the node that decrypts; the layers are what that node reads. */
async function encryptedImage(qmp: Qmp, diskId: string): Promise<ImageInfo | undefined> {
  const { nodes, edges } = await qmp.execute<{
    readonly nodes: readonly { readonly id: number; readonly name: string }[];
    readonly edges: readonly { readonly parent: number; readonly child: number; readonly name: string }[];
  }>('x-debug-query-block-graph');
  const crypt = nodes.find(({ name }) => name === cryptNodeName(diskId));
  const below = edges.find(({ parent, name }) => parent === crypt?.id && name === 'file');
  const top = nodes.find(({ id }) => id === below?.child);
  if (!top) return undefined;
  return imageOfNode(qmp, top.name);
}

async function imageOfNode(qmp: Qmp, name: string): Promise<ImageInfo | undefined> {
  const named = await qmp.execute<readonly { readonly 'node-name'?: string; readonly image: ImageInfo }[]>('query-named-block-nodes');
  return named.find((node) => node['node-name'] === name)?.image;
}

/** The layers from a node down, top first; undefined where they are no files. */
export async function layersBelow(qmp: Qmp, name: string, known: readonly DiskLayer[]): Promise<readonly DiskLayer[] | undefined> {
  return layersOf(await imageOfNode(qmp, name), known);
}

/** `known`: what QEMU was told. It does not tell everything again. */
function layersOf(top: ImageInfo | undefined, known: readonly DiskLayer[]): readonly DiskLayer[] | undefined {
  const layers: DiskLayer[] = [];
  for (let image = top; image; image = image['backing-image']) {
    const path = pathOf(image.filename);
    if (path === undefined || (image.format !== 'raw' && image.format !== 'qcow2')) return undefined;
    const { format } = image;
    layers.push(known.find((layer) => 'path' in layer && layer.path === path && layer.format === format) ?? { format, path });
  }
  return layers.length > 0 ? layers : undefined;
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
