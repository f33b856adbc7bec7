import { type CairnError, isCairnError, unavailable } from '@cairn/kit/errors/errors';

/** Errors of programs and the file system name paths: only their log entry may. */
export function asPublic(error: unknown, message: string): CairnError {
  return isCairnError(error) ? error : unavailable(message, { detail: String(error), cause: error });
}
