import { systemContext } from '@cairn/kit/context/context';
import type { StoredEvent } from '@cairn/kit/events/events';
import type { RoutedSegment } from '@cairn/neutron/face';
import type { Aggregate, Aggregates } from '../app/aggregates.ts';
import type { NovaDeps } from '../app/deps.ts';
import { allComputeNodes } from '../store/compute-node.ts';

/** Names of providers and aggregates of segments begin so, as upstream's neutron has it; the segment's id follows. */
const NAME = 'Neutron segment id ';
const CLASS = 'IPV4_ADDRESS';

/**
 * Keeps what compute and placement know of routed networks: each segment with IPv4 addresses for servers is a provider of them, and has an aggregate of the
 * hosts that reach it. Upstream's neutron adds and subtracts as things happen (neutron/services/segments/plugin.py); here they are made what the rows come to.
 */
export class NetworkSegments {
  readonly #deps: NovaDeps;
  readonly #aggregates: Aggregates;
  /** What was written of each segment last. */
  readonly #written = new Map<string, string>();
  #running: Promise<void> | undefined;
  #again = false;

  constructor(deps: NovaDeps, aggregates: Aggregates) {
    this.#deps = deps;
    this.#aggregates = aggregates;
  }

  /** Has something changed that segments are made of? */
  async heard({ type, payload }: Pick<StoredEvent, 'type' | 'payload'>): Promise<void> {
    const { subnet, port } = payload as {
      readonly subnet?: { readonly segment_id?: string | null };
      readonly port?: { readonly device_owner?: string };
    };
    if (type.startsWith('subnet.') ? subnet?.segment_id == null && this.#written.size === 0 : this.#written.size === 0) return;
    // what servers have, they have of the inventory; the DHCP server's is in it from the start
    if (port && (port.device_owner?.startsWith('compute:') || port.device_owner === 'network:dhcp')) return;
    await this.settle();
  }

  /** Makes all what it is to be. What is asked meanwhile is done in one more round. */
  async settle(): Promise<void> {
    this.#again = true;
    this.#running ??= this.#rounds().finally(() => {
      this.#running = undefined;
    });
    await this.#running;
  }

  async #rounds(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      await this.#round();
    }
  }

  async #round(): Promise<void> {
    const { env, faces } = this.#deps;
    const segments = await faces.neutron.routedSegments(env.store.read);
    const known = new Map(
      (await this.#aggregates.list()).filter(({ row }) => row.name.startsWith(NAME)).map((each) => [each.row.name.slice(NAME.length), each]),
    );
    const hosts = segments.length === 0 ? [] : (await allComputeNodes(env.store.read)).map((node) => node.host);
    for (const segment of segments) await this.#keep(segment, known.get(segment.id), hosts);
    const wanted = new Set(segments.map((segment) => segment.id));
    for (const [id, aggregate] of known) if (!wanted.has(id)) await this.#drop(id, aggregate);
  }

  async #keep(segment: RoutedSegment, found: Aggregate | undefined, hosts: readonly string[]): Promise<void> {
    const { env, faces } = this.#deps;
    const ctx = systemContext(`req-${env.ids.uuid()}`);
    const aggregate = found ?? (await this.#aggregates.create(ctx, `${NAME}${segment.id}`, undefined));
    const members = hosts.filter((host) => segment.hosts === undefined || segment.hosts.includes(host));
    for (const host of members) if (!aggregate.hosts.includes(host)) await this.#aggregates.addHost(ctx, aggregate.row.seq, host);
    for (const host of aggregate.hosts) if (hosts.includes(host) && !members.includes(host)) await this.#aggregates.removeHost(ctx, aggregate.row.seq, host);
    const text = JSON.stringify([segment, aggregate.row.id]);
    if (this.#written.get(segment.id) === text) return;
    await env.store.write((tx) =>
      faces.placement.ensureProvider(tx, {
        id: segment.id,
        name: `${NAME}${segment.id}`,
        inventories: { [CLASS]: { total: segment.total, reserved: segment.reserved, minUnit: 1, maxUnit: 1, stepSize: 1, allocationRatio: 1 } },
        traits: [],
        ownsTrait: () => false,
        aggregates: [aggregate.row.id],
      }),
    );
    this.#written.set(segment.id, text);
  }

  async #drop(id: string, { row, hosts }: Aggregate): Promise<void> {
    const { env, faces } = this.#deps;
    const ctx = systemContext(`req-${env.ids.uuid()}`);
    for (const host of hosts) await this.#aggregates.removeHost(ctx, row.seq, host);
    await this.#aggregates.delete(ctx, row.seq);
    await env.store.write((tx) => faces.placement.removeProvider(tx, id));
    this.#written.delete(id);
  }
}
