import type { ComposeOptions } from '../cloud/compose.ts';
import type { CommonFlags } from '../config.ts';
import type { DaemonMessage } from '../daemon/process.ts';
import { settingsOf } from './shared.ts';

/** `cairn serve`: the cloud in this process, until a signal or `cairn down`. Started by `cairn up`; usable in the foreground. */
export async function serve(flags: CommonFlags, more: Pick<ComposeOptions, 'review'> = {}): Promise<void> {
  const tell = (message: DaemonMessage): void => {
    if (process.connected) process.send?.(message);
    else if (message.kind === 'progress') process.stderr.write(`  ${message.text}\n`);
    else if (message.kind === 'ready') process.stderr.write(`ready: ${message.url}\n`);
  };
  const startedMs = performance.now();
  try {
    const { runCloud } = await import('../cloud/run.ts');
    const { config, paths } = settingsOf(flags);
    const cloud = await runCloud(config, paths, (text) => tell({ kind: 'progress', text }), more);
    tell({ kind: 'ready', url: cloud.url, milliseconds: Math.round(performance.now() - startedMs) });
    await cloud.ended;
    process.exit(0);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${error instanceof Error ? error.stack : text}\n`);
    tell({ kind: 'failed', text });
    // the message leaves before the process does
    setTimeout(() => process.exit(1), process.connected ? 50 : 0);
  }
}
