import { existsSync, rmSync } from 'node:fs';
import type { CommonFlags } from '../config.ts';
import { askControl } from '../daemon/control.ts';
import { running, unclaim, untilGone } from '../daemon/process.ts';
import { Steps } from '../terminal/progress.ts';
import { settingsOf } from './shared.ts';

const STOP_LIMIT_MS = 120_000;

/** `cairn down`: stops guests cleanly (or keeps them), then the cloud; `--destroy` leaves no trace. */
export async function down(flags: CommonFlags & { keepGuests?: boolean; destroy?: boolean }): Promise<void> {
  if (flags.keepGuests && flags.destroy) throw new Error('--keep-guests and --destroy exclude each other');
  const { config, paths } = settingsOf(flags);
  const steps = new Steps();
  const there = running(paths);
  if (there) {
    steps.step('stopping');
    try {
      await askControl(paths, { ask: 'down', guests: flags.keepGuests || flags.destroy ? 'keep' : 'stop' }, (text) => steps.step(text));
    } catch {
      // it does not answer: end the process; guests and traffic go on, and --destroy below takes care of them
      process.kill(there.pid, 'SIGTERM');
    }
    if (!(await untilGone(there.pid, there.startTicks, STOP_LIMIT_MS))) {
      process.kill(there.pid, 'SIGKILL');
      await untilGone(there.pid, there.startTicks, 5_000);
    }
    unclaim(paths);
  }
  if (flags.destroy) {
    if (existsSync(paths.data)) {
      steps.step('removing guests, networks and disks');
      const { destroyHosts } = await import('../cloud/hosts.ts');
      await destroyHosts(config, paths);
      steps.step('removing files');
      // only what a cloud made: a data directory named by mistake is not emptied
      if (existsSync(paths.settings)) rmSync(paths.data, { recursive: true, force: true });
    }
    steps.done();
    process.stdout.write('Nothing of the cloud is left.\n');
    return;
  }
  steps.done();
  process.stdout.write(
    there ? `The cloud is down.${flags.keepGuests ? ' Its guests and networks go on.' : ''} "./cairn up" brings it back.\n` : 'No cloud runs here.\n',
  );
}
