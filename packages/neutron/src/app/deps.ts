import type { Hosts } from '@cairn/host/interface/hosts';
import type { KeystoneFace } from '@cairn/keystone/face';
import type { Env } from '@cairn/kit/env';
import type { Policy } from '@cairn/kit/policy/policy';
import type { Pusher } from '../fabric/pusher.ts';
import type { Settings } from '../options.ts';
import type { ServiceKeeper } from './service-keeper.ts';
import type { ServiceScheduler } from './service-scheduler.ts';

/** What the parts of the network service are built with. */
export interface NeutronApp {
  readonly env: Env;
  readonly policy: Policy;
  readonly keystone: KeystoneFace;
  readonly hosts: Hosts;
  readonly settings: Settings;
  readonly pusher: Pusher;
  /** Chooses hosts for routers and DHCP. */
  readonly scheduler: ServiceScheduler;
  /** Gives those hosts that have none, or whose host is gone. */
  readonly keeper: Pick<ServiceKeeper, 'look'>;
}
