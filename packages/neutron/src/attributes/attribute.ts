import type { TSchema } from 'typebox';

/** Upstream's ATTR_NOT_SPECIFIED: the attribute was not given and has no default of its own. Distinct from null. */
export const NOT_SPECIFIED = Symbol('not specified');
export type NotSpecified = typeof NOT_SPECIFIED;

/** True for a value that was given and is not null (upstream's is_attr_set). */
export const isSet = <T>(value: T | NotSpecified | null | undefined): value is T => value !== NOT_SPECIFIED && value !== null && value !== undefined;

/** Words on why a value is refused (a sentence without its full stop), or undefined when it is fine. May throw an error of its own. */
export type Validator = (value: unknown) => string | undefined;
/** Turns what the client sent into what is kept; throws InvalidInput. */
export type Converter = (value: unknown) => unknown;

/** One attribute of a resource, as neutron-lib's API definitions describe it. */
export interface Attribute {
  /** May it be given when creating, when updating? Default false. */
  readonly post?: boolean;
  readonly put?: boolean;
  /** Absent: required when creating. */
  readonly default?: unknown;
  readonly convert?: Converter;
  readonly validate?: Validator;
  /** Shown in answers. Default true. */
  readonly visible?: boolean;
  /** May a list be filtered, sorted by it? */
  readonly filter?: boolean;
  readonly sort?: boolean;
  /** How the values of a filter are read, where not by `convert`. */
  readonly convertFilter?: Converter;
  /** Policy looks at it, so `fields` never loses it before policy has seen it. */
  readonly requiredByPolicy?: boolean;
  /** Setting it asks the rule `create_network:<name>`. */
  readonly enforcePolicy?: boolean;
  /** Keys of a dictionary whose presence asks `create_router:external_gateway_info:<key>`. */
  readonly subKeys?: readonly string[];
  /** A list of dictionaries: each key of each asks its rule. */
  readonly subRulesOfItems?: boolean;
  /** For the API description alone: validation is `validate`'s. */
  readonly schema: TSchema;
  /** What answers have in it, where that is not what may be given: null for what is not set, numbers as text. */
  readonly answer?: TSchema;
  /** Answers about some of the kind leave it out, whoever asks. */
  readonly sometimes?: boolean;
}

export type AttributeMap = Readonly<Record<string, Attribute>>;
