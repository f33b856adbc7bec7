/**
 * The table of options in docs/configuration.md, made from the schema in packages/cairn/src/config.ts. Prints it; `--write` puts it into
 * the page. packages/cairn/src/config.test.ts holds that the page has what this prints.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CloudSchema } from '../packages/cairn/src/config.ts';
import { type OptionLine, optionsOf } from '../packages/kit/src/config/config.ts';

const PAGE = join(import.meta.dirname, '..', 'docs', 'configuration.md');
const BEGIN = '<!-- options: made by scripts/options.ts -->';
const END = '<!-- end of options -->';

/** What depends on who asks is said in words. */
const DEFAULTS: Readonly<Record<string, string>> = { data: '`/var/lib/cairn` for root, else `~/.local/share/cairn`' };

const cell = (text: string): string => text.replaceAll('|', '\\|');

function defaultOf(option: OptionLine): string {
  const { path, default: value } = option;
  if (DEFAULTS[path] !== undefined || value === undefined) return DEFAULTS[path] ?? 'none';
  const text = typeof value === 'object' && value !== null && !Array.isArray(value) ? JSON.stringify(value) : String(value);
  return text === '' || text === '{}' ? 'empty' : `\`${text}\``;
}

const rows = optionsOf(CloudSchema).map((option) => [
  `\`${option.path}\``,
  option.type,
  defaultOf(option),
  `${option.description}.`,
  `\`${option.environment}\``,
]);
const table = [['Option', 'Type', 'Default', 'What it is', 'Environment'], ['---', '---', '---', '---', '---'], ...rows]
  .map((cells) => `| ${cells.map(cell).join(' | ')} |\n`)
  .join('');

if (process.argv.includes('--write')) {
  const page = readFileSync(PAGE, 'utf8');
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`${PAGE} lacks the marks ${BEGIN} and ${END}`);
  writeFileSync(PAGE, `${before}${BEGIN}\n${table}${END}${after}`);
} else process.stdout.write(table);
