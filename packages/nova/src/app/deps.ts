import type { CinderFace } from '@cairn/cinder/face';
import type { GlanceFace } from '@cairn/glance/face';
import type { Hosts } from '@cairn/host/interface/hosts';
import type { KeystoneFace } from '@cairn/keystone/face';
import type { Env } from '@cairn/kit/env';
import type { NeutronFace } from '@cairn/neutron/face';
import type { PlacementFace } from '@cairn/placement/face';
import type { NovaOptions } from '../options.ts';

/** The services that nova asks, by their faces. */
export interface NovaFaces {
  readonly keystone: KeystoneFace;
  readonly glance: GlanceFace;
  readonly placement: PlacementFace;
  readonly neutron: NeutronFace;
  readonly cinder: CinderFace;
}

/** What every part of nova's app is built with. */
export interface NovaDeps {
  readonly env: Env;
  readonly options: NovaOptions;
  readonly faces: NovaFaces;
  readonly hosts: Hosts;
}
