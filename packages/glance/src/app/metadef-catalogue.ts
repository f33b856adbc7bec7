import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type NewNamespace, propertyDefinitions } from '../metadefs/model.ts';
import * as store from '../store/metadefs.ts';
import type { MetadefNamespaces } from './metadef-namespaces.ts';

const FOLDER = join(import.meta.dirname, '..', 'metadefs', 'catalogue');

/** The standard namespaces: names, types, choices and associations are upstream's (glance/etc/metadefs), the words our own. */
export function readCatalogue(): NewNamespace[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.json'))
    .toSorted()
    .map((name) => {
      const given = JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as NewNamespace;
      return {
        ...given,
        ...(given.properties && { properties: propertyDefinitions(given.properties) }),
        ...(given.objects && { objects: given.objects.map((one) => ({ ...one, properties: propertyDefinitions(one.properties ?? {}) })) }),
      };
    });
}

/**
 * Loads the namespaces of the catalogue that were never loaded before, each once: what an admin changes or deletes afterwards stays so. One
 * whose name is taken already is left alone. Returns how many came.
 */
export async function loadCatalogue(namespaces: MetadefNamespaces): Promise<number> {
  const { env } = namespaces;
  const loaded = await store.loadedNamespaces(env.store.read);
  const missing = readCatalogue().filter((one) => !loaded.has(one.namespace));
  if (missing.length === 0) return 0;
  return env.store.write(async (tx) => {
    let count = 0;
    for (const one of missing) {
      // another process may have come first
      if (!(await store.namespaceByName(tx, one.namespace))) {
        await namespaces.insert(tx, one, one.owner ?? 'admin', true);
        count++;
      }
      await store.markLoaded(tx, one.namespace, env.clock.nowMs());
    }
    return count;
  });
}
