import type { Clock } from '@cairn/kit/clock/clock';
import type { Logger } from '@cairn/kit/log/log';
import type { DelegationKeeper } from '../delegation/keeper.ts';
import type { Announcer } from '../kernel/announce.ts';
import type { DnsmasqKeeper } from '../kernel/dnsmasq.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { KernelLinks } from '../kernel/links.ts';
import type { MetadataListeners } from '../metadata/listeners.ts';
import type { Names } from '../names.ts';
import type { FabricView } from '../objects.ts';

/** What the units of one fabric share. */
export interface UnitContext {
  readonly kernel: Kernel;
  readonly view: FabricView;
  readonly names: Names;
  readonly dnsmasq: DnsmasqKeeper;
  readonly metadata: MetadataListeners;
  readonly delegations: DelegationKeeper;
  readonly announcer: Announcer;
  readonly clock: Clock;
  readonly log: Logger;
  /** Resolves when these bridges are in the switch. */
  ensureBridges(bridges: ReadonlySet<string>): Promise<void>;
  /** The links of the switch namespace; read once for all units that ask at about the same time. */
  switchLinks(isFresh: boolean): Promise<KernelLinks>;
}
