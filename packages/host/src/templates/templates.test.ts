import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestNetwork } from '../hypervisor/qemu.fixture.ts';
import { noTemplates, TemplateHost } from './templates.fixture.ts';

const skip = await noTemplates();

test('guests start from a template, each with an identity and random numbers of its own', { skip, timeout: 900_000 }, async (t) => {
  const network = await TestNetwork.make(t);
  const host = await TemplateHost.make(t, network.netns);
  const took: string[] = [];
  const timed = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    const before = performance.now();
    const result = await work();
    took.push(`${what} ${(performance.now() - before).toFixed(0)} ms`);
    return result;
  };
  t.after(() => t.diagnostic(took.join('; ')));

  const [first, again] = await timed('template', () => Promise.all([host.prepared(), host.prepared()]));
  assert.deepEqual(first, again);
  assert.deepEqual(await host.guests.list(), []);
  const [info] = await host.templates.list();
  assert.equal(info?.state, 'ready');
  took.push(`template takes ${((info?.usedBytes ?? 0) / 2 ** 20).toFixed(0)} MiB`);

  const specs = await Promise.all(['one', 'two'].map(async (name) => host.guest(name, first.disk, [await network.nic()])));
  for (const spec of specs) {
    const started = await timed('start', () => host.guests.start(spec, { templateId: first.templateId }));
    assert.deepEqual([started.state, started.fastStart], ['running', { used: true }]);
    await timed('itself', () => host.says(spec.guestId, new RegExp(`=== ${spec.name}: instance ${spec.guestId}, data from: config drive`)));
  }
  const seen: Record<string, Set<string>> = {};
  for (const spec of specs) {
    const said = await host.shell(
      spec.guestId,
      'echo "hostname=$(hostname)"; echo "machine=$(cat /etc/machine-id)"; echo "random=$(head -c 32 /dev/urandom | md5sum)"; echo "boot=$(cat /proc/sys/kernel/random/boot_id)"; echo "mac=$(cat /sys/class/net/eth0/address)"; echo "log=$(cat /run/fast-start.log)"; sudo dropbearkey -t ed25519 -f /run/k >/dev/null; echo "key=$(sudo dropbearkey -y -f /run/k | grep ssh-ed)"; echo "clock=$(date +%s)"; df -m / | awk \'END { print "root=" $2 }\'',
    );
    const facts = Object.fromEntries(said.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
    assert.equal(facts['hostname'], spec.name, said);
    assert.equal(facts['mac'], spec.nics[0]?.mac);
    assert.match(facts['machine'] ?? '', /^[0-9a-f]{32}$/);
    assert.match(facts['key'] ?? '', /^ssh-ed25519 /);
    assert.ok(Number(facts['root']) > 900, said);
    assert.ok(Math.abs(Number(facts['clock']) - Date.now() / 1000) < 120, said);
    for (const key of ['machine', 'random', 'boot', 'key']) (seen[key] ??= new Set()).add(facts[key] ?? '');
  }
  for (const [key, values] of Object.entries(seen)) assert.equal(values.size, 2, `${key} is the same in both`);
  took.push(`PSS ${(await Promise.all(specs.map((spec) => host.pssMb(spec.guestId)))).map((mb) => mb.toFixed(0)).join(', ')} MiB`);
});
