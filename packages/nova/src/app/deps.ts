import type { CinderFace } from '@cairn/cinder/face';
import type { GlanceFace } from '@cairn/glance/face';
import type { Hosts } from '@cairn/host/interface/hosts';
import type { KeystoneFace } from '@cairn/keystone/face';
import type { Env } from '@cairn/kit/env';
import type { InsideCall } from '@cairn/kit/http/server';
import type { NeutronFace } from '@cairn/neutron/face';
import type { PlacementFace } from '@cairn/placement/face';
import type { SecondLooks } from '../hosts/second-looks.ts';
import type { NovaOptions } from '../options.ts';

/** The services that nova asks, by their faces. */
export interface NovaFaces {
  readonly keystone: KeystoneFace;
  readonly glance: GlanceFace;
  readonly placement: PlacementFace;
  readonly neutron: NeutronFace;
  readonly cinder: CinderFace;
}

/** What a call from inside the process is answered with; JSON bodies are parsed. */
export interface InsideAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: unknown;
}

/** What every part of nova's app is built with. */
export interface NovaDeps {
  readonly env: Env;
  readonly options: NovaOptions;
  readonly faces: NovaFaces;
  readonly hosts: Hosts;
  /** Calls a public operation of `neutron` or `glance` in the caller's own name: for the old network and image APIs that nova only hands on. */
  readonly inside: (call: InsideCall) => Promise<InsideAnswer>;
  /** Servers whose guest is compared with its row when they are at rest again. */
  readonly secondLooks: SecondLooks;
}
