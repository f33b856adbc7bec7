import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { TestNamespace, traces } from '../support/netns.ts';

// What a new user does, with real guests: the acceptance script of the field guide beside the project, run in a namespace of this test.
const root = join(import.meta.dirname, '..', '..');
const cairn = join(root, 'cairn');
const acceptance = [join(root, '..', 'shared', 'acceptance', 'first-server'), join(root, 'test', 'acceptance', 'first-server')].find((p) => existsSync(p));
const hasClient = existsSync('/usr/bin/openstack') || existsSync('/usr/local/bin/openstack');
const skip = !acceptance
  ? 'the acceptance script is not beside the project'
  : !hasClient
    ? 'the openstack client is not installed (package python3-openstackclient)'
    : false;

const name = `cairntest${process.pid}`;
// guests run as users of their own, who must be able to reach their disks
const data = mkdtempSync('/var/tmp/cairn-test-');
chmodSync(data, 0o711);
let before0: string[] = [];
let namespace: TestNamespace;

/** The credentials of the cloud as environment. */
function credentials(): NodeJS.ProcessEnv {
  const lines = readFileSync(join(data, 'openrc'), 'utf8').matchAll(/^export (\w+)='(.*)'$/gm);
  return { ...process.env, ...Object.fromEntries([...lines].map((m) => [m[1], m[2]])) };
}

const run = (args: readonly string[], timeoutMs = 300_000) => namespace.run(cairn, [...args, '--data', data], { timeoutMs });

before(() => {
  if (skip) return;
  before0 = traces();
  namespace = new TestNamespace(name);
});
after(async () => {
  if (skip) return;
  await run(['down', '--destroy']);
  namespace.remove();
  rmSync(data, { recursive: true, force: true });
});

test('one command brings a cloud up', { skip, timeout: 900_000 }, async () => {
  const { code, output } = await run(['up', '--yes'], 900_000);
  assert.equal(code, 0, output);
  assert.match(output, /The cloud is up/);
  const status = JSON.parse(namespace.sync(cairn, ['status', '--json', '--data', data]));
  assert.equal(status.running, true);
  assert.deepEqual(
    status.endpoints.map((e: { type: string }) => e.type).sort(),
    ['block-storage', 'compute', 'identity', 'image', 'network', 'placement'].sort(),
  );
});

test('a second up finds what is there', { skip }, async () => {
  const { code, output } = await run(['up', '--yes']);
  assert.equal(code, 0, output);
  assert.match(output, /runs already/);
});

for (const round of [1, 2]) {
  test(`the acceptance script passes, round ${round}`, { skip, timeout: 900_000 }, async () => {
    const { code, output } = await namespace.run(acceptance as string, [], { env: credentials(), timeoutMs: 900_000 });
    assert.equal(code, 0, output);
    assert.match(output, /^PASS/m);
  });
}

test('the acceptance script passes after kill -9 of the cloud and another up', { skip, timeout: 900_000 }, async () => {
  const { pid } = JSON.parse(namespace.sync(cairn, ['status', '--json', '--data', data]));
  process.kill(pid, 'SIGKILL');
  const up = await run(['up', '--yes']);
  assert.equal(up.code, 0, up.output);
  const { code, output } = await namespace.run(acceptance as string, [], { env: credentials(), timeoutMs: 900_000 });
  assert.equal(code, 0, output);
});

test('down --destroy leaves no trace', { skip, timeout: 300_000 }, async () => {
  const { code, output } = await run(['down', '--destroy']);
  assert.equal(code, 0, output);
  assert.equal(existsSync(data), false);
  // what went away meanwhile is not this cloud's to answer for
  assert.deepEqual(
    traces().filter((t) => !t.includes(name) && !before0.includes(t)),
    [],
  );
});
