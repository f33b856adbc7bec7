import { pino } from 'pino';
import type { Logger } from './log.ts';
import { withoutSecrets } from './secrets.ts';

/** Lines wait this long for others, so that many requests share one write. A crash of the process loses no more; errors do not wait. */
const TOGETHER_MS = 50;
const TOGETHER_CHARS = 32_768;

/** JSON lines to `path` (asynchronously, flushed at exit; a new file is its owner's alone) or to standard output. */
export function createLog(options: { level: string; path?: string }): Logger & { flush(): void } {
  const file = pino.destination({ ...(options.path ? { dest: options.path, mkdir: true, mode: 0o600 } : { dest: 1 }), sync: false, minLength: 0 });
  let lines = '';
  let timer: NodeJS.Timeout | undefined;
  const pass = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (lines !== '') file.write(lines);
    lines = '';
  };
  const write = (line: string): void => {
    lines += line;
    if (lines.length >= TOGETHER_CHARS) pass();
    else timer ??= setTimeout(pass, TOGETHER_MS).unref();
  };
  const log = pino({ level: options.level, base: null, timestamp: timestamps() }, { write });
  return Object.assign(wrap(log, pass), {
    flush: () => {
      pass();
      try {
        file.flushSync();
      } catch {
        // the file is not open yet, or gone: nothing is left to flush
      }
    },
  });
}

function wrap(log: pino.Logger, pass: () => void): Logger {
  return {
    debug: (fields, message) => {
      if (log.isLevelEnabled('debug')) log.debug(withoutSecrets(fields), message);
    },
    info: (fields, message) => log.info(withoutSecrets(fields), message),
    warn: (fields, message) => log.warn(withoutSecrets(fields), message),
    error: (fields, message) => {
      log.error(withoutSecrets(fields), message);
      pass();
    },
    child: (fields) => wrap(log.child(withoutSecrets(fields)), pass),
  };
}

/** The time of a line as JSON in ISO form; what stays for a second is made once for it. */
function timestamps(): () => string {
  let second = -1;
  let beginning = '';
  return () => {
    const nowMs = Date.now();
    const at = Math.floor(nowMs / 1000);
    if (at !== second) {
      second = at;
      beginning = `,"time":"${new Date(at * 1000).toISOString().slice(0, -4)}`;
    }
    return `${beginning}${String(nowMs - at * 1000).padStart(3, '0')}Z"`;
  };
}
