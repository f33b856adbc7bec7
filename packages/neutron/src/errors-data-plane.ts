import { CairnError } from '@cairn/kit/errors/errors';

/** As errors.ts, of what neutron's service plugins bring. */
const missing = (type: string, text: (id: string) => string) => (id: string) => new CairnError('NotFound', text(id), { type });
const bad = (type: string, message: string): CairnError => new CairnError('InvalidInput', message, { type });
const conflict = (type: string, message: string): CairnError => new CairnError('Conflict', message, { type });

// conntrack helpers
export const conntrackHelperNotFound = missing('ConntrackHelperNotFound', (id) => `Conntrack Helper ${id} could not be found.`);
export const conntrackHelperNotAllowed = (helper: string): CairnError => bad('ConntrackHelperNotAllowed', `Conntrack Helper ${helper} is not allowed.`);
export const invalidProtocolForHelper = (helper: string, protocol: string, supported: readonly string[]): CairnError =>
  bad('InvalidProtocolForHelper', `Conntrack Helper ${helper} does not support: ${protocol}. Supported protocols are: ${supported.join(', ')}`);

// metering
export const meteringLabelNotFound = missing('MeteringLabelNotFound', (id) => `Metering label '${id}' does not exist.`);
export const meteringRuleNotFound = missing('MeteringLabelRuleNotFound', (id) => `Metering label rule '${id}' does not exist.`);
export const meteringRuleOverlaps = (prefix: string): CairnError =>
  conflict('MeteringLabelRuleOverlaps', `Metering label rule with remote_ip_prefix '${prefix}' overlaps another.`);
/** Upstream's plain `Invalid`, which its API turns into 500; the text is the same. */
export const meteringRuleInvalid = (text: string): CairnError => bad('Invalid', text);

// logs of security groups
export const logNotFound = missing('LogResourceNotFound', (id) => `Log resource ${id} could not be found.`);
export const logResourceNotFound = missing('ResourceNotFound', (id) => `Resource ${id} could not be found.`);
export const logTargetNotFound = missing('TargetResourceNotFound', (id) => `Target resource ${id} could not be found.`);
export const invalidLogResourceType = (type: string): CairnError => bad('InvalidLogResourceType', `Invalid log resource_type: ${type}.`);
export const invalidLogConstraint = (groupId: string, portId: string): CairnError =>
  bad('InvalidResourceConstraint', `Invalid resource constraint between resource (security_group ${groupId}) and target resource (port ${portId}).`);
