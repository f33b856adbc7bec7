import { isUuidLike } from '@cairn/kit/ids/ids';
import type { Version } from '@cairn/kit/http/microversion';
import { bad } from '../app/errors.ts';
import { lastOf } from './op.ts';

// The small languages of placement's query strings (placement/util.py). Everything wrong is a 400 that shows the right form.

/** `VCPU:2,MEMORY_MB:1024` */
export function parseResources(text: string): Record<string, number> {
  const form = 'Badly formed resources parameter. Expected resources query string parameter in form: ?resources=VCPU:2,MEMORY_MB:1024. Got: ';
  if (text.trim() === '') throw bad(`${form}empty string.`);
  const resources: Record<string, number> = {};
  for (const part of text.split(',')) {
    const [name, amount, more] = part.split(':');
    if (name === undefined || amount === undefined || more !== undefined) throw bad(`${form}${part}.`);
    if (!/^\s*[+-]?\d+(_\d+)*\s*$/.test(amount)) throw bad(`Requested resource ${name} expected positive integer amount. Got: ${amount}.`);
    const number = Number(amount.replaceAll('_', ''));
    if (number < 1) throw bad(`Requested resource ${name} requires amount >= 1. Got: ${number}.`);
    // more than any inventory holds; columns hold no larger numbers either
    resources[name] = Math.min(number, Number.MAX_SAFE_INTEGER);
  }
  return resources;
}

export interface TraitQuery {
  /** Each inner list: any of these; all lists must hold. */
  readonly required: readonly (readonly string[])[];
  readonly forbidden: readonly string[];
}

const refuse = (why: string) => bad(`Invalid query string parameters: ${why}`);
const split = (list: string): string[] => list.split(',').map((part) => part.trim());

/** One value: `A,!B`, or `in:A,B` where any of them will do. */
export function parseTraits(text: string, allow: { readonly forbidden: boolean; readonly any: boolean }): TraitQuery {
  if (text.startsWith('in:')) {
    if (!allow.any) throw refuse(`The format 'in:HW_CPU_X86_VMX,CUSTOM_MAGIC' only supported since microversion 1.39. Got: ${text}`);
    const any = [...new Set(split(text.slice(3)))];
    if (any.includes('')) throw refuse(`Expected 'required' parameter value of the form: in:HW_CPU_X86_VMX,CUSTOM_MAGIC. Got an empty trait in: ${text}`);
    if (any.some((trait) => trait.startsWith('!'))) throw refuse(`The format 'in:HW_CPU_X86_VMX,CUSTOM_MAGIC' does not support forbidden traits. Got: ${text}`);
    return { required: [any], forbidden: [] };
  }
  const traits = split(text);
  const forbidden = traits.filter((trait) => trait.startsWith('!')).map((trait) => trait.replace(/^!+/, ''));
  if (traits.includes('') || forbidden.includes(''))
    throw refuse(`Expected 'required' parameter value of the form: HW_CPU_X86_VMX,${allow.forbidden ? '!' : ''}CUSTOM_MAGIC. Got an empty trait in: ${text}`);
  if (forbidden.length > 0 && !allow.forbidden) throw refuse(`Expected 'required' parameter value of the form: HW_CPU_X86_VMX,CUSTOM_MAGIC. Got: ${text}`);
  return { required: traits.filter((trait) => !trait.startsWith('!')).map((trait) => [trait]), forbidden: [...new Set(forbidden)] };
}

/** Every `required<suffix>`; before microversion 1.39 the last one alone. */
export function requiredTraits(query: URLSearchParams, version: Version, suffix = ''): TraitQuery {
  const allow = { forbidden: version.atLeast('1.22'), any: version.atLeast('1.39') };
  const values = query.getAll(`required${suffix}`);
  const parsed = (allow.any ? values : values.slice(-1)).map((value) => parseTraits(value, allow));
  return { required: parsed.flatMap((p) => p.required), forbidden: [...new Set(parsed.flatMap((p) => p.forbidden))] };
}

export interface MemberQuery {
  readonly memberOf: readonly (readonly string[])[];
  readonly forbiddenAggregates: readonly string[];
}

/** Every `member_of<suffix>`: a UUID, `in:` several, `!` or `!in:` none of them. */
export function memberships(query: URLSearchParams, version: Version, suffix = ''): MemberQuery {
  const values = query.getAll(`member_of${suffix}`);
  if (values.length > 1 && version.before('1.24')) throw bad(`Multiple member_of${suffix} parameters are not supported`);
  const memberOf: string[][] = [];
  const forbiddenAggregates = new Set<string>();
  for (const value of values) {
    if (value.includes(',') && !/^!?in:/.test(value))
      throw bad(`Multiple values for 'member_of' must be prefixed with the 'in:' or '!in:' keyword using the valid microversion. Got: ${value}`);
    const not = value.startsWith('!');
    const ids = [...new Set(value.replace(/^!/, '').replace(/^in:/, '').split(','))];
    const wrong = ids.find((id) => !isUuidLike(id));
    if (wrong !== undefined) throw bad(`Invalid query string parameters: Expected 'member_of' parameter to contain valid UUID(s). Got: ${wrong}`);
    if (!not) memberOf.push(ids);
    else if (version.before('1.32')) throw bad(`Forbidden member_of${suffix} parameters are not supported in the specified microversion`);
    else for (const id of ids) forbiddenAggregates.add(id);
  }
  return { memberOf, forbiddenAggregates: [...forbiddenAggregates] };
}

/** `in_tree<suffix>`: a provider of the tree. */
export function treeMember(query: URLSearchParams, suffix = ''): string | undefined {
  const value = lastOf(query, `in_tree${suffix}`);
  if (value !== undefined && !isUuidLike(value.trim()))
    throw bad(`Invalid query string parameters: Expected 'in_tree' parameter to be a format of uuid. Got: ${value}`);
  return value?.trim();
}
