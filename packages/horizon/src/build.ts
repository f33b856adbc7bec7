import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Worker } from 'node:worker_threads';

/** The page's sources, and what its libraries are. */
const WEB = join(import.meta.dirname, '..', 'web');
const ROOT = join(import.meta.dirname, '..', '..', '..');
/** The newest this many builds stay: clouds of this checkout that run since before a change still serve theirs. */
const KEPT = 4;

/** The folder that holds the built page, built now when it is not there. Takes seconds, in a thread of its own; several callers may build at once. */
export async function builtPage(cacheFolders: readonly string[]): Promise<string> {
  const key = keyOf();
  for (const cache of cacheFolders) if (existsSync(join(cache, key, 'index.html'))) return join(cache, key);
  const cache = cacheFolders.find(writable);
  if (cache === undefined) throw new Error(`the console cannot be built: none of ${cacheFolders.join(', ')} can be written to`);
  const target = join(cache, key);
  const work = `${target}.${process.pid}.new`;
  rmSync(work, { recursive: true, force: true });
  try {
    await build(work);
    try {
      renameSync(work, target);
    } catch (error) {
      // another process was faster: it built the same
      if (!existsSync(join(target, 'index.html'))) throw error;
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  tidy(cache);
  return target;
}

function build(outDir: string): Promise<void> {
  const worker = new Worker(new URL('./build-worker.ts', import.meta.url), { workerData: { web: WEB, outDir }, stderr: false });
  return new Promise((resolve, reject) => {
    worker.once('message', (failure: string | undefined) =>
      failure === undefined ? resolve() : reject(new Error(`the console could not be built: ${failure}`)),
    );
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`the console's build ended with ${code}`)));
  });
}

/** Changes with every source file, every library's version, and with how it is built. */
function keyOf(): string {
  const hash = createHash('sha256');
  const files = readdirSync(WEB, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  for (const file of [...files, join(ROOT, 'package-lock.json'), join(import.meta.dirname, 'build-worker.ts')]) {
    hash.update(relative(ROOT, file)).update('\0').update(readFileSync(file)).update('\0');
  }
  return hash.digest('hex').slice(0, 16);
}

function writable(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true });
    const probe = join(folder, `.probe-${process.pid}`);
    mkdirSync(probe, { recursive: true });
    rmSync(probe, { recursive: true });
    return true;
  } catch {
    return false;
  }
}

function tidy(cache: string): void {
  const builds = readdirSync(cache, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && /^[0-9a-f]{16}$/.test(entry.name))
    .map((entry) => join(cache, entry.name));
  const newestFirst = builds.map((path) => ({ path, atMs: statSync(path).mtimeMs })).sort((a, b) => b.atMs - a.atMs);
  for (const { path } of newestFirst.slice(KEPT)) rmSync(path, { recursive: true, force: true });
}
