import { createReadStream, existsSync, readFileSync, statSync, watch } from 'node:fs';
import type { CommonFlags } from '../config.ts';
import { settingsOf } from './shared.ts';

/** `cairn logs`: the structured log as readable lines. */
export async function logs(flags: CommonFlags & { follow?: boolean; lines: string; request?: string; json?: boolean }): Promise<void> {
  const { paths } = settingsOf(flags);
  if (!existsSync(paths.log)) throw new Error(`there is no log in ${paths.data}; "./cairn up" starts a cloud`);
  const wanted = (line: string): boolean => line !== '' && (flags.request === undefined || line.includes(flags.request));
  const show = (line: string): void => void process.stdout.write(`${flags.json ? line : readable(line)}\n`);
  const count = Number(flags.lines);
  if (!Number.isInteger(count) || count < 0) throw new Error('--lines: a whole number is expected');
  const all = readFileSync(paths.log, 'utf8').split('\n').filter(wanted);
  for (const line of count === 0 ? [] : all.slice(-count)) show(line);
  if (!flags.follow) return;
  let at = statSync(paths.log).size;
  let rest = '';
  const more = (): void => {
    const { size } = statSync(paths.log);
    if (size <= at) return;
    const from = at;
    at = size;
    createReadStream(paths.log, { start: from, end: size - 1, encoding: 'utf8' }).on('data', (chunk) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines.filter(wanted)) show(line);
    });
  };
  watch(paths.log, more);
  await new Promise(() => {});
}

const LEVELS: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info', 40: 'WARN', 50: 'ERROR' };

function readable(line: string): string {
  try {
    const { level, time, msg, ...rest } = JSON.parse(line) as { level: number; time: string; msg: string };
    const facts = Object.entries(rest).map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
    // what guests and users wrote may hold terminal escapes
    return `${time} ${(LEVELS[level] ?? String(level)).padEnd(5)} ${msg} ${facts.join(' ')}`.replaceAll(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, '?');
  } catch {
    return line;
  }
}
