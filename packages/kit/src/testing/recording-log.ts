import type { Logger } from '../log/log.ts';

/** A log that keeps what it is told at every level, a line of text each, for tests of what must not be in it. */
export function recordingLog(): { readonly log: Logger; readonly lines: readonly string[] } {
  const lines: string[] = [];
  const logWith = (fields: object): Logger => {
    const keep = (more: object, message: string): void => void lines.push(`${message} ${JSON.stringify({ ...fields, ...more })}`);
    return { debug: keep, info: keep, warn: keep, error: keep, child: (more) => logWith({ ...fields, ...more }) };
  };
  return { log: logWith({}), lines };
}
