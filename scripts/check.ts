/**
 * Everything that CI runs, part by part: `./cairn test [PART ...]`, `./cairn test --list`. Each part's output goes by as it runs;
 * the closing lines say what passed, with seconds. Exit code 1 when a part failed.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { browserPackages, kernelGuestPackages, testPackages } from './test-packages.ts';

interface Part {
  readonly name: string;
  readonly what: string;
  readonly command: readonly string[];
  /** Why it cannot run here; it then counts as failed unless `optional`. */
  readonly blocked?: () => string | undefined;
  /** What it needs besides; returns variables for the command. */
  readonly prepare?: (say: (line: string) => void) => Promise<Record<string, string>>;
}

const root = join(import.meta.dirname, '..');
const bin = (name: string): string => join(root, 'node_modules', '.bin', name);
const node = process.execPath;
const limitMs = Number(process.env.CAIRN_TEST_LIMIT_MINUTES ?? 80) * 60_000;

const unitTests = [...tests(join(root, 'packages'))];
const cloudTests = [...tests(join(root, 'test'))].filter((t) => !/^test.(guests|console)/.test(t));
const consoleTests = [...tests(join(root, 'test', 'console'))];
const guestTests = [...tests(join(root, 'test', 'guests'))];
const runner = (files: readonly string[], concurrency: number, timeoutMs: number): readonly string[] => [
  node,
  '--test',
  `--test-concurrency=${concurrency}`,
  `--test-timeout=${timeoutMs}`,
  '--test-reporter=spec',
  ...files,
];
const needsRoot = (): string | undefined => (process.getuid?.() === 0 ? undefined : 'it needs root');

const PARTS: readonly Part[] = [
  { name: 'types', what: 'type check', command: [node, join(root, 'scripts', 'types.ts')] },
  { name: 'lint', what: 'lint', command: [bin('oxlint'), '--deny-warnings', '--report-unused-disable-directives'] },
  { name: 'format', what: 'format', command: [bin('biome'), 'format', '--max-diagnostics=20'] },
  { name: 'arrows', what: 'imports run down only', command: [node, join(root, 'scripts', 'arrows.ts')] },
  { name: 'dead', what: 'dead code', command: [bin('knip'), '--no-progress'] },
  {
    name: 'unit',
    what: 'unit tests, the store suite on both databases, the saga suite, the host suite',
    command: runner(unitTests, 2, 300_000),
    prepare: testPackages,
  },
  { name: 'cloud', what: 'whole clouds over HTTP on simulated hosts', command: runner(cloudTests, 1, 600_000) },
  { name: 'console', what: 'the console in Chromium, on a cloud with simulated hosts', command: runner(consoleTests, 1, 600_000), prepare: browserPackages },
  {
    name: 'guests',
    what: 'a whole cloud with real guests, in a network namespace of its own; what needs another kernel, in a guest that has it',
    command: runner(guestTests, 1, 1_800_000),
    blocked: needsRoot,
    prepare: kernelGuestPackages,
  },
];

const args = process.argv.slice(2);
if (args.includes('--list')) {
  for (const part of PARTS) process.stdout.write(`${part.name.padEnd(10)} ${part.what}\n`);
  process.exit(0);
}
for (const name of args) {
  if (!PARTS.some((p) => p.name === name)) {
    process.stderr.write(`there is no part ${name}; the parts are: ${PARTS.map((p) => p.name).join(', ')}\n`);
    process.exit(2);
  }
}

// after an update the packages may be others: the command installs them, as for everything else
if (!sameFile(join(root, 'package-lock.json'), join(root, 'node_modules', '.cairn-installed')))
  spawnSync(join(root, 'cairn'), ['help'], { stdio: ['ignore', 'ignore', 'inherit'] });

const results: { name: string; outcome: string; seconds: number; counts: string }[] = [];
const startedMs = Date.now();
for (const part of args.length > 0 ? PARTS.filter((p) => args.includes(p.name)) : PARTS) {
  const reason = part.blocked?.();
  process.stdout.write(`\n== ${part.name}: ${part.what}\n`);
  const from = Date.now();
  if (reason !== undefined) {
    process.stdout.write(`cannot run: ${reason}\n`);
    results.push({ name: part.name, outcome: `CANNOT RUN: ${reason}`, seconds: 0, counts: '' });
    continue;
  }
  const variables = (await part.prepare?.((line) => process.stdout.write(`${line}\n`))) ?? {};
  const { code, output } = await run(part.command, limitMs - (Date.now() - startedMs), variables);
  results.push({ name: part.name, outcome: code === 0 ? 'pass' : `FAIL (exit code ${code})`, seconds: (Date.now() - from) / 1000, counts: countsOf(output) });
}

process.stdout.write('\n');
for (const r of results) process.stdout.write(`${r.name.padEnd(10)} ${r.outcome.padEnd(10)} ${r.seconds.toFixed(1).padStart(7)} s  ${r.counts}\n`);
const failed = results.filter((r) => r.outcome !== 'pass');
process.stdout.write(
  `${failed.length === 0 ? 'PASS' : 'FAIL'}: ${results.length - failed.length} of ${results.length} parts in ${((Date.now() - startedMs) / 1000).toFixed(0)} s\n`,
);
process.exit(failed.length === 0 ? 0 : 1);

function run(command: readonly string[], leftMs: number, variables: Readonly<Record<string, string>>): Promise<{ code: number; output: string }> {
  const [program, ...rest] = command as [string, ...string[]];
  return new Promise((resolve) => {
    const child = spawn(program, rest, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...variables, PATH: `${join(root, 'node_modules', '.bin')}:${process.env.PATH ?? ''}` },
    });
    let output = '';
    const timer = setTimeout(() => child.kill('SIGTERM'), Math.max(1_000, leftMs));
    child.stdout.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-20_000);
      process.stdout.write(chunk);
    });
    child.once('error', (error) => resolve({ code: 127, output: String(error) }));
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? 1, output });
    });
  });
}

function sameFile(a: string, b: string): boolean {
  return existsSync(a) && existsSync(b) && readFileSync(a).equals(readFileSync(b));
}

/** `123 passed, 0 failed, 0 skipped` of node's test runner. */
function countsOf(output: string): string {
  const count = (word: string): string | undefined => new RegExp(`^ℹ ${word} (\\d+)$`, 'm').exec(output)?.[1];
  const passed = count('pass');
  return passed === undefined ? '' : `${passed} passed, ${count('fail')} failed, ${count('skipped')} skipped`;
}

function* tests(folder: string): Generator<string> {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === 'node_modules') continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* tests(path);
    else if (entry.name.endsWith('.test.ts')) yield relative(root, path);
  }
}
