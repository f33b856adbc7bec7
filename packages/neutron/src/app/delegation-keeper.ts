import type { HostEvent } from '@cairn/host/interface/agent';
import { systemContext } from '@cairn/kit/context/context';
import type { Tx } from '@cairn/kit/store/store';
import { covers, mustCidr, networkText, overlaps, parseCidr } from '../net/cidr.ts';
import { isProvisional, PROVISIONAL_PREFIX } from '../net/delegated.ts';
import { keepDelegation } from '../store/delegated-prefixes.ts';
import { findRouter } from '../store/routers.ts';
import { activeHostOf } from '../store/service-hosts.ts';
import { fullSubnetsOfNetworks, subnetsByIds } from '../store/subnets.ts';
import type { RouterRow, SubnetRow } from '../store/tables.ts';
import { delegatedSubnetsOf, losePrefix, setPrefix } from './delegated-prefixes.ts';
import type { NeutronApp } from './deps.ts';
import { portsOfRouter } from './router-subnets.ts';

type PrefixEvent = Extract<HostEvent, { kind: 'prefix' }>;

/** Puts down what prefixes hosts were delegated for the subnets of their routers (upstream's process_prefix_update). */
export class DelegationKeeper {
  readonly #app: NeutronApp;
  #stop: () => void = () => undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(app: NeutronApp) {
    this.#app = app;
  }

  start(): void {
    this.#stop = this.#app.hosts.onEvent((host, event) => {
      if (event.kind === 'prefix') this.#take(host, event);
    });
  }

  async stop(): Promise<void> {
    this.#stop();
    await this.#writing;
  }

  #take(host: string, event: PrefixEvent): void {
    const { env } = this.#app;
    this.#writing = this.#writing
      .then(() => env.store.write((tx) => this.#put(tx, host, event)))
      .catch((err: unknown) => env.log.error({ err, host, subnetId: event.subnetId }, 'a delegated prefix could not be put down'));
  }

  async #put(tx: Tx, host: string, { routerId, subnetId, lease }: PrefixEvent): Promise<void> {
    const router = await findRouter(tx, routerId);
    // a late word of a host that the router has left, or of a subnet that has left the router
    if (!router || router.gw_port_id === null || (await activeHostOf(tx, routerId)) !== host) return;
    const row = (await delegatedSubnetsOf(tx, routerId)).find((subnet) => subnet.id === subnetId);
    if (!row) return;
    const ctx = systemContext(`req-${this.#app.env.ids.uuid()}`);
    if (!lease) return losePrefix(this.#app, tx, ctx, row);
    const cidr = parseCidr(lease.prefix);
    if (!cidr || cidr.version !== 6 || cidr.prefixLength !== 64 || covers(mustCidr(PROVISIONAL_PREFIX), cidr)) return;
    const other = (await this.#neighbours(tx, router, row)).find((subnet) => overlaps(mustCidr(subnet.cidr), cidr));
    if (other) {
      const about = { host, subnetId, prefix: lease.prefix, other: other.id };
      this.#app.env.log.warn(about, `the prefix ${lease.prefix} that was delegated to the subnet ${subnetId} is not used: the subnet ${other.id} has it`);
      return;
    }
    const prefix = networkText(cidr);
    await keepDelegation(tx, { id: subnetId, router_id: routerId, prefix, valid_until_ms: lease.validUntilMs });
    await setPrefix(this.#app, tx, ctx, row, prefix);
  }

  /** The other subnets that a router or a network is on: none may have the same addresses. */
  async #neighbours(tx: Tx, router: RouterRow, row: SubnetRow): Promise<SubnetRow[]> {
    const { addresses } = await portsOfRouter(tx, router.id);
    const networks = [row.network_id, ...(router.gw_network_id === null ? [] : [router.gw_network_id])];
    const around = [...(await fullSubnetsOfNetworks(tx, networks)), ...(await subnetsByIds(tx, [...new Set(addresses.map((address) => address.subnet_id))]))];
    return around.filter((subnet) => subnet.id !== row.id && !isProvisional(subnet));
  }
}
