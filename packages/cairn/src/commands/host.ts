import type { CommonFlags } from '../config.ts';
import { askControl } from '../daemon/control.ts';
import { running } from '../daemon/process.ts';
import { settingsOf } from './shared.ts';

/** `cairn host stop|start NAME`: pulls a host's plug, and puts it back, to try what the loss of a machine means. */
export async function hostPower(name: string, power: 'off' | 'on', flags: CommonFlags): Promise<void> {
  const { paths } = settingsOf(flags);
  if (!running(paths)) throw new Error('no cloud runs here; "cairn up" brings one up');
  await askControl(paths, { ask: 'host', host: name, power });
  process.stdout.write(
    power === 'off'
      ? `Host ${name} is off: its guests ended, and nothing reaches it. "cairn host start ${name}" switches it on again.\n`
      : `Host ${name} is on again.\n`,
  );
}
