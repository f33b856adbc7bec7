import type { Context } from '@cairn/kit/context/context';
import { alreadyExists, conflict, invalidInput, isCairnError, notFound } from '@cairn/kit/errors/errors';
import { isUniqueViolation } from '@cairn/kit/store/errors';
import type { SagaDefinition } from '@cairn/kit/saga/saga';
import type { Db, Tx } from '@cairn/kit/store/store';
import type { CacheImagesParams } from '../sagas/image-cache.ts';
import * as store from '../store/aggregate-manage.ts';
import { computeNodeOfHost } from '../store/compute-node.ts';
import { findService } from '../store/service-manage.ts';
import type { NovaDeps } from './deps.ts';

type Metadata = Readonly<Record<string, string>>;

/** An aggregate as it is shown. */
export interface Aggregate {
  readonly row: store.AggregateRow;
  readonly metadata: Metadata;
  readonly hosts: readonly string[];
}

const missing = (seq: number): Error => notFound(`Aggregate ${seq} could not be found.`, { type: 'AggregateNotFound' });
const taken = (name: string): Error => alreadyExists(`Aggregate ${name} already exists.`, { type: 'AggregateNameExists', field: 'name' });
const metadataOf = (row: store.AggregateRow): Record<string, string> => JSON.parse(row.metadata_json) as Record<string, string>;
const zoneOf = (row: store.AggregateRow): string | undefined => metadataOf(row).availability_zone;
const quoted = (zones: readonly string[]): string => `[${zones.map((zone) => `'${zone}'`).join(', ')}]`;

/** Why a host may not change its zone (nova/compute/api.py). */
const wouldMove = (verb: 'added to' | 'removed from', from: string | undefined, to: string | undefined, servers: number): string =>
  `The host cannot be ${verb} the aggregate as the availability zone of the host would change from '${from ?? 'None'}' to '${to ?? 'None'}' but the host already has ${servers} instance(s). ` +
  'Changing the AZ of an existing instance is not supported by this action. Move the instances away from this host then try again. ' +
  'If you need to move the instances between AZs then you can use shelve_offload and unshelve to achieve this.';

/** The rules of aggregates. A host is in one availability zone at most, and does not change it while it has servers. */
export class Aggregates {
  readonly #deps: NovaDeps;
  readonly #cacheImages: SagaDefinition<CacheImagesParams>;

  constructor(deps: NovaDeps, cacheImages: SagaDefinition<CacheImagesParams>) {
    this.#deps = deps;
    this.#cacheImages = cacheImages;
  }

  /** Begins to make images ready on the hosts of an aggregate. The images must be the caller's to see. */
  async cacheImages(ctx: Context, seq: number, imageIds: readonly string[]): Promise<void> {
    const { env, faces } = this.#deps;
    const { row, hosts } = await this.get(seq);
    for (const id of imageIds) {
      await faces.glance.image(env.store.read, ctx, id).catch((error: unknown) => {
        if (isCairnError(error, 'NotFound')) throw invalidInput(`Image ${id} could not be found.`);
        throw error;
      });
    }
    if (hosts.length === 0) return;
    await env.store.write((tx) => env.sagas.start(tx, this.#cacheImages, { hosts, imageIds }, { subject: `aggregate:${row.id}`, requestId: ctx.requestId }));
  }

  async list(): Promise<readonly Aggregate[]> {
    const db = this.#deps.env.store.read;
    return this.#facts(db, await store.listAggregates(db));
  }

  async get(seq: number): Promise<Aggregate> {
    return this.#find(this.#deps.env.store.read, seq);
  }

  async create(ctx: Context, name: string, zone: string | undefined): Promise<Aggregate> {
    const { env } = this.#deps;
    const metadata: Metadata = zone === undefined ? {} : { availability_zone: zone };
    return this.#write(name, async (tx) => {
      const row = await store.insertAggregate(tx, {
        id: env.ids.uuid(),
        name,
        metadata_json: JSON.stringify(metadata),
        created_at_ms: env.clock.nowMs(),
        updated_at_ms: null,
      });
      await this.#emit(tx, 'aggregate.create.end', ctx, row);
      return { row, metadata, hosts: [] };
    });
  }

  /** Changes name and zone. Throws InvalidInput for a zone that hosts or servers forbid. */
  async update(ctx: Context, seq: number, change: { readonly name?: string; readonly availability_zone?: string | null }): Promise<Aggregate> {
    return this.#write(change.name ?? '', async (tx) => {
      const aggregate = await this.#find(tx, seq);
      const { name, ...metadata } = change;
      const refuse = (reason: string): Error => invalidInput(`Cannot update aggregate ${seq}. Reason: ${reason}.`);
      const row = await this.#change(tx, aggregate, metadata, refuse, name);
      await this.#emit(tx, 'aggregate.update_prop.end', ctx, row);
      return { ...aggregate, row, metadata: metadataOf(row) };
    });
  }

  /** Adds to the metadata; null removes a key. */
  async setMetadata(ctx: Context, seq: number, changes: Readonly<Record<string, string | null>>): Promise<Aggregate> {
    return this.#deps.env.store.write(async (tx) => {
      const aggregate = await this.#find(tx, seq);
      const refuse = (reason: string): Error => invalidInput(`Cannot update metadata of aggregate ${seq}. Reason: ${reason}.`);
      const row = await this.#change(tx, aggregate, changes, refuse);
      await this.#emit(tx, 'aggregate.update_metadata.end', ctx, row);
      return { ...aggregate, row, metadata: metadataOf(row) };
    });
  }

  async delete(ctx: Context, seq: number): Promise<void> {
    await this.#deps.env.store.write(async (tx) => {
      const { row, hosts } = await this.#find(tx, seq);
      if (hosts.length > 0) throw invalidInput(`Cannot remove host from aggregate ${seq}. Reason: Host aggregate is not empty.`);
      await store.deleteAggregate(tx, seq);
      await this.#emit(tx, 'aggregate.delete.end', ctx, row);
    });
  }

  async addHost(ctx: Context, seq: number, host: string): Promise<Aggregate> {
    return this.#deps.env.store.write(async (tx) => {
      if (!(await this.#knows(tx, host))) throw notFound(`Compute host ${host} could not be found.`, { type: 'ComputeHostNotFound' });
      const aggregate = await this.#find(tx, seq);
      const refuse = (reason: string): Error => conflict(`Cannot add host to aggregate ${seq}. Reason: ${reason}.`);
      const zone = zoneOf(aggregate.row);
      if (zone !== undefined) {
        await this.#checkZone(tx, aggregate, zone, [host], refuse);
        const servers = await store.countServersOnHosts(tx, [host]);
        const old = await this.#zoneOfHost(tx, host);
        if (servers > 0 && old !== zone) throw refuse(wouldMove('added to', old, zone, servers));
      }
      if (aggregate.hosts.includes(host)) throw conflict(`Aggregate ${seq} already has host ${host}.`, { type: 'AggregateHostExists' });
      await store.addAggregateHost(tx, aggregate.row.id, host);
      await this.#mirror(tx, host);
      await this.#emit(tx, 'aggregate.add_host.end', ctx, aggregate.row);
      return { ...aggregate, hosts: [...aggregate.hosts, host].toSorted() };
    });
  }

  async removeHost(ctx: Context, seq: number, host: string): Promise<Aggregate> {
    return this.#deps.env.store.write(async (tx) => {
      const gone = notFound(`Cannot remove host ${host} in aggregate ${seq}`);
      const row = await store.findAggregate(tx, seq);
      if (!row || !(await this.#knows(tx, host))) throw gone;
      const zone = zoneOf(row);
      const servers = zone === undefined ? 0 : await store.countServersOnHosts(tx, [host]);
      if (zone !== undefined && servers > 0) {
        const left = await this.#zoneOfHost(tx, host, seq);
        if (left !== zone) throw conflict(`Cannot remove host from aggregate ${seq}. Reason: ${wouldMove('removed from', zone, left, servers)}.`);
      }
      if (!(await store.removeAggregateHost(tx, row.id, host))) throw gone;
      await this.#mirror(tx, host);
      await this.#emit(tx, 'aggregate.remove_host.end', ctx, row);
      return this.#find(tx, seq);
    });
  }

  /** Placement knows a host's aggregates, so that it searches among them (upstream: since Rocky). */
  async #mirror(tx: Tx, host: string): Promise<void> {
    const node = await computeNodeOfHost(tx, host);
    if (node === undefined) return;
    const aggregates = await store.aggregatesOfHosts(tx, [host]);
    await this.#deps.faces.placement.setAggregates(
      tx,
      node.id,
      aggregates.map(({ id }) => id),
    );
  }

  /** Writes a new name and changed metadata, if the zone may change so. */
  async #change(
    tx: Tx,
    aggregate: Aggregate,
    changes: Readonly<Record<string, string | null | undefined>>,
    refuse: (reason: string) => Error,
    name?: string,
  ): Promise<store.AggregateRow> {
    const { row, hosts } = aggregate;
    const zone = changes.availability_zone;
    if (zone !== undefined) {
      if (!zone) throw refuse(`Aggregate ${name ?? row.name} does not support empty named availability zone`);
      await this.#checkZone(tx, aggregate, zone, hosts, refuse);
      if (zone !== zoneOf(row) && (await store.countServersOnHosts(tx, hosts)) > 0) throw refuse('One or more hosts contain instances in this zone');
    }
    const metadata = metadataOf(row);
    for (const [key, value] of Object.entries(changes)) {
      if (value === null) delete metadata[key];
      else if (value !== undefined) metadata[key] = value;
    }
    const stamped = { metadata_json: JSON.stringify(metadata), updated_at_ms: this.#deps.env.clock.nowMs() };
    return store.updateAggregate(tx, row.seq, name === undefined ? stamped : { ...stamped, name });
  }

  /** None of the hosts may be in another zone by another aggregate. */
  async #checkZone(db: Db, aggregate: Aggregate, zone: string, hosts: readonly string[], refuse: (reason: string) => Error): Promise<void> {
    const zones = (await store.aggregatesOfHosts(db, hosts)).filter(({ seq }) => seq !== aggregate.row.seq).flatMap((row) => zoneOf(row) ?? []);
    const others = zones.filter((each) => each !== zone);
    if (others.length > 0) throw refuse(`One or more hosts already in availability zone(s) ${quoted(others)}`);
  }

  async #zoneOfHost(db: Db, host: string, exceptSeq?: number): Promise<string | undefined> {
    return (await store.aggregatesOfHosts(db, [host])).filter(({ seq }) => seq !== exceptSeq).flatMap((row) => zoneOf(row) ?? [])[0];
  }

  async #knows(db: Db, host: string): Promise<boolean> {
    return (await findService(db, { host, binary: 'nova-compute' })) !== undefined;
  }

  async #find(db: Db, seq: number): Promise<Aggregate> {
    const row = await store.findAggregate(db, seq);
    if (!row) throw missing(seq);
    return (await this.#facts(db, [row]))[0] as Aggregate;
  }

  async #facts(db: Db, rows: readonly store.AggregateRow[]): Promise<readonly Aggregate[]> {
    const ids = rows.map(({ id }) => id);
    const hosts = await store.hostsOfAggregates(db, ids);
    return rows.map((row) => ({ row, metadata: metadataOf(row), hosts: hosts.get(row.id) ?? [] }));
  }

  /** Runs `work`; a name in use becomes upstream's 409. */
  async #write<T>(name: string, work: (tx: Tx) => Promise<T>): Promise<T> {
    try {
      return await this.#deps.env.store.write(work);
    } catch (error) {
      if (isUniqueViolation(error, { table: 'nova_aggregate', columns: ['name'] })) throw taken(name);
      throw error;
    }
  }

  async #emit(tx: Tx, type: string, ctx: Context, row: store.AggregateRow): Promise<void> {
    const payload = { id: row.seq, uuid: row.id, name: row.name, metadata: metadataOf(row) };
    await this.#deps.env.events.emit(tx, {
      type,
      projectId: ctx.projectId,
      userId: ctx.userId,
      requestId: ctx.requestId,
      resource: 'aggregate',
      resourceId: row.id,
      payload,
    });
  }
}
