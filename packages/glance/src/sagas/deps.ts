import type { ImageConverter } from '@cairn/host/interface/images';
import type { DataDeps } from '../app/deps.ts';
import type { ImageData } from '../app/image-data.ts';
import type { Images } from '../app/images.ts';
import type { Tasks } from '../app/tasks.ts';

/** What glance's durable work is made of. */
export interface SagaDeps extends DataDeps {
  readonly images: Images;
  readonly data: ImageData;
  readonly tasks: Tasks;
  /** Absent where no host of this machine can convert. */
  readonly converter: ImageConverter | undefined;
  /** Tokens of users whose imports read from another glance, by task. Never written down. */
  readonly tokens: Map<string, string>;
}
