import { spawn } from 'node:child_process';
import { join } from 'node:path';

/** `cairn test`: hands over to scripts/check.ts, which CI runs too. */
export async function test(parts: readonly string[], flags: { list?: boolean }): Promise<void> {
  const script = join(import.meta.dirname, '..', '..', '..', '..', 'scripts', 'check.ts');
  const child = spawn(process.execPath, [script, ...(flags.list ? ['--list'] : []), ...parts], { stdio: 'inherit' });
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (exit) => resolve(exit ?? 1));
  });
  process.exit(code);
}
