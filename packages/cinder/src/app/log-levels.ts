/** Levels as operators name them; the log has four. */
const LEVELS = ['CRITICAL', 'ERROR', 'WARNING', 'INFO', 'DEBUG'] as const;

/**
 * The levels that operators have set with `set-log`, by prefix of a logger's name (cinder.*), as `get-log` tells them. Upstream's services each keep
 * theirs in memory, too: a restart forgets them.
 */
export class LogLevels {
  readonly #levels = new Map<string, string>([['cinder', 'INFO']]);

  /** The level in its own spelling; undefined for what is none. */
  static parse(level: string): string | undefined {
    const upper = level.toUpperCase() === 'WARN' ? 'WARNING' : level.toUpperCase();
    return LEVELS.find((one) => one === upper);
  }

  set(prefix: string, level: string): void {
    for (const name of this.#levels.keys()) if (name.startsWith(prefix)) this.#levels.set(name, level);
    if (prefix !== '') this.#levels.set(prefix, level);
  }

  get(prefix: string): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.#levels].filter(([name]) => name.startsWith(prefix)));
  }
}
