/** What a line tells besides its message. What was thrown goes under `err`, the one name whose message, code and stack are written out. */
export type LogFields = { readonly err?: unknown; readonly error?: never; readonly [field: string]: unknown };

/** Structured logging as every layer sees it; pino behind it. Never pass tokens, passwords or keys. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  child(fields: LogFields): Logger;
}

/** Says nothing; for tests. */
export const silentLog: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLog,
};
