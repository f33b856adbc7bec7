/** What is asked of one group of providers (placement/lib.py, RequestGroup). */
export interface RequestGroup {
  /** '' for the group whose resources may come from several providers of a tree and from sharing ones. */
  readonly suffix: string;
  /** Amounts by class; empty only for a group that `sameSubtrees` names. */
  readonly resources: Readonly<Record<string, number>>;
  /** Each inner list: any of these traits; all lists must hold. */
  readonly requiredTraits: readonly (readonly string[])[];
  readonly forbiddenTraits: readonly string[];
  readonly memberOf: readonly (readonly string[])[];
  readonly forbiddenAggregates: readonly string[];
  /** Any provider of the tree that all must come from. */
  readonly inTree?: string;
}

/** A whole request for allocation candidates. */
export interface CandidatesRequest {
  readonly groups: readonly RequestGroup[];
  readonly limit?: number;
  /** `isolate`: every suffixed group has a provider of its own. */
  readonly groupPolicy?: 'none' | 'isolate';
  /** Traits that the root of the candidate's tree must have, and must not have. */
  readonly rootRequired: readonly string[];
  readonly rootForbidden: readonly string[];
  /** Each list: suffixes of groups whose providers must all be below one of them. */
  readonly sameSubtrees: readonly (readonly string[])[];
  /** False before microversion 1.29: no candidate takes from two providers of one tree. */
  readonly nested: boolean;
}

/** Part of a candidate: so much of a class from a provider. */
export interface Portion {
  readonly providerId: string;
  readonly resourceClass: string;
  readonly amount: number;
}

/** What satisfies one group, or after merging the whole request. */
export interface Allotment {
  /** Root of the tree that the candidate is anchored in; sharing providers may be elsewhere. */
  readonly anchorId: string;
  readonly portions: readonly Portion[];
  /** Providers by suffix of the group that they satisfy. */
  readonly mappings: Readonly<Record<string, readonly string[]>>;
}
