import { invalidInput, unavailable } from '@cairn/kit/errors/errors';
import type { Clock } from '@cairn/kit/clock/clock';
import type { Logger } from '@cairn/kit/log/log';
import type { HostCallbacks, HostEvent } from '../interface/agent.ts';
import { parseCidr, parseIp } from './plan/address.ts';
import type { PhysicalNetwork, TunnelEndpoint } from './plan/switch.ts';

export interface KernelFabricOptions {
  /** Tells several clouds on one machine apart, in the names of namespaces: 1 to 12 lower-case letters and digits. */
  readonly instance: string;
  /** For what must outlive a boot: the log of security groups (kernel/packet-log.ts). What was built the kernel itself records, and forgets with it. */
  readonly dataDir: string;
  /** Files of the DHCP servers are kept in it. Their user must be able to reach it. */
  readonly runDir: string;
  /** Who may open the taps: the group that all guests share, each under a user of its own. */
  readonly tapGroupGid: number;
  /** By the name that networks know them by (`segment.physicalNetwork`). */
  readonly physicalNetworks: Readonly<Record<string, PhysicalNetwork>>;
  readonly callbacks: Pick<HostCallbacks, 'metadata'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onEvent?: (event: HostEvent) => void;
  /** Where this host's tunnels to other hosts end; without it networks end at this host. */
  readonly tunnels?: TunnelEndpoint;
  /** The named network namespace that the public network is joined to. Default: the one in which this process runs. */
  readonly outerNetns?: string;
  /** The user that DHCP servers run as. Default: `dnsmasq` where there is such a user, else `nobody`. */
  readonly dhcpUser?: { readonly user: string; readonly group: string };
}

/** Throws InvalidInput, or Unavailable where this process cannot do the work at all. */
export function checkOptions(options: KernelFabricOptions): void {
  if (process.platform !== 'linux') throw unavailable('Real networks need Linux. On other systems use --hypervisor simulated.');
  if (process.getuid?.() !== 0)
    throw unavailable(
      'Real networks need root: network namespaces and firewall rules are made by root alone. Run Cairn as root, or use --hypervisor simulated.',
    );
  if (!/^[a-z0-9]{1,12}$/.test(options.instance))
    throw invalidInput("The fabric's instance must be 1 to 12 lower-case letters or digits.", { field: 'instance' });
  if (!Number.isInteger(options.tapGroupGid) || options.tapGroupGid < 0) throw invalidInput('The group of taps must be a group id.', { field: 'tapGroupGid' });
  if (!options.runDir.startsWith('/')) throw invalidInput('The run directory must be an absolute path.', { field: 'runDir' });
  if (options.outerNetns !== undefined && !/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/.test(options.outerNetns))
    throw invalidInput('The outer network namespace must be the name of one.', { field: 'outerNetns' });
  if (options.tunnels && (!/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/.test(options.tunnels.netns) || !parseIp(options.tunnels.localIp)))
    throw invalidInput("The tunnels' end must be the name of a network namespace and an address in it.", { field: 'tunnels' });
  for (const [name, { linkName, hostCidr, outerBridge, isCard }] of Object.entries(options.physicalNetworks)) {
    const field = `physicalNetworks.${name}`;
    if (!/^[A-Za-z][A-Za-z0-9_.-]{0,14}$/.test(linkName))
      throw invalidInput(`The link of the physical network ${name} must have a name of 1 to 15 letters, digits, "_", "." or "-".`, { field });
    if (outerBridge !== undefined && !/^[A-Za-z][A-Za-z0-9_.-]{0,14}$/.test(outerBridge))
      throw invalidInput(`The bridge of the physical network ${name} must have a name of 1 to 15 letters, digits, "_", "." or "-".`, { field });
    if (hostCidr === undefined && (outerBridge !== undefined || isCard)) continue;
    if (isCard) throw invalidInput(`The card of the physical network ${name} cannot have an address of the host's.`, { field });
    if (hostCidr === undefined || !/^[0-9a-f.:]+\/\d+$/.test(hostCidr) || !parseCidr(hostCidr))
      throw invalidInput(`The host's address on the physical network ${name} must be given with its prefix length, like 172.24.4.1/24.`, { field });
  }
}
