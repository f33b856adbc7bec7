import type { Request } from '@cairn/kit/http/operation';
import type { CandidatesRequest, RequestGroup } from '../app/candidates/request.ts';
import { bad, CODES } from '../app/errors.ts';
import { lastOf } from './op.ts';
import { memberships, parseResources, parseTraits, requiredTraits, treeMember } from './query.ts';

// The groups of a candidates query: `resources`, `required`, `member_of` and `in_tree`, each with any suffix (placement/lib.py).

const NUMBERED = /^(?:resources|required|member_of|in_tree)([1-9][0-9]*)?$/;
const NAMED = /^(?:resources|required|member_of|in_tree)([a-zA-Z0-9_-]{1,64})?$/;

/** The whole query as a request; everything that does not fit together is a 400. */
export function candidatesRequestOf(request: Request): CandidatesRequest {
  const { query, version } = request;
  const sameSubtrees = subtreesOf(query);
  const groups = groupsOf(request);
  if (version.atLeast('1.36')) checkSubtrees(groups, sameSubtrees);
  else checkOrphans(groups);
  if (version.atLeast('1.22')) checkContradictions(groups);
  // of these two the first of repeated ones counts
  const [limit] = query.getAll('limit');
  const [groupPolicy] = query.getAll('group_policy');
  if (groupPolicy === undefined && groups.filter((group) => group.suffix !== '').length > 1)
    throw bad('The "group_policy" parameter is required when specifying more than one "resources{N}" parameter.');
  return {
    groups,
    ...(limit !== undefined && { limit: Math.min(Number(limit), 2 ** 31 - 1) }),
    ...(groupPolicy !== undefined && { groupPolicy: groupPolicy as 'none' | 'isolate' }),
    ...rootTraits(query),
    sameSubtrees,
    nested: version.atLeast('1.29'),
  };
}

function groupsOf({ query, version }: Request): RequestGroup[] {
  const pattern = version.atLeast('1.33') ? NAMED : NUMBERED;
  const suffixes = new Set(
    [...query.keys()]
      .map((key) => pattern.exec(key))
      .filter((match) => match !== null)
      .map((match) => match[1] ?? ''),
  );
  return [...suffixes].map((suffix) => {
    const resources = lastOf(query, `resources${suffix}`);
    const traits = requiredTraits(query, version, suffix);
    const inTree = treeMember(query, suffix);
    return {
      suffix,
      resources: resources === undefined ? {} : parseResources(resources),
      requiredTraits: traits.required,
      forbiddenTraits: traits.forbidden,
      ...memberships(query, version, suffix),
      ...(inTree !== undefined && { inTree }),
    };
  });
}

const asks = (group: RequestGroup): boolean => Object.keys(group.resources).length > 0;

/** Before microversion 1.36 every group asks for resources. */
function checkOrphans(groups: readonly RequestGroup[]): void {
  const idle = groups.filter((group) => !asks(group));
  const traits = idle.filter((group) => group.requiredTraits.length > 0).map((group) => `required${group.suffix}`);
  if (traits.length > 0) throw bad(`All traits parameters must be associated with resources.  Found the following orphaned traits keys: ${traits.join(', ')}`);
  const members = idle.filter((group) => group.memberOf.length > 0 || group.forbiddenAggregates.length > 0).map((group) => `member_of${group.suffix}`);
  if (members.length > 0)
    throw bad(`All member_of parameters must be associated with resources. Found the following orphaned member_of keys: ${members.join(', ')}`);
  if (idle.length > 0) throw bad('All request groups must specify resources.');
  if (groups.length === 0) throw bad('At least one request group (`resources` or `resources{$S}`) is required.');
}

const list = (suffixes: readonly string[]): string => `[${suffixes.map((suffix) => `'${suffix}'`).join(', ')}]`;

/** From 1.36 on a group without resources must be named in a subtree, and subtrees name groups that exist. */
function checkSubtrees(groups: readonly RequestGroup[], sameSubtrees: readonly (readonly string[])[]): void {
  if (!groups.some(asks)) throw bad('There must be at least one resources or resources[$S] parameter.', CODES.missingParameter);
  const named = new Set(sameSubtrees.flat());
  const idle = groups.filter((group) => !asks(group) && !named.has(group.suffix)).map((group) => group.suffix);
  if (idle.length > 0)
    throw bad(`Resourceless suffixed group request should be specified in \`same_subtree\` query param: bad group(s) - ${list(idle)}.`, CODES.badParameter);
  const suffixes = groups.map((group) => group.suffix);
  const unknown = [...named].filter((suffix) => !suffixes.includes(suffix));
  if (unknown.length > 0)
    throw bad(`Real suffixes should be specified in \`same_subtree\`: ${list(unknown)} not found in ${list(suffixes)}.`, CODES.badParameter);
}

/** Nothing is required and forbidden at once. */
function checkContradictions(groups: readonly RequestGroup[]): void {
  const wrong = groups.flatMap((group) =>
    group.requiredTraits
      .filter((any) => any.every((trait) => group.forbiddenTraits.includes(trait)))
      .map((any) => `required${group.suffix}: (${[...any].toSorted().join(', ')})`),
  );
  if (wrong.length > 0) throw bad(`Conflicting required and forbidden traits found in the following traits keys: ${wrong.toSorted().join(', ')}`);
}

function subtreesOf(query: URLSearchParams): string[][] {
  return query.getAll('same_subtree').map((value) => {
    const suffixes = [...new Set(value.split(',').map((part) => part.trim()))];
    if (suffixes.includes('')) throw bad('Empty string (unsuffixed group) can not be specified in `same_subtree` ', CODES.badParameter);
    return suffixes;
  });
}

function rootTraits(query: URLSearchParams): Pick<CandidatesRequest, 'rootRequired' | 'rootForbidden'> {
  const values = query.getAll('root_required');
  if (values.length > 1) throw bad("Query parameter 'root_required' may be specified only once.", CODES.duplicateParameter);
  const [value] = values;
  if (value === undefined) return { rootRequired: [], rootForbidden: [] };
  const { required, forbidden } = parseTraits(value, { forbidden: true, any: false });
  const rootRequired = [...new Set(required.flat())];
  const conflicts = forbidden.filter((trait) => rootRequired.includes(trait));
  if (conflicts.length > 0) throw bad(`Conflicting required and forbidden traits found in root_required: ${conflicts.join(', ')}`, CODES.badParameter);
  return { rootRequired, rootForbidden: forbidden };
}
