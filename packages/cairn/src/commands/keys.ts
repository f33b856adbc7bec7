import type { CommonFlags } from '../config.ts';
import { askControl } from '../daemon/control.ts';
import { running } from '../daemon/process.ts';
import { settingsOf } from './shared.ts';

/** `cairn keys rotate tokens|credentials`: new keys while the cloud runs. What was made with the present ones goes on to hold. */
export async function rotateKeys(what: string, flags: CommonFlags & { readonly force?: boolean }): Promise<void> {
  if (what !== 'tokens' && what !== 'credentials') throw new Error(`"${what}" has no keys: say "tokens" or "credentials"`);
  const { paths } = settingsOf(flags);
  if (!running(paths)) throw new Error('no cloud runs here; "cairn up" brings one up');
  const { reencrypted } = (await askControl(paths, { ask: 'keys', keys: what, force: flags.force === true })) as { reencrypted: number };
  process.stdout.write(
    what === 'tokens' ? 'New tokens are made with the next key.\n' : `Credentials are kept under the next key; ${reencrypted} were encrypted anew.\n`,
  );
}
