import { readFileSync } from 'node:fs';
import { CairnError } from '@cairn/kit/errors/errors';
import { loadConfig } from '@cairn/kit/config/config';
import { type CloudConfig, CloudSchema, type CommonFlags, configOf } from '../config.ts';
import { type Paths, pathsOf } from '../daemon/paths.ts';

/** The configuration for a command on a cloud that exists: what `up` was given, under what this call names. */
export function settingsOf(flags: CommonFlags): { config: CloudConfig; paths: Paths } {
  const asked = configOf(flags);
  const paths = pathsOf(asked.data);
  let kept: object;
  try {
    kept = JSON.parse(readFileSync(paths.settings, 'utf8')) as object;
  } catch {
    return { config: asked, paths };
  }
  // a cloud that an older version made knows nothing of options that came since: they have their defaults
  return { config: { ...loadConfig(CloudSchema, { base: kept }), data: asked.data }, paths };
}

/** Ends the command with words for a person; a domain error's own, a stack only for what nobody foresaw. */
export function die(error: unknown): never {
  const text =
    error instanceof CairnError || (error instanceof Error && error.name === 'Error')
      ? error.message
      : error instanceof Error
        ? (error.stack ?? error.message)
        : String(error);
  process.stderr.write(`cairn: ${text}\n`);
  process.exit(1);
}
