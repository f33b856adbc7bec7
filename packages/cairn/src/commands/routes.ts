import type { CommonFlags } from '../config.ts';
import { readTable } from '../cloud/compose.ts';
import { table } from '../terminal/progress.ts';
import { settingsOf } from './shared.ts';

/** `cairn routes`: the operation tables of all services. Needs no running cloud. */
export async function routes(flags: CommonFlags & { json?: boolean; service?: string }): Promise<void> {
  const { config } = settingsOf(flags);
  const lines = (await readTable(config)).routes().filter((r) => flags.service === undefined || r.service === flags.service);
  if (flags.json) process.stdout.write(`${JSON.stringify(lines, null, 1)}\n`);
  else
    process.stdout.write(
      `${table([['SERVICE', 'METHOD', 'PATH', 'VERSIONS', 'POLICY'], ...lines.map((r) => [r.service, r.method, r.path + (r.action ? ` {${r.action}}` : ''), `${r.since ?? ''}${r.until ? `..${r.until}` : r.since ? '..' : ''}`, r.policy])])}\n`,
    );
}
