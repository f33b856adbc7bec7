import type { GlanceFace } from '@cairn/glance/face';
import type { Hosts } from '@cairn/host/interface/hosts';
import type { KeystoneFace } from '@cairn/keystone/face';
import type { Env } from '@cairn/kit/env';
import type { CinderOptions } from '../options.ts';

/** The services that cinder asks, by their faces. */
export interface CinderFaces {
  readonly glance: GlanceFace;
  readonly keystone: Pick<KeystoneFace, 'project' | 'sealSecret' | 'openSecret' | 'tokenFor' | 'endpointFor'>;
}

/** What every part of cinder's app is built with. */
export interface CinderDeps {
  readonly env: Env;
  readonly options: CinderOptions;
  readonly faces: CinderFaces;
  readonly hosts: Hosts;
}
