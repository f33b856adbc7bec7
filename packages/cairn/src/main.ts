#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

// stripped and compiled sources are kept beside the packages, so that the second start is fast
enableCompileCache(join(import.meta.dirname, '..', '..', '..', 'node_modules', '.cache', 'cairn'));
process.removeAllListeners('warning');
// `cairn status | head`: a reader that has seen enough is no error
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const { run } = await import('./cli.ts');
await run(process.argv.slice(2));
