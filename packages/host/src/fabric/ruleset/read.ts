import type { KernelChain, KernelRules, KernelSet, KernelTable, ObjectModel } from './model.ts';

/** Every table of ours has this name or begins with it; tables of other names in the same namespace are not ours to judge. */
export const TABLE = 'cairn';

interface JsonRule {
  readonly comment?: string;
}

interface Draft {
  readonly sets: Map<string, KernelSet>;
  readonly objects: Map<string, ObjectModel['kind']>;
  readonly chains: Map<string, { hook: string; comment: string; note: string; rules: number }>;
}

/** Reads `nft -j list ruleset`. Throws when it is not what nft 1.0 prints. */
export function readRules(json: string): KernelRules {
  const entries: unknown = (JSON.parse(json) as { nftables?: unknown }).nftables;
  if (!Array.isArray(entries)) throw new Error('nft -j list ruleset gave no rules');
  const drafts = new Map<string, Draft>();
  for (const entry of entries as Record<string, Record<string, unknown>>[]) {
    const [kind, value] = Object.entries(entry)[0] ?? [];
    if (!kind || !value) continue;
    const name = String(kind === 'table' ? value.name : value.table);
    if (!name.startsWith(TABLE)) continue;
    const key = `${String(value.family)} ${name}`;
    if (kind === 'table') drafts.set(key, { sets: new Map(), objects: new Map(), chains: new Map() });
    const draft = drafts.get(key);
    if (!draft) continue;
    if (kind === 'set' || kind === 'map') draft.sets.set(String(value.name), { kind, elements: readElements(value.elem) });
    if (kind === 'counter' || kind === 'ct helper' || kind === 'limit') draft.objects.set(String(value.name), kind);
    if (kind === 'chain')
      draft.chains.set(String(value.name), {
        hook: value.hook === undefined ? '' : `${String(value.type)} ${String(value.hook)} ${String(value.prio)}`,
        comment: '',
        note: '',
        rules: 0,
      });
    if (kind === 'rule') {
      const chain = draft.chains.get(String(value.chain));
      if (!chain) continue;
      if (chain.rules === 0) chain.comment = (value as JsonRule).comment ?? 'not ours';
      else chain.note = (value as JsonRule).comment ?? '';
      chain.rules++;
    }
  }
  const tables = new Map<string, KernelTable>();
  for (const [key, { sets, chains, objects }] of drafts) {
    const read = new Map<string, KernelChain>();
    for (const [name, { hook, comment, note, rules }] of chains)
      read.set(name, { hook, note, digest: rules === 0 ? '' : comment.endsWith(`.${rules}`) ? comment : `changed: ${comment}` });
    tables.set(key, { sets, chains: read, objects });
  }
  return tables;
}

function readElements(elements: unknown): ReadonlyMap<string, string> {
  const read = new Map<string, string>();
  if (!Array.isArray(elements)) return read;
  for (const element of elements as unknown[]) {
    // A map's element is [key, value], a set's the key alone.
    if (Array.isArray(element)) read.set(scalar(element[0]), scalar(element[1]));
    else read.set(scalar(element), '');
  }
  return read;
}

/** `10.0.0.0/24`, `10.0.0.1-10.0.0.9`, `goto chain`, `drop`, `65537` out of nft's JSON. */
function scalar(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  if (typeof value === 'object' && value !== null) {
    const [kind, inner] = Object.entries(value)[0] ?? ['', null];
    if (kind === 'prefix') return `${(inner as { addr: string }).addr}/${(inner as { len: number }).len}`;
    if (kind === 'range') return (inner as unknown[]).map(scalar).join('-');
    if (kind === 'concat') return (inner as unknown[]).map(scalar).join(' . ');
    if (kind === 'elem') return scalar((inner as { val: unknown }).val);
    if (kind === 'goto' || kind === 'jump') return `${kind} ${(inner as { target: string }).target}`;
    if (inner === null) return kind;
  }
  return JSON.stringify(value);
}
