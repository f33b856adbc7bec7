import type { Context } from '@cairn/kit/context/context';
import { conflict, notFound } from '@cairn/kit/errors/errors';
import { serversOnHosts } from '../store/host-servers.ts';
import { allServices, type ServiceRow } from '../store/service.ts';
import { deleteService, type ServiceChange, updateService } from '../store/service-manage.ts';
import type { NovaDeps } from './deps.ts';

/** Compute services as operators change them. */
export class Services {
  readonly #deps: NovaDeps;

  constructor(deps: NovaDeps) {
    this.#deps = deps;
  }

  async change(ctx: Context, by: { readonly id: string } | { readonly host: string; readonly binary: string }, change: ServiceChange): Promise<ServiceRow> {
    const { env } = this.#deps;
    return env.store.write(async (tx) => {
      const row = await updateService(tx, by, change, env.clock.nowMs());
      if (!row) throw notFound('id' in by ? `Service ${by.id} could not be found.` : `Could not find binary ${by.binary} on host ${by.host}.`);
      await env.events.emit(tx, { type: 'service.update', projectId: ctx.projectId, userId: ctx.userId, requestId: ctx.requestId, resource: 'service', resourceId: row.id, payload: { host: row.host, binary: row.binary, disabled: row.disabled !== 0, disabled_reason: row.disabled_reason, forced_down: row.forced_down !== 0 } });
      return row;
    });
  }

  /** Forgets a service. Not one whose host has servers, nor a host that is connected (it would register again at once). */
  async delete(id: string): Promise<void> {
    const { env, hosts } = this.#deps;
    await env.store.write(async (tx) => {
      const row = (await allServices(tx)).find((service) => service.id === id || String(service.seq) === id);
      if (!row) throw notFound(`Service ${id} could not be found.`);
      if (row.binary === 'nova-compute') {
        const servers = (await serversOnHosts(tx, [row.host])).get(row.host) ?? [];
        if (servers.length > 0) throw conflict(`Unable to delete compute service that is hosting instances. Migrate or delete the instances first.`);
        if (hosts.names().includes(row.host)) throw conflict(`Host ${row.host} is connected: it would register again. Stop its agent first.`);
      }
      await deleteService(tx, row.seq);
    });
  }
}
