import { conflict, forbidden } from '@cairn/kit/errors/errors';
import type { ImageChange } from './images.ts';

/** One step of a change, already checked for form. */
export interface ChangeStep {
  readonly op: 'add' | 'replace' | 'remove';
  readonly name: string;
  readonly value: unknown;
  /** Refuse to add what is there already (the older draft of JSON patch). */
  readonly addsOnce: boolean;
  /** The name is an attribute of every image. */
  readonly base: boolean;
}

/** What a caller may do to a property of its own; throws Forbidden. */
export type PropertyGuard = (name: string, action: 'create' | 'update' | 'delete') => void;

export interface ChangeSum {
  readonly change: ImageChange;
  /** Null removes. */
  readonly properties: Readonly<Record<string, string | null>>;
  readonly tags: readonly string[] | undefined;
  /** Names of the properties afterwards. */
  readonly names: ReadonlySet<string>;
  /** Were properties added that were not there? */
  readonly grown: boolean;
}

/** Sums up the steps, each on the result of the one before (update in glance/api/v2/images.py). `names`: the properties that the caller sees. */
export function sumUp(steps: readonly ChangeStep[], names: Iterable<string>, isAdmin: boolean, guard: PropertyGuard): ChangeSum {
  const have = new Set(names);
  const before = new Set(have);
  const change: Record<string, unknown> = {};
  const properties = new Map<string, string | null>();
  let tags: readonly string[] | undefined;
  for (const { op, name, value, addsOnce, base } of steps) {
    if (op === 'remove') {
      if (base) throw forbidden(`Property ${name} may not be removed.`, { field: name });
      if (!have.has(name)) throw conflict(`Property ${name} does not exist.`, { field: name });
      guard(name, 'delete');
      have.delete(name);
      properties.set(name, null);
      continue;
    }
    if (op === 'add' && addsOnce && (base || have.has(name))) throw conflict(`Property ${name} already present.`, { field: name });
    if (name === 'tags') tags = value as string[];
    else if (base) {
      // SECURITY: upstream refuses `replace` alone; with `add` a member could give an image away, or onto another project's quota
      if (name === 'owner' && !isAdmin) throw forbidden("Owner can't be updated by non admin.", { field: name });
      change[name] = value;
    } else {
      if (op === 'replace' && !have.has(name)) throw conflict(`Property ${name} does not exist.`, { field: name });
      guard(name, have.has(name) ? 'update' : 'create');
      have.add(name);
      properties.set(name, value as string | null);
    }
  }
  return { change: change as ImageChange, properties: Object.fromEntries(properties), tags, names: have, grown: [...have].some((name) => !before.has(name)) };
}
