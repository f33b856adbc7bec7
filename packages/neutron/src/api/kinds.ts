import type { Operation } from '@cairn/kit/http/operation';
import type { NeutronApp } from '../app/deps.ts';
import type { KindVerbs } from '../app/kinds.ts';
import type { Resource } from '../attributes/resource.ts';
import { createOf, deleteOf, listOf, showOf, updateOf } from './verbs.ts';

type Verb = 'list' | 'show' | 'create' | 'update' | 'delete';

const ALL: readonly Verb[] = ['list', 'show', 'create', 'update', 'delete'];

/** The operations of a kind: all five, or those that are named. `one` and `many` are what it is called in summaries ("a trunk", "trunks"). */
export function operationsOfKind(resource: Resource, verbs: KindVerbs, one: string, many: string, which: readonly Verb[] = ALL): Operation<NeutronApp>[] {
  const make: Record<Verb, () => Operation<NeutronApp>> = {
    list: () => listOf(resource, `List ${many}`, verbs.list),
    show: () => showOf(resource, `Show ${one}`, verbs.get),
    create: () => createOf(resource, `Create ${many}`, verbs.create),
    update: () => updateOf(resource, `Update ${one}`, verbs.update),
    delete: () => deleteOf(resource, `Delete ${one}`, verbs.remove),
  };
  return which.map((verb) => make[verb]());
}
