import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '../process/run.ts';
import { reseedProgram } from './reseed.ts';

const skip = process.arch === 'x64' && process.platform === 'linux' ? (process.geteuid?.() === 0 ? false : 'needs root') : 'is a program for x86-64 Linux';

test('the reseeding program has the kernel draw a new seed, and says when it could not', { skip }, async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'cairn-reseed-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const program = join(dir, 'reseed');
  await writeFile(program, reseedProgram(), { mode: 0o755 });
  const shell = (line: string) => run('sh', ['-c', line, 'sh', program]);
  await shell('printf %s some-bytes | "$1" > /dev/random');
  await assert.rejects(shell('printf %s some-bytes | "$1" > /dev/null'), /exit status 1/);
  await assert.rejects(shell('"$1" < /dev/null > /dev/random'), /exit status 1/);
});
