import { meteringLabelVerbs, meteringRuleVerbs } from '../app/metering.ts';
import { METERING_LABEL, METERING_RULE } from '../resources/metering.ts';
import { operationsOfKind } from './kinds.ts';

/** Nothing of a label or a rule can be changed: upstream has no update of either. */
const VERBS = ['list', 'show', 'create', 'delete'] as const;

export const meteringOperations = [
  ...operationsOfKind(METERING_LABEL, meteringLabelVerbs, 'a metering label', 'metering labels', VERBS),
  ...operationsOfKind(METERING_RULE, meteringRuleVerbs, 'a metering label rule', 'metering label rules', VERBS),
];
