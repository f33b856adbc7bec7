import Type from 'typebox';
import { flag, nullable, text, textOrNull } from './envelope.ts';

/** Cairn's own: rules, and why one lets a user do something. */

const rule = { service: text, rule: text, check: text, description: text, scope_types: nullable(Type.Array(text)) };
export const policyRule = Type.Object(rule, { title: 'PolicyRule' });
export const policyExplanation = Type.Object(
  {
    ...rule,
    allowed: flag,
    reason: Type.Enum(['passes', 'fails', 'scope', 'no_role']),
    roles: Type.Array(text),
    target: Type.Record(text, Type.Any()),
    matching: textOrNull,
    branches: Type.Array(
      Type.Object(
        { check: text, passes: flag, rules: Type.Array(Type.Any({ description: 'The rules that the branch refers to, each with branches of its own.' })) },
        { title: 'PolicyBranch' },
      ),
    ),
  },
  { title: 'PolicyExplanation' },
);
