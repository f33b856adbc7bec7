import { isAdmin } from '@cairn/kit/context/context';
import { invalidInput, notFound } from '@cairn/kit/errors/errors';
import type { Tx } from '@cairn/kit/store/store';
import { findServer } from '../store/server.ts';
import { insertTags, removeTag, removeTagsOf, tagsOf } from '../store/server-tag.ts';
import { type Caller, targetOf } from './caller.ts';
import type { NovaDeps } from './deps.ts';
import { serverEvent } from './server-events.ts';
import { ACTION_RULES, type ActionName, checkAction } from './server-states.ts';
import { visibleServer } from './servers.ts';

const MAX_TAGS = 50;
const MAX_TAG_LENGTH = 60;
const POLICY = 'os_compute_api:os-server-tags';

export interface ServerTagsApp {
  all(caller: Caller, serverId: string): Promise<readonly string[]>;
  /** Throws NotFound unless the server has the tag. */
  check(caller: Caller, serverId: string, tag: string): Promise<void>;
  /** False when it was there already. */
  add(caller: Caller, serverId: string, tag: string): Promise<boolean>;
  replace(caller: Caller, serverId: string, tags: readonly string[]): Promise<readonly string[]>;
  remove(caller: Caller, serverId: string, tag: string): Promise<void>;
  removeAll(caller: Caller, serverId: string): Promise<void>;
}

export function createServerTagsApp(deps: NovaDeps): ServerTagsApp {
  const { env } = deps;
  const read = async (caller: Caller, serverId: string, policy: string): Promise<readonly string[]> => {
    const row = await visibleServer(env.store.read, caller, serverId);
    caller.authorize(`${POLICY}:${policy}`, targetOf(row));
    return await tagsOf(env.store.read, row.id);
  };
  const change = async <T>(caller: Caller, serverId: string, policy: string, rule: ActionName, work: (tx: Tx, id: string) => Promise<T>): Promise<T> =>
    await env.store.write(async (tx) => {
      const row = await visibleServer(tx, caller, serverId);
      caller.authorize(`${POLICY}:${policy}`, targetOf(row));
      checkAction(row, ACTION_RULES[rule], isAdmin(caller.ctx));
      const result = await work(tx, row.id);
      const after = await findServer(tx, row.id);
      if (after !== undefined) await env.events.emit(tx, serverEvent('update', after, caller.requestId, { tags: await tagsOf(tx, row.id) }));
      return result;
    });

  return {
    all: (caller, serverId) => read(caller, serverId, 'index'),
    async check(caller, serverId, tag) {
      if (!(await read(caller, serverId, 'show')).includes(tag)) throw notFound(`Server ${serverId} has no tag '${tag}'`);
    },
    add: (caller, serverId, tag) =>
      change(caller, serverId, 'update', 'updateTag', async (tx, id) => {
        const problem = tag.length > MAX_TAG_LENGTH ? 'is too long' : tag === '' ? 'is too short' : /[,/]/.test(tag) ? "does not match '^[^,/]*$'" : undefined;
        if (problem !== undefined) {
          throw invalidInput(
            `Tag '${tag}' is invalid. It must be a non empty string without characters '/' and ','. Validation error message: '${tag}' ${problem}`,
          );
        }
        const tags = await tagsOf(tx, id);
        if (tags.length >= MAX_TAGS) throw invalidInput(`The number of tags exceeded the per-server limit ${MAX_TAGS}`);
        if (tags.includes(tag)) return false;
        await insertTags(tx, [{ server_id: id, tag }]);
        return true;
      }),
    replace: (caller, serverId, tags) =>
      change(caller, serverId, 'update_all', 'updateTags', async (tx, id) => {
        await removeTagsOf(tx, id);
        await insertTags(
          tx,
          [...new Set(tags)].map((tag) => ({ server_id: id, tag })),
        );
        return await tagsOf(tx, id);
      }),
    remove: (caller, serverId, tag) =>
      change(caller, serverId, 'delete', 'deleteTag', async (tx, id) => {
        if (!(await removeTag(tx, id, tag))) throw notFound(`Instance ${serverId} has no tag '${tag}'`);
      }),
    removeAll: (caller, serverId) => change(caller, serverId, 'delete_all', 'deleteTags', (tx, id) => removeTagsOf(tx, id)),
  };
}
