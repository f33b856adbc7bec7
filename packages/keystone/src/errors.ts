import { CairnError, type ErrorKind, type ErrorOptions } from '@cairn/kit/errors/errors';

/**
 * keystone's errors with upstream's sentences (keystone/exception.py). What upstream calls a security error says nothing but its general
 * sentence; the reason goes to the log.
 */

const make = (kind: ErrorKind, message: string, options?: ErrorOptions): CairnError => new CairnError(kind, message, options);

const notFoundOf =
  (what: string) =>
  (id: string): CairnError =>
    make('NotFound', `Could not find ${what}: ${id}.`);

export const userNotFound = notFoundOf('user');
export const groupNotFound = notFoundOf('group');
export const projectNotFound = notFoundOf('project');
export const domainNotFound = notFoundOf('domain');
export const roleNotFound = notFoundOf('role');
export const regionNotFound = notFoundOf('region');
export const serviceNotFound = notFoundOf('service');
export const endpointNotFound = notFoundOf('endpoint');
export const credentialNotFound = notFoundOf('credential');
export const policyNotFound = notFoundOf('policy');
export const trustNotFound = notFoundOf('trust');
export const projectTagNotFound = notFoundOf('project tag');
export const applicationCredentialNotFound = notFoundOf('Application Credential');
export const accessRuleNotFound = notFoundOf('Access Rule');
export const consumerNotFound = (): CairnError => make('NotFound', 'Consumer not found');
export const requestTokenNotFound = (): CairnError => make('NotFound', 'Request token not found');
export const accessTokenNotFound = (): CairnError => make('NotFound', 'Access token not found');
export const registeredLimitNotFound = (id: string): CairnError => make('NotFound', `Could not find registered limit for ${id}.`);
export const limitNotFound = (id: string): CairnError => make('NotFound', `Could not find limit for ${id}.`);
export const markerNotFound = (marker: string | number): CairnError => make('NotFound', `Marker ${marker} could not be found.`);
export const endpointGroupNotFound = notFoundOf('Endpoint Group');
export const policyAssociationNotFound = (): CairnError => make('NotFound', 'Could not find policy association.');
export const domainConfigNotFound = (domainId: string, what: string): CairnError =>
  make('NotFound', `Could not find ${what} in domain configuration for domain ${domainId}.`);
export const impliedRoleNotFound = (prior: string, implied: string): CairnError => make('NotFound', `${prior} does not imply ${implied}.`);
export const assignmentNotFound = (roleId: string, actorId: string, targetId: string): CairnError =>
  make('NotFound', `Could not find role assignment with role: ${roleId}, user or group: ${actorId}, project, domain, or system: ${targetId}.`);
export const tokenNotFound = (message = 'Failed to validate token'): CairnError => make('NotFound', message);
export const notFoundText = (message: string): CairnError => make('NotFound', message);

const CLIENT_ERROR = 'The server could not comply with the request since it is either malformed or otherwise incorrect. The client is assumed to be in error.';

/** "Expecting to find domain in project. ..." */
export const expecting = (attribute: string, target: string): CairnError =>
  make('InvalidInput', `Expecting to find ${attribute} in ${target}. ${CLIENT_ERROR}`, { field: attribute });
export const invalid = (message: string, field?: string): CairnError => make('InvalidInput', message, field === undefined ? {} : { field });
export const badTimestamp = (): CairnError => make('InvalidInput', `Timestamp not in expected format. ${CLIENT_ERROR}`, { field: 'expires_at' });
export const pastExpiry = (): CairnError => make('InvalidInput', `The 'expires_at' must not be before now. ${CLIENT_ERROR}`, { field: 'expires_at' });
export const ambiguous = (resource: string, name: string): CairnError =>
  make('InvalidInput', `There are multiple ${resource} entities named '${name}'. Please use ID instead of names to resolve the ambiguity.`);

/** "Conflict occurred attempting to store project - it is not permitted ...". */
export const conflicting = (type: string, details: string): CairnError => make('Conflict', `Conflict occurred attempting to store ${type} - ${details}.`);
export const duplicate = (type: string, name: string, domainId?: string | null): CairnError =>
  conflicting(type, `Duplicate entry found with name ${name}${domainId ? ` at domain ID ${domainId}` : ''}`);

export const NOT_AUTHENTICATED = 'The request you have made requires authentication.';

/** 401 with the general sentence; `reason` is for the log alone. */
export const unauthenticated = (reason: string): CairnError => make('Unauthorized', NOT_AUTHENTICATED, { detail: { reason } });
export const accountDisabled = (userId: string): CairnError => make('Unauthorized', `The account is disabled for user: ${userId}.`);
export const passwordExpired = (userId: string): CairnError => {
  const message = `The password is expired and needs to be changed for user: ${userId}.`;
  return make('Unauthorized', message, { detail: { audit: message } });
};
/** 401 like any other; only the audit record says why. */
export const accountLocked = (userId: string): CairnError =>
  make('Unauthorized', NOT_AUTHENTICATED, { detail: { reason: `user ${userId} is locked`, audit: `The account is locked for user: ${userId}.` } });
/** What an audit record says of a refusal, beyond that it was one. */
export function auditReasonOf(error: CairnError): { readonly reasonCode: string; readonly reasonType: string } | undefined {
  const audit = (error.detail as { audit?: unknown } | undefined)?.audit;
  return typeof audit === 'string' ? { reasonCode: String(error.status), reasonType: audit } : undefined;
}
/** A new password that cannot be judged. */
export const passwordUnchecked = (detail: string): CairnError => invalid(`Password validation error: ${detail}.`, 'password');
export const passwordRequirements = (description: string | null): CairnError =>
  invalid(`The password does not match the requirements: ${description ?? 'None'}.`, 'password');
export const passwordInHistory = (count: number): CairnError =>
  invalid(
    `The new password cannot be identical to a previous password. The total number which includes the new password must be unique is ${count}.`,
    'password',
  );
export const passwordAge = (days: number, daysLeft: number): CairnError =>
  invalid(
    `You cannot change your password at this time due to the minimum password age. Once you change your password, it must be used for ${days} day(s) before it can be changed. Please try again in ${daysLeft} day(s) or contact your administrator to reset your password.`,
    'password',
  );
export const passwordLocked = (): CairnError =>
  invalid(
    'You cannot change your password at this time due to password policy disallowing password changes. Please contact your administrator to reset your password.',
    'password',
  );
/** 401 whose body names the methods that are supported. */
export const unsupportedMethod = (methods: readonly string[]): CairnError =>
  make('Unauthorized', 'Attempted to authenticate with an unsupported method.', { type: AUTH_PLUGIN, detail: { identity: { methods } } });
export const applicationCredentialAuthError = (): CairnError => make('Unauthorized', NOT_AUTHENTICATED, { type: AUTH_PLUGIN, detail: { identity: {} } });
/** Marks the 401 whose body is a receipt, in `detail`, without an envelope. */
export const INSUFFICIENT_METHODS = 'InsufficientAuthMethods';
/** Does not repeat the receipt. */
export const receiptNotFound = (reason: string): CairnError => make('Unauthorized', 'Could not find auth receipt.', { detail: { reason } });

/** Marks a 401 whose envelope carries `identity` (upstream: AuthPluginException). */
export const AUTH_PLUGIN = 'AuthPluginException';

/** Federation. */
export const identityProviderNotFound = notFoundOf('Identity Provider');
export const serviceProviderNotFound = notFoundOf('Service Provider');
export const mappingNotFound = notFoundOf('mapping');
export const protocolNotFound = (protocolId: string, idpId: string): CairnError =>
  make('NotFound', `Could not find federated protocol ${protocolId} for Identity Provider: ${idpId}.`);
/** 500: a mapping gave a group that is not there. */
export const mappedGroupNotFound = (groupId: string, mappingId: string): CairnError =>
  make('Internal', 'The mapping is broken.', { detail: { mappingId, reason: `group ${groupId} is not there` } });
/** 403 that is a matter of security and says why all the same. */
export const forbiddenText = (message: string): CairnError => make('Forbidden', message);
/** 500: a mapping that refers to what is not there; `reason` is for the log alone. */
export const mappingBroken = (mappingId: string, reason: string): CairnError => make('Internal', 'The mapping is broken.', { detail: { mappingId, reason } });

/** 503: another program that keeps users does not answer as it should. */
export const directoryUnavailable = (message: string, reason?: string): CairnError =>
  make('Unavailable', message, reason === undefined ? {} : { detail: { reason } });

const NOT_AUTHORIZED = 'You are not authorized to perform the requested action';
/** 403 with the general sentence; `reason` is for the log alone. */
export const forbiddenSilently = (reason: string): CairnError => make('Forbidden', `${NOT_AUTHORIZED}.`, { detail: { reason } });
/** 403 naming the action. */
export const forbiddenAction = (action: string): CairnError => make('Forbidden', `${NOT_AUTHORIZED}: ${action}.`);
/** 403 that is no matter of security and says why. */
export const refused = (message: string): CairnError => make('Forbidden', message);
export const invalidDomainConfig = (reason: string): CairnError => refused(`Invalid domain specific configuration: ${reason}.`);
export const invalidLimit = (reason: string): CairnError => refused(`Invalid resource limit: ${reason}.`);
/** upstream's 403 for a write to LDAP says no more. */
export const readOnlyDirectory = (): CairnError => forbiddenSilently('LDAP does not support write operations');
export const crossBackend = (userId: string, groupId: string): CairnError =>
  refused(`Group membership across backend boundaries is not allowed. Group in question is ${groupId}, user is ${userId}.`);
/** 403: the user has as many as allowed. */
export const tooMany = (what: string, limit: number): CairnError =>
  refused(`Unable to create additional ${what}, maximum of ${limit} already exceeded for user.`);
export const immutableUpdate = (type: string, id: string): CairnError =>
  refused(`Unable to update immutable ${type} resource: \`${id}. Set resource option "immutable" to false first.`);
export const immutableDelete = (type: string, id: string): CairnError =>
  refused(`Unable to delete immutable ${type} resource: \`${id}. Set resource option "immutable" to false first.`);
