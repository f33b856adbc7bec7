#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

// stripped and compiled sources are kept beside the packages, so that the second start is fast
enableCompileCache(join(import.meta.dirname, '..', '..', '..', 'node_modules', '.cache', 'cairn'));
process.removeAllListeners('warning');

const { run } = await import('./cli.ts');
await run(process.argv.slice(2));
