import { pino } from 'pino';
import type { Logger } from './log.ts';

/** Field names whose values never reach a log, wherever they stand. */
const SECRETS = ['password', 'token', 'secret', 'adminPass', 'x-auth-token', 'x-subject-token', 'authorization', 'private_key'];

/** JSON lines to `path` (asynchronously, flushed at exit; a new file is its owner's alone) or to standard output. */
export function createLog(options: { level: string; path?: string }): Logger & { flush(): void } {
  const destination = pino.destination({ ...(options.path ? { dest: options.path, mkdir: true, mode: 0o600 } : { dest: 1 }), sync: false, minLength: 0 });
  const log = pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: SECRETS.flatMap((s) => [`["${s}"]`, `*["${s}"]`]), censor: '[secret]' },
    },
    destination,
  );
  return Object.assign(wrap(log), {
    flush: () => {
      try {
        destination.flushSync();
      } catch {
        // the file is not open yet, or gone: nothing is left to flush
      }
    },
  });
}

function wrap(log: pino.Logger): Logger {
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
    child: (fields) => wrap(log.child(fields)),
  };
}
