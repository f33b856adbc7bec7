import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { confine, netnsPath } from './command.ts';
import { ProcessError, run } from './run.ts';

const failure = async (promise: Promise<unknown>): Promise<ProcessError> => {
  const error = await promise.then(
    () => undefined,
    (e: unknown) => e,
  );
  assert.ok(error instanceof ProcessError, `expected a ProcessError, got ${String(error)}`);
  return error;
};

test('arguments arrive as they are, whatever a shell would make of them', async () => {
  const hostile = ['$(id)', '; rm -rf /', '`x`', 'a b', "'", '"', '--', '\\', 'é\n'];
  const { stdout } = await run('printf', ['%s\\0', ...hostile]);
  assert.deepEqual(stdout.split('\0').slice(0, -1), hostile);
});

test('input is fed, output and errors come back', async () => {
  const { stdout } = await run('cat', [], { input: 'hello' });
  assert.equal(stdout, 'hello');
  const error = await failure(run('ls', ['/nowhere-at-all']));
  assert.equal(error.reason, 'exit');
  assert.equal(error.code, 2);
  assert.match(error.stderr, /No such file/);
});

test('without input stdin is empty', async () => {
  assert.equal((await run('cat', [])).stdout, '');
});

test('a code that is listed is no failure', async () => {
  assert.equal((await run('false', [], { okCodes: [1] })).code, 1);
  await assert.rejects(run('false', []));
});

test('what takes too long is killed with all its children', async () => {
  const started = Date.now();
  const error = await failure(run('sh', ['-c', 'sleep 30 & echo $!; wait'], { timeoutMs: 100 }));
  assert.equal(error.reason, 'timeout');
  assert.ok(Date.now() - started < 5000);
  const pid = Number(error.stdout.trim());
  assert.ok(pid > 1);
  for (let i = 0; i < 100; i++) {
    // Gone, or dead and not yet collected by init.
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    if (stat === '' || / Z /.test(stat)) return;
    await new Promise((r) => setTimeout(r, 10));
  }
  assert.fail('the child of the killed process lives');
});

test('what says too much is killed', async () => {
  const error = await failure(run('yes', [], { maxOutputBytes: 10_000, timeoutMs: 10_000 }));
  assert.equal(error.reason, 'output');
  assert.ok(error.stdout.length <= 10_000);
});

test('an abort kills', async () => {
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 30);
  assert.equal((await failure(run('sleep', ['30'], { signal: abort.signal }))).reason, 'aborted');
});

test('a program that does not exist is a spawn error', async () => {
  assert.equal((await failure(run('no-such-program-at-all', []))).reason, 'spawn');
});

test('the environment is clean', async () => {
  process.env.CAIRN_SECRET_FOR_TEST = 'x';
  const { stdout } = await run('env', [], { env: { A: '1' } });
  delete process.env.CAIRN_SECRET_FOR_TEST;
  assert.deepEqual(
    stdout
      .split('\n')
      .map((l) => l.split('=')[0])
      .filter(Boolean)
      .toSorted(),
    ['A', 'LC_ALL', 'PATH'],
  );
});

test('limits hold', async () => {
  const { stdout } = await run('sh', ['-c', 'ulimit -v; ulimit -t; ulimit -c'], { limits: { cpuSeconds: 7, memoryBytes: 512 * 1024 * 1024 } });
  assert.deepEqual(stdout.trim().split('\n'), ['524288', '7', '0']);
  const error = await failure(run('sh', ['-c', 'while :; do :; done'], { limits: { cpuSeconds: 1 }, timeoutMs: 20_000 }));
  assert.equal(error.signal, 'SIGXCPU');
});

test('a confined process has neither root nor capabilities nor a way back', { skip: process.getuid?.() !== 0 && 'needs root' }, async () => {
  const { stdout } = await run('grep', ['-E', '^(Uid|Gid|Groups|CapEff|CapBnd|NoNewPrivs):', '/proc/self/status'], {
    user: { uid: 65534, gid: 65534 },
    dieWithParent: true,
  });
  const facts = Object.fromEntries(
    stdout
      .trim()
      .split('\n')
      .map((l) => l.split(/:\s*/) as [string, string]),
  );
  assert.match(facts.Uid ?? '', /^65534\s+65534\s+65534\s+65534$/);
  assert.match(facts.Gid ?? '', /^65534\s+65534\s+65534\s+65534$/);
  assert.equal(facts.Groups?.trim(), '');
  assert.match(facts.CapEff ?? '', /^0+$/);
  assert.match(facts.CapBnd ?? '', /^0+$/);
  assert.equal(facts.NoNewPrivs, '1');
});

test('wrappers come in the order in which each still has the rights it needs', () => {
  assert.deepEqual(confine('q', ['-a', '--', 'b'], { netns: 'x1', limits: { cpuSeconds: 3, openFiles: 9 }, user: { uid: 1, gid: 2 } }), [
    'nsenter',
    '--net=/run/netns/x1',
    '--',
    'prlimit',
    '--cpu=3:4',
    '--nofile=9',
    '--core=0',
    '--',
    'setpriv',
    '--reuid=1',
    '--regid=2',
    '--clear-groups',
    '--no-new-privs',
    '--bounding-set=-all',
    '--inh-caps=-all',
    '--',
    'q',
    '-a',
    '--',
    'b',
  ]);
  assert.deepEqual(confine('q', []), ['q']);
});

test('a namespace name cannot lead elsewhere', () => {
  for (const bad of ['../x', 'a/b', '', '-x', 'a b', 'a\n']) assert.throws(() => netnsPath(bad));
  assert.equal(netnsPath('qrouter-1'), '/run/netns/qrouter-1');
  assert.equal(netnsPath('/proc/7/ns/net'), '/proc/7/ns/net');
});
