import { isAdmin } from '@cairn/kit/context/context';
import { forbidden, notFound } from '@cairn/kit/errors/errors';
import { storedLimits } from '../store/quota.ts';
import { metadataOf, patchServer } from '../store/server.ts';
import { type Caller, targetOf } from './caller.ts';
import type { NovaDeps } from './deps.ts';
import { effectiveLimit } from './quota.ts';
import { serverEvent } from './server-events.ts';
import { ACTION_RULES, checkAction } from './server-states.ts';
import { visibleServer } from './servers.ts';

type Metadata = Readonly<Record<string, string>>;

export interface ServerMetadataApp {
  all(caller: Caller, serverId: string): Promise<Metadata>;
  item(caller: Caller, serverId: string, key: string): Promise<string>;
  /** Adds and changes items, or makes them exactly these with `replace`. Returns all. */
  change(caller: Caller, serverId: string, items: Metadata, how: 'create' | 'update' | 'update_all'): Promise<Metadata>;
  remove(caller: Caller, serverId: string, key: string): Promise<void>;
}

const POLICY = 'os_compute_api:server-metadata';

export function createServerMetadataApp(deps: NovaDeps): ServerMetadataApp {
  const { env } = deps;
  const read = async (caller: Caller, serverId: string, policy: string): Promise<Metadata> => {
    const row = await visibleServer(env.store.read, caller, serverId);
    caller.authorize(`${POLICY}:${policy}`, targetOf(row));
    return metadataOf(row);
  };
  return {
    all: (caller, serverId) => read(caller, serverId, 'index'),

    async item(caller, serverId, key) {
      const metadata = await read(caller, serverId, 'show');
      if (!Object.hasOwn(metadata, key)) throw notFound('Metadata item was not found');
      return metadata[key] as string;
    },

    async change(caller, serverId, items, how) {
      return await env.store.write(async (tx) => {
        const row = await visibleServer(tx, caller, serverId);
        caller.authorize(`${POLICY}:${how}`, targetOf(row));
        checkAction(row, ACTION_RULES.updateMetadata, isAdmin(caller.ctx));
        const metadata = how === 'update_all' ? items : { ...metadataOf(row), ...items };
        const limits = await storedLimits(tx, row.project_id, caller.ctx.userId);
        const allowed = effectiveLimit(limits, deps.options.quotaDefaults, 'metadata_items', 'user');
        if (allowed >= 0 && Object.keys(metadata).length > allowed) throw forbidden(`Maximum number of metadata items exceeds ${allowed}`);
        const patch = { metadata_json: JSON.stringify(metadata), updated_at_ms: env.clock.nowMs() };
        await patchServer(tx, row.id, patch);
        await env.events.emit(tx, serverEvent('update', { ...row, ...patch }, caller.requestId));
        return metadata;
      });
    },

    async remove(caller, serverId, key) {
      await env.store.write(async (tx) => {
        const row = await visibleServer(tx, caller, serverId);
        caller.authorize(`${POLICY}:delete`, targetOf(row));
        const { [key]: gone, ...rest } = metadataOf(row);
        if (gone === undefined) throw notFound('Metadata item was not found');
        checkAction(row, ACTION_RULES.deleteMetadata, isAdmin(caller.ctx));
        const patch = { metadata_json: JSON.stringify(rest), updated_at_ms: env.clock.nowMs() };
        await patchServer(tx, row.id, patch);
        await env.events.emit(tx, serverEvent('update', { ...row, ...patch }, caller.requestId));
      });
    },
  };
}
