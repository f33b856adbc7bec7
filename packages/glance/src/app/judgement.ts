import type { ImageFacts as Inspected } from '@cairn/host/inspector/inspector';
import { judge } from '@cairn/host/inspector/judge';
import { CairnError } from '@cairn/kit/errors/errors';

/**
 * Judges an image's bytes against what it was declared to be; returns the virtual size as glance records it. As upstream, only the container
 * `bare` is looked into here (glance/location.py); whatever a guest is to use is judged again by its host. Throws UnsupportedMediaType.
 */
export function judged(declared: { readonly disk_format: string | null; readonly container_format: string | null }, inspected: Inspected): number | null {
  if (declared.container_format !== 'bare') return null;
  const verdict = judge(declared.disk_format ?? 'raw', inspected, { stage: 'upload' });
  if (!verdict.ok) throw new CairnError('UnsupportedMediaType', `Image data was refused: ${verdict.reason}`, { type: 'ImageDataRefused' });
  return verdict.virtualSizeBytes || null;
}
