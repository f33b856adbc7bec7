/** Progress for people: on a terminal one line that moves, elsewhere one line per step. Times only what takes over a second. */
export class Steps {
  readonly #out = process.stderr;
  #current: { text: string; startedMs: number; timer: NodeJS.Timeout | undefined } | undefined;

  /** Begins a step and ends the one before. */
  step(text: string): void {
    this.done();
    const startedMs = Date.now();
    const timer = this.#out.isTTY
      ? setInterval(() => {
          this.#out.write(`\r\x1b[2K  ${text} ... ${((Date.now() - startedMs) / 1000).toFixed(0)} s`);
        }, 500)
      : undefined;
    timer?.unref();
    this.#current = { text, startedMs, timer };
    if (this.#out.isTTY) this.#out.write(`  ${text} ...`);
    else this.#out.write(`  ${text}\n`);
  }

  /** Ends the running step. */
  done(): void {
    const current = this.#current;
    if (!current) return;
    this.#current = undefined;
    clearInterval(current.timer);
    const seconds = (Date.now() - current.startedMs) / 1000;
    if (this.#out.isTTY) this.#out.write(`\r\x1b[2K  ${current.text}${seconds >= 1 ? `  (${seconds.toFixed(1)} s)` : ''}\n`);
    else if (seconds >= 1) this.#out.write(`    took ${seconds.toFixed(1)} s\n`);
  }
}

/** A table of plain text; columns as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
