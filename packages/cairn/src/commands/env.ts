import { existsSync, readFileSync } from 'node:fs';
import type { CommonFlags } from '../config.ts';
import { settingsOf } from './shared.ts';

/** `cairn env`: prints the openrc lines. */
export async function env(flags: CommonFlags): Promise<void> {
  const { paths } = settingsOf(flags);
  if (!existsSync(paths.openrc)) throw new Error(`there is no cloud in ${paths.data}; "./cairn up" makes one`);
  process.stdout.write(readFileSync(paths.openrc, 'utf8'));
}
