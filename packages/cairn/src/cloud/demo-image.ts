import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { emptyQcow2 } from '@cairn/host/simulated/disks';
import type { Paths } from '../daemon/paths.ts';
import type { NeededPackage } from '../install/packages.ts';

export interface DemoImage {
  readonly path: string;
  readonly format: 'qcow2';
}

const NAME = 'cairn-cirros.qcow2';

/** The demo image in a cache folder, if it was built. */
export function demoImageIn(folder: string): DemoImage | undefined {
  const path = join(folder, NAME);
  return existsSync(path) ? { path, format: 'qcow2' } : undefined;
}

/** Builds the demo image from distribution packages; returns its path. */
export async function buildDemoImage(folder: string, onProgress: (text: string) => void): Promise<string> {
  const { buildGuestImage } = await import('@cairn/host/guest-image/build');
  mkdirSync(folder, { recursive: true });
  await buildGuestImage({ outDir: folder, onProgress });
  return join(folder, NAME);
}

/** What building it needs of the distribution. */
export async function demoImagePackages(): Promise<readonly NeededPackage[]> {
  const { packagesNeeded } = await import('@cairn/host/guest-image/packages');
  return packagesNeeded.map((name) => ({ name, why: 'goes into, or makes, the demo guest image' }));
}

/** What simulated guests "boot": a valid image with nothing in it. */
export function simulatedImage(paths: Paths): DemoImage {
  const path = join(paths.data, NAME);
  if (!existsSync(path)) writeFileSync(path, emptyQcow2(112 * 2 ** 20));
  return { path, format: 'qcow2' };
}
