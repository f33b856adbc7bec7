import type { Env } from '@cairn/kit/env';
import type { GlanceOptions } from '../options.ts';
import { FileStore } from '../stores/file.ts';
import { Images } from './images.ts';
import { Members } from './members.ts';

/** Glance's rules, one member per resource. */
export interface GlanceApp {
  readonly env: Env;
  readonly options: GlanceOptions;
  readonly files: FileStore;
  readonly images: Images;
  readonly members: Members;
}

export function createGlanceApp(env: Env, options: GlanceOptions): GlanceApp {
  const files = new FileStore(options.imagesDir);
  const images = new Images(env, options, files);
  return { env, options, files, images, members: new Members(images) };
}
