import { fromJson, toJson } from '@cairn/kit/store/values';
import { conflicting, invalid, mappingNotFound } from '../../errors.ts';
import type { Mapping, Rule } from '../../federation/mapping.ts';
import { isSchemaVersion, mappingFaults, SCHEMA_VERSIONS } from '../../federation/mapping-schema.ts';
import * as store from '../../store/federation.ts';
import type { Paging } from '../../store/lists.ts';
import type { MappingTable } from '../../store/tables.ts';
import { type Core, writeUnique } from '../core.ts';

export type Mappings = ReturnType<typeof createMappings>;

const modelOf = (row: MappingTable): Mapping => ({
  id: row.id,
  rules: fromJson<Rule[]>(row.rules),
  schemaVersion: isSchemaVersion(row.schema_version) ? row.schema_version : '1.0',
});

/** Mappings from what identity providers say to users, groups and projects here. */
export function createMappings(core: Core) {
  const { env, options } = core;
  const { read } = env.store;

  /** The row of a mapping whose structure is right; upstream's words for each fault, a line each. */
  function rowOf(id: string, given: Readonly<Record<string, unknown>>): MappingTable {
    const version = given.schema_version || options.federation.defaultSchemaVersion;
    if (typeof version === 'string' && !isSchemaVersion(version)) {
      throw invalid(`There is no mapping schema version '${version}'. The versions are: ${SCHEMA_VERSIONS.join(', ')}.`, 'schema_version');
    }
    const faults = mappingFaults(isSchemaVersion(version) ? version : '1.0', { ...given, schema_version: version });
    if (faults.length > 0) throw invalid(`${faults.join('\n')}\n`, 'mapping');
    return { id, rules: toJson(given.rules), schema_version: String(version) };
  }

  async function create(id: string, given: Readonly<Record<string, unknown>>): Promise<Mapping> {
    const row = rowOf(id, given);
    const conflict = () => conflicting('mapping', 'Duplicate entry');
    await writeUnique(core, conflict, async (tx) => {
      if (await store.findMapping(tx, id)) throw conflict();
      await store.insertMapping(tx, row);
    });
    return modelOf(row);
  }

  async function update(id: string, given: Readonly<Record<string, unknown>>): Promise<Mapping> {
    const row = rowOf(id, given);
    await env.store.write(async (tx) => {
      if (!(await store.findMapping(tx, id))) throw mappingNotFound(id);
      await store.updateMapping(tx, row);
    });
    return modelOf(row);
  }

  async function get(id: string): Promise<Mapping> {
    const row = await store.findMapping(read, id);
    if (!row) throw mappingNotFound(id);
    return modelOf(row);
  }

  async function remove(id: string): Promise<void> {
    await env.store.write(async (tx) => {
      if (!(await store.findMapping(tx, id))) throw mappingNotFound(id);
      await store.deleteMapping(tx, id);
    });
  }

  return {
    create,
    update,
    get,
    remove,
    list: async (paging: Paging): Promise<{ mappings: Mapping[]; hasMore: boolean }> => {
      const page = await store.listMappings(read, { ...paging, maxLimit: options.maxListLimit });
      return { mappings: page.rows.map(modelOf), hasMore: page.hasMore };
    },
  };
}
