import type { Context } from '@cairn/kit/context/context';
import { conflict, invalidInput, notFound } from '@cairn/kit/errors/errors';
import type { Tx } from '@cairn/kit/store/store';
import { computeNodeOfHost } from '../store/compute-node.ts';
import type { ServiceRow } from '../store/service.ts';
import { deleteService, findService, forgetComputeHost, hasServers, type ServiceChange, type ServiceKey, updateService } from '../store/service-manage.ts';
import type { NovaDeps } from './deps.ts';

/** How placement knows a host whose service is disabled, so that it is no candidate. */
export const DISABLED_TRAIT = 'COMPUTE_STATUS_DISABLED';

const missing = (by: ServiceKey): Error => {
  if ('host' in by) return notFound(`Could not find binary ${by.binary} on host ${by.host}.`, { type: 'HostBinaryNotFound' });
  return notFound(`Service ${'id' in by ? by.id : by.seq} could not be found.`, { type: 'ServiceNotFound' });
};

/** Compute services as operators change them. */
export class Services {
  readonly #deps: NovaDeps;

  constructor(deps: NovaDeps) {
    this.#deps = deps;
  }

  /** Changes a service of a compute host; `change` may refuse, once the service is known to be one. Throws NotFound, InvalidInput. */
  async change(ctx: Context, by: ServiceKey, change: ServiceChange | (() => ServiceChange)): Promise<ServiceRow> {
    const { env } = this.#deps;
    const unsupported = (binary: string): Error =>
      invalidInput(`Updating a ${binary} service is not supported. Only nova-compute services can be updated.`, { field: 'binary' });
    if ('binary' in by && by.binary !== 'nova-compute') throw unsupported(by.binary);
    return env.store.write(async (tx) => {
      const found = await findService(tx, by);
      if (!found) throw missing(by);
      if (found.binary !== 'nova-compute') throw unsupported(found.binary);
      const row = await updateService(tx, found.seq, typeof change === 'function' ? change() : change, env.clock.nowMs());
      const node = await computeNodeOfHost(tx, row.host);
      if (node !== undefined) await this.#deps.faces.placement.setTrait(tx, node.id, DISABLED_TRAIT, row.disabled !== 0);
      await this.#emit(tx, 'service.update', ctx, row);
      return row;
    });
  }

  /**
   * Forgets a service, and with a compute service its host's node, resource provider and places in aggregates. Not one whose host has
   * servers, nor a host that is connected (it would register again at once).
   */
  async delete(ctx: Context, by: ServiceKey): Promise<void> {
    const { env, hosts, faces } = this.#deps;
    await env.store.write(async (tx) => {
      const row = await findService(tx, by);
      if (!row) throw missing(by);
      if (row.binary === 'nova-compute') {
        if (await hasServers(tx, row.host))
          throw conflict('Unable to delete compute service that is hosting instances. Migrate or delete the instances first.');
        if (hosts.names().includes(row.host)) throw conflict(`Host ${row.host} is connected: it would register again. Stop its agent first.`);
        const nodeId = await forgetComputeHost(tx, row.host);
        if (nodeId !== undefined) await faces.placement.removeProvider(tx, nodeId);
      }
      await deleteService(tx, row.seq);
      await this.#emit(tx, 'service.delete', ctx, row);
    });
  }

  async #emit(tx: Tx, type: string, ctx: Context, row: ServiceRow): Promise<void> {
    const payload = {
      host: row.host,
      binary: row.binary,
      disabled: row.disabled !== 0,
      disabled_reason: row.disabled_reason,
      forced_down: row.forced_down !== 0,
    };
    await this.#deps.env.events.emit(tx, {
      type,
      projectId: ctx.projectId,
      userId: ctx.userId,
      requestId: ctx.requestId,
      resource: 'service',
      resourceId: row.id,
      payload,
    });
  }
}
