// `cairn serve` of the test clouds: the same, and every answer is held against the schema of its operation.
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import type { CommonFlags } from '../../packages/cairn/src/config.ts';

enableCompileCache(join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'cairn'));
process.removeAllListeners('warning');
const { reviewAnswer } = await import('@cairn/kit/testing/answers');
const { serve } = await import('../../packages/cairn/src/commands/serve.ts');
await serve(JSON.parse(process.argv[2] ?? '{}') as CommonFlags, { review: reviewAnswer });
