import type { Db, Tx } from '@cairn/kit/store/store';

/** Amounts by resource class: `{ VCPU: 1, MEMORY_MB: 512 }`. */
export type Resources = Readonly<Record<string, number>>;

export interface Inventory {
  readonly total: number;
  readonly reserved?: number;
  readonly minUnit?: number;
  readonly maxUnit?: number;
  readonly stepSize?: number;
  readonly allocationRatio?: number;
}

export interface CandidateRequest {
  readonly resources: Resources;
  readonly requiredTraits?: readonly string[];
  readonly forbiddenTraits?: readonly string[];
  /** Each inner list: member of any of these aggregates; all lists must hold. */
  readonly memberOf?: readonly (readonly string[])[];
  readonly forbiddenAggregates?: readonly string[];
  readonly inTree?: string;
  readonly limit: number;
}

export interface Candidate {
  readonly providerId: string;
  readonly providerName: string;
  /** Capacity and use of what was asked for, for weighers. */
  readonly summary: Readonly<Record<string, { readonly capacity: number; readonly used: number }>>;
}

/** Resources that one provider of a host's tree must give by itself, as a port asks for them. */
export interface ProviderGroup {
  readonly id: string;
  readonly resources: Resources;
  readonly required: readonly string[];
}

/** Groups that are to come from one tree (`group_policy=none`); `sameSubtrees` names groups whose providers must be below one of them. */
export interface GroupsRequest {
  readonly groups: readonly ProviderGroup[];
  readonly sameSubtrees: readonly (readonly string[])[];
}

/** Why no provider fits: per resource class the nearest miss. */
export interface Shortage {
  readonly providersTotal: number;
  /** In the order of checking: what was asked and how many providers were left after it. */
  readonly filters: readonly { readonly name: string; readonly left: number }[];
  readonly nearest: readonly {
    readonly resourceClass: string;
    readonly needed: number;
    readonly bestFree: number;
    readonly bestProvider: string;
    readonly reason: 'free' | 'max_unit' | 'step_size' | 'min_unit';
  }[];
}

/** What other services may ask of placement. */
export interface PlacementFace {
  /** Creates or updates a provider with exactly these inventories, traits and aggregates; `parentId` is for a new one, and must be there. */
  ensureProvider(
    tx: Tx,
    provider: {
      readonly id: string;
      readonly name: string;
      readonly parentId?: string;
      readonly inventories: Readonly<Record<string, Inventory>>;
      readonly traits: readonly string[];
      /** Which traits the caller speaks for; others that the provider has stay. Without it: for all. */
      readonly ownsTrait?: (name: string) => boolean;
      readonly aggregates?: readonly string[];
    },
  ): Promise<void>;
  /** Adds a trait to a provider or takes it away. Does nothing where there is no such provider, or nothing to change. */
  setTrait(tx: Tx, providerId: string, name: string, present: boolean): Promise<void>;
  /** Makes a provider a member of exactly these aggregates. Does nothing where there is no such provider. */
  setAggregates(tx: Tx, providerId: string, aggregateIds: readonly string[]): Promise<void>;
  /** The aggregates that a provider is a member of; none where there is no such provider. */
  aggregatesOf(db: Db, providerId: string): Promise<readonly string[]>;
  /** Removes a provider and what is below it. */
  removeProvider(tx: Tx, providerId: string): Promise<void>;
  candidates(db: Db, request: CandidateRequest): Promise<readonly Candidate[]>;
  explain(db: Db, request: CandidateRequest): Promise<Shortage>;
  /** For each of these roots whose tree has room for all groups at once: the provider of each group, by the group's id. */
  placeGroups(db: Db, rootIds: readonly string[], ask: GroupsRequest): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>>;
  /** Why `placeGroups` found nothing in these trees. */
  explainGroups(db: Db, rootIds: readonly string[], ask: GroupsRequest): Promise<Shortage>;
  /**
   * Claims for a consumer, replacing what it had; all or nothing in this transaction. Throws NoCapacity when a provider has not
   * enough left, so that the caller takes the next candidate.
   */
  claim(
    tx: Tx,
    claim: {
      readonly consumerId: string;
      readonly projectId: string;
      readonly userId: string;
      readonly consumerType?: string;
      readonly allocations: Readonly<Record<string, Resources>>;
    },
  ): Promise<void>;
  /** Gives back everything of a consumer. Tolerates absence. */
  release(tx: Tx, consumerId: string): Promise<void>;
  allocationsOf(db: Db, consumerId: string): Promise<Readonly<Record<string, Resources>>>;
  usageOf(db: Db, providerId: string): Promise<Resources>;
}
