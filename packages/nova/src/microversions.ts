export const MIN_MICROVERSION = '2.1';
/** The newest microversion whose every change holds for the operations that exist. */
export const MAX_MICROVERSION = '2.104';
