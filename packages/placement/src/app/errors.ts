import { alreadyExists, type CairnError, conflict, invalidInput, notFound } from '@cairn/kit/errors/errors';

/** The codes of placement's errors on the wire (placement/errors.py). */
export const CODES = {
  inventoryInUse: 'placement.inventory.inuse',
  concurrentUpdate: 'placement.concurrent_update',
  duplicateName: 'placement.duplicate_name',
  providerInUse: 'placement.resource_provider.inuse',
  cannotDeleteParent: 'placement.resource_provider.cannot_delete_parent',
  providerNotFound: 'placement.resource_provider.not_found',
  duplicateParameter: 'placement.query.duplicate_key',
  badParameter: 'placement.query.bad_value',
  missingParameter: 'placement.query.missing_value',
} as const;

export const bad = (message: string, code?: string): CairnError => invalidInput(message, code === undefined ? {} : { type: code });
export const clash = (message: string, code?: string): CairnError => conflict(message, code === undefined ? {} : { type: code });
export const concurrentUpdate = (message: string): CairnError => conflict(message, { type: CODES.concurrentUpdate });
export const duplicate = (message: string): CairnError => alreadyExists(message, { type: CODES.duplicateName });
export const noProvider = (id: string): CairnError => notFound(`No resource provider with uuid ${id} found`);
export const noClass = (name: string): string => `No such resource class ${name}.`;
export const noTraits = (names: readonly string[]): string => `No such trait(s): ${names.join(', ')}.`;

/** Who updates must have seen the provider as it is now. */
export function checkGeneration(actual: number, given: number, message = 'resource provider generation conflict'): void {
  if (actual !== given) throw concurrentUpdate(message);
}
