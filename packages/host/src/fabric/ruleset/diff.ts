import { type Chain, kernelChain, type KernelRules, type KernelTable, type Ruleset, type SetModel, type Table } from './model.ts';

/**
 * The nft script that turns `actual` into `wanted`; empty when nothing differs. `nft -f` commits it as one transaction: no packet
 * sees a state between. Only tables of our own name prefix are looked at (read.ts leaves others out).
 */
export function diffRules(actual: KernelRules, wanted: Ruleset): string {
  const out: string[] = [];
  const late: string[] = [];
  for (const [key, table] of wanted) {
    const old = actual.get(key);
    if (old && isCompatible(old, table)) changeTable(old, table, out, late);
    else {
      if (old) out.push(`delete table ${key}`);
      out.push(`add table ${key}`);
      changeTable(EMPTY, table, out, late);
    }
  }
  for (const key of actual.keys()) if (!wanted.has(key)) late.push(`delete table ${key}`);
  return [...out, ...late].map((line) => `${line}\n`).join('');
}

const EMPTY: KernelTable = { sets: new Map(), chains: new Map(), objects: new Map() };

/** A hook or the kind of a set cannot be changed in place. */
function isCompatible(old: KernelTable, table: Table): boolean {
  for (const [name, chain] of table.chains) {
    const known = old.chains.get(name);
    if (known && known !== kernelChain(chain) && known.hook !== kernelChain(chain).hook) return false;
  }
  for (const [name, set] of table.sets) {
    const known = old.sets.get(name);
    if (known && known.kind !== set.kind) return false;
  }
  for (const [name, { kind }] of table.objects ?? []) if ((old.objects.get(name) ?? kind) !== kind) return false;
  return true;
}

/**
 * Order matters within the transaction: what is referred to comes before what refers to it. So: declarations, rules, elements (their
 * verdicts name chains); then, when nothing refers to them any more, the leaving chains and sets.
 */
function changeTable(old: KernelTable, table: Table, out: string[], late: string[]): void {
  const id = `${table.family} ${table.name}`;
  for (const [name, set] of table.sets) if (!old.sets.has(name)) out.push(`add ${set.kind} ${id} ${name} { ${set.declaration}; }`);
  for (const [name, { kind, declaration }] of table.objects ?? [])
    if (!old.objects.has(name)) out.push(`add ${kind} ${id} ${name}${declaration === '' ? '' : ` { ${declaration}; }`}`);
  for (const [name, chain] of table.chains) if (!old.chains.has(name)) out.push(`add chain ${id} ${name}${hookDeclaration(chain)}`);
  for (const [name, chain] of table.chains) {
    const known = old.chains.get(name);
    const { digest } = kernelChain(chain);
    if (known === kernelChain(chain) || (known?.digest ?? '') === digest) continue;
    if (known && known.digest !== '') out.push(`flush chain ${id} ${name}`);
    chain.rules.forEach((rule, i) => out.push(`add rule ${id} ${name} ${rule}${i === 0 ? ` comment "${digest}"` : ''}`));
  }
  for (const [name, set] of table.sets) changeElements(`${id} ${name}`, old.sets.get(name)?.elements, set, out);

  const leaving = [...old.chains.keys()].filter((name) => !table.chains.has(name));
  for (const name of leaving) late.push(`flush chain ${id} ${name}`);
  const leavingSets = [...old.sets].filter(([name]) => !table.sets.has(name));
  // A leaving map may name leaving chains in its verdicts, and a leaving chain may look into a leaving map.
  for (const [name, set] of leavingSets) if (set.elements.size > 0) late.push(`flush ${set.kind} ${id} ${name}`);
  for (const name of leaving) late.push(`delete chain ${id} ${name}`);
  for (const [name, set] of leavingSets) late.push(`delete ${set.kind} ${id} ${name}`);
  for (const [name, kind] of old.objects) if (!table.objects?.has(name)) late.push(`delete ${kind} ${id} ${name}`);
}

const hookDeclaration = (chain: Chain): string =>
  chain.hook ? ` { type ${chain.hook.type} hook ${chain.hook.hook} priority ${chain.hook.priority}; policy accept; }` : '';

function changeElements(id: string, old: ReadonlyMap<string, string> | undefined, set: SetModel, out: string[]): void {
  if (set.isDynamic) return;
  const quote = /^(type|typeof) (iifname|ifname)\b/.test(set.declaration) ? (key: string) => `"${key}"` : (key: string) => key;
  const gone: string[] = [];
  const come: string[] = [];
  if (old) for (const [key, value] of old) if (set.elements.get(key) !== value) gone.push(quote(key));
  for (const [key, value] of set.elements) if (old?.get(key) !== value) come.push(value === '' ? quote(key) : `${quote(key)} : ${value}`);
  if (gone.length) out.push(`delete element ${id} { ${gone.join(', ')} }`);
  if (come.length) out.push(`add element ${id} { ${come.join(', ')} }`);
}
