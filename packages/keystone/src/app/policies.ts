import type { Db } from '@cairn/kit/store/store';
import { fromJson, toJson } from '@cairn/kit/store/values';
import { policyNotFound } from '../errors.ts';
import type { ListFilter } from '../store/lists.ts';
import * as store from '../store/policies.ts';
import { deleteAssociationsOf } from '../store/policy-associations.ts';
import type { PolicyTable } from '../store/tables.ts';
import { type Core, type Extra, type Initiator, notify } from './core.ts';

/** A policy document that some service may fetch; keystone only keeps it. */
export interface PolicyDocument {
  readonly id: string;
  readonly type: string;
  readonly blob: string;
  readonly extra: Extra;
}

export type Policies = ReturnType<typeof createPolicies>;

const modelOf = (row: PolicyTable): PolicyDocument => ({ id: row.id, type: row.type, blob: row.blob, extra: fromJson<Extra>(row.extra) });

export function createPolicies(core: Core) {
  const { env } = core;
  const { read } = env.store;

  return {
    async create(policy: Omit<PolicyDocument, 'id'>, who: Initiator): Promise<PolicyDocument> {
      const row = { id: env.ids.hex(), type: policy.type, blob: policy.blob, extra: toJson(policy.extra) };
      await env.store.write(async (tx) => {
        await store.insertPolicy(tx, row);
        await notify(core, tx, who, 'created', 'policy', row.id);
      });
      return modelOf(row);
    },
    async update(id: string, change: { readonly type?: string; readonly blob?: string; readonly extra: Extra }, who: Initiator): Promise<PolicyDocument> {
      return await env.store.write(async (tx) => {
        const row = await rowOf(tx, id);
        const next = { type: change.type ?? row.type, blob: change.blob ?? row.blob, extra: toJson({ ...fromJson<Extra>(row.extra), ...change.extra }) };
        await store.updatePolicy(tx, id, next);
        await notify(core, tx, who, 'updated', 'policy', id);
        return modelOf({ ...row, ...next });
      });
    },
    async remove(id: string, who: Initiator): Promise<void> {
      await env.store.write(async (tx) => {
        await rowOf(tx, id);
        await store.deletePolicy(tx, id);
        await deleteAssociationsOf(tx, 'policy_id', [id]);
        await notify(core, tx, who, 'deleted', 'policy', id);
      });
    },
    get: async (id: string): Promise<PolicyDocument> => modelOf(await rowOf(read, id)),
    list: async (filters: readonly ListFilter[]): Promise<PolicyDocument[]> => (await store.listPolicies(read, filters)).map(modelOf),
  };
}

async function rowOf(db: Db, id: string): Promise<PolicyTable> {
  const row = await store.findPolicy(db, id);
  if (!row) throw policyNotFound(id);
  return row;
}
