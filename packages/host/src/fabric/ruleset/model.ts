import { createHash } from 'node:crypto';

/** The wanted nftables rules of one namespace: its tables, by `family name`. */
export type Ruleset = ReadonlyMap<string, Table>;

export interface Table {
  readonly family: 'ip' | 'ip6' | 'inet' | 'bridge';
  readonly name: string;
  readonly sets: ReadonlyMap<string, SetModel>;
  readonly chains: ReadonlyMap<string, Chain>;
  /** Things that rules name and that outlive them: counters, limits, connection helpers. */
  readonly objects?: ReadonlyMap<string, ObjectModel>;
}

export interface ObjectModel {
  readonly kind: 'counter' | 'ct helper' | 'limit';
  /** What nft wants in braces; the same for the same name, always. */
  readonly declaration: string;
}

/** A set (element -> '') or a map (element -> value). Elements and values are in the canonical form of `read.ts`. */
export interface SetModel {
  readonly kind: 'set' | 'map';
  /** As nft declares it: `type ipv4_addr; flags interval`. */
  readonly declaration: string;
  readonly elements: ReadonlyMap<string, string>;
  /** The kernel itself puts elements in and takes them out. */
  readonly isDynamic?: true;
}

export interface Chain {
  readonly hook?: Hook;
  /** Rules as nft reads them, without comments. The same array for the same rules, where a planner can: it is hashed once. */
  readonly rules: readonly string[];
}

export interface Hook {
  readonly type: 'filter' | 'nat';
  readonly hook: 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting';
  readonly priority: number;
}

/** What the kernel holds, as far as it is compared: elements in full, chains by the digest their first rule carries. */
export type KernelRules = ReadonlyMap<string, KernelTable>;

export interface KernelTable {
  readonly sets: ReadonlyMap<string, KernelSet>;
  readonly chains: ReadonlyMap<string, KernelChain>;
  /** Kinds by name. */
  readonly objects: ReadonlyMap<string, ObjectModel['kind']>;
}

export interface KernelSet {
  readonly kind: 'set' | 'map';
  readonly elements: ReadonlyMap<string, string>;
}

export interface KernelChain {
  readonly hook: string;
  /** Empty for a chain without rules; unlike any digest where somebody else has changed the chain. */
  readonly digest: string;
  /** The comment of the chain's last rule where it has several: what a planner wants to read again after a restart. */
  readonly note?: string;
}

export const tableKey = (table: Pick<Table, 'family' | 'name'>): string => `${table.family} ${table.name}`;

export const hookText = (hook: Hook | undefined): string => (hook ? `${hook.type} ${hook.hook} ${hook.priority}` : '');

const digests = new WeakMap<readonly string[], string>();

/**
 * Names the rules of a chain. It is written into the kernel as the comment of the chain's first rule, so that whoever reads the
 * rules later (this program after a restart, say) knows without guesswork whether they are the wanted ones.
 */
export function chainDigest(rules: readonly string[]): string {
  if (rules.length === 0) return '';
  let digest = digests.get(rules);
  if (digest === undefined) {
    digest = `${createHash('sha256').update(rules.join('\n')).digest('hex').slice(0, 20)}.${rules.length}`;
    digests.set(rules, digest);
  }
  return digest;
}

const kernelChains = new WeakMap<Chain, KernelChain>();

/** What the kernel holds of a chain once it is loaded; the same object for the same chain. */
export function kernelChain(chain: Chain): KernelChain {
  let known = kernelChains.get(chain);
  if (!known) kernelChains.set(chain, (known = { hook: hookText(chain.hook), digest: chainDigest(chain.rules) }));
  return known;
}

/** What the kernel holds once `ruleset` is loaded. */
export function asKernel(ruleset: Ruleset): KernelRules {
  const tables = new Map<string, KernelTable>();
  for (const [key, table] of ruleset) {
    const chains = new Map<string, KernelChain>();
    for (const [name, chain] of table.chains) chains.set(name, kernelChain(chain));
    const objects = new Map([...(table.objects ?? [])].map(([name, { kind }]) => [name, kind] as const));
    tables.set(key, { sets: table.sets, chains, objects });
  }
  return tables;
}
