import { isCairnError } from '@cairn/kit/errors/errors';
import type { NovaDeps } from '../app/deps.ts';

/**
 * Has every host forget the templates of an image that is gone. No server can be made of it any more, so a host that is away keeps only what
 * takes up room, until others need that.
 */
export async function dropTemplates(deps: NovaDeps, imageId: string): Promise<void> {
  for (const host of deps.hosts.names()) {
    try {
      await deps.hosts.get(host).templates.drop(imageId);
    } catch (error) {
      if (!isCairnError(error)) throw error;
      deps.env.log.warn({ host, imageId, reason: error.message }, 'the templates of an image could not be removed');
    }
  }
}
