import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { run } from '../process/run.ts';
import { hostileImages, iso, luks, mbr, qcow2, soundImages, streamOptimized, vhdx, vmdk } from './corpus.fixture.ts';
import { ImageInspector, type ImageFacts, inspectBytes, inspectFile } from './inspector.ts';
import { judge } from './judge.ts';

const CANARY = '/etc/hostname';
const MIB = 1024 * 1024;
let dir = '';
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'cairn-inspector-'));
});
after(() => rm(dir, { recursive: true, force: true }));

/** A small deterministic generator (mulberry32), so that a failing seed replays. */
export const chance = (seed: number) => {
  let state = seed >>> 0;
  return (below: number): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
};

const streamed = (bytes: Buffer, sizes: () => number): ImageFacts => {
  const inspector = new ImageInspector();
  for (let at = 0; at < bytes.length; ) {
    const size = Math.max(1, sizes());
    const chunk = Buffer.from(bytes.subarray(at, at + size));
    inspector.write(chunk);
    // The inspector may not hold on to the buffer.
    chunk.fill(0xee);
    at += size;
  }
  return inspector.end();
};

test('sound images are what they were declared to be', () => {
  for (const sample of soundImages()) {
    const verdict = judge(sample.declared, inspectBytes(sample.bytes));
    assert.ok(verdict.ok, `${sample.name}: ${verdict.ok ? '' : verdict.reason}`);
  }
});

test('every hostile image is refused, for its own reason', () => {
  const samples = hostileImages(CANARY);
  assert.ok(samples.filter((s) => s.declared === 'vmdk' && s.bytes.includes(CANARY)).length >= 12);
  for (const sample of samples) {
    const verdict = judge(sample.declared, inspectBytes(sample.bytes));
    assert.ok(!verdict.ok, `${sample.name} was let through`);
    assert.ok(
      [verdict.refused, ...verdict.findings].includes(sample.expect as never),
      `${sample.name}: refused as ${verdict.refused} ${verdict.findings.join(',')}, not ${sample.expect}`,
    );
    assert.ok(!verdict.reason.includes(CANARY), `${sample.name}: the reason repeats what the image says`);
  }
});

test('no hostile image is safe under any declaration that would open it as its own format', () => {
  for (const sample of hostileImages(CANARY)) {
    const facts = inspectBytes(sample.bytes);
    for (const declared of ['raw', 'qcow2', 'vmdk', 'vdi', 'vhd', 'vhdx', 'iso', 'ami', 'aki', 'qed', 'gpt', 'luks', 'ploop', 'x']) {
      for (const stage of ['use', 'upload'] as const) {
        const verdict = judge(declared, facts, { stage });
        if (!verdict.ok || verdict.driver === 'raw') continue;
        // Only what is hostile by a false declaration may be opened by its right one.
        assert.ok(['mismatch', 'unsupported'].includes(sample.expect), `${sample.name} opens as ${verdict.driver}`);
        assert.equal(facts.findings.length, 0);
      }
    }
  }
});

test('a stream in any pieces gives the same answer as the whole, and as the file', async () => {
  const seed = Date.now() % 2 ** 32;
  const below = chance(seed);
  const samples = [...soundImages(), ...hostileImages(CANARY)];
  for (const [i, sample] of samples.entries()) {
    const whole = inspectBytes(sample.bytes);
    for (const bound of [700, 65536, 3 * MIB]) {
      assert.deepEqual(
        streamed(sample.bytes, () => 1 + below(bound)),
        whole,
        `${sample.name}, pieces of up to ${bound}, seed ${seed}`,
      );
    }
    const path = join(dir, `same-${i}`);
    await writeFile(path, sample.bytes);
    assert.deepEqual(await inspectFile(path), whole, `${sample.name} from a file`);
    await rm(path);
  }
});

test('damaged images neither throw nor take long, nor get different answers from stream and file', async () => {
  const seed = Date.now() % 2 ** 32;
  const below = chance(seed);
  const samples = [...soundImages(), ...hostileImages(CANARY)].filter((s) => s.bytes.length > 0);
  const interesting = [0, 1, 0x7f, 0x80, 0xff];
  const path = join(dir, 'fuzz');
  for (let round = 0; round < 600; round++) {
    const sample = samples[below(samples.length)] as (typeof samples)[number];
    let bytes = Buffer.from(sample.bytes);
    for (let edits = below(12); edits >= 0; edits--) {
      const at = below(4) === 0 ? below(bytes.length) : below(Math.min(bytes.length, 600));
      switch (below(5)) {
        case 0:
          bytes[at] = below(256);
          break;
        case 1:
          bytes.fill(interesting[below(interesting.length)] ?? 0, at, Math.min(bytes.length, at + 1 + below(9)));
          break;
        case 2:
          bytes = bytes.subarray(0, 1 + below(bytes.length));
          break;
        case 3: {
          const other = samples[below(samples.length)] as (typeof samples)[number];
          other.bytes.copy(bytes, at, 0, 1 + below(1024));
          break;
        }
        default:
          bytes[at] = (bytes[at] ?? 0) ^ (1 << below(8));
      }
    }
    const started = performance.now();
    const whole = inspectBytes(bytes);
    for (const declared of ['raw', 'qcow2', 'vmdk', 'iso']) judge(declared, whole);
    const context = `${sample.name}, round ${round}, seed ${seed}`;
    assert.ok(performance.now() - started < 20_000, `slow: ${context}`);
    assert.ok(Number.isSafeInteger(whole.virtualSizeBytes) && whole.virtualSizeBytes >= 0, context);
    if (round % 4 !== 0) continue;
    assert.deepEqual(
      streamed(bytes, () => 1 + below(300_000)),
      whole,
      context,
    );
    await writeFile(path, bytes);
    assert.deepEqual(await inspectFile(path), whole, context);
  }
});

test('text that is nearly a VMDK descriptor takes no time', () => {
  for (const bytes of [Buffer.alloc(MIB, '\n'), Buffer.alloc(MIB, '# \n'), Buffer.alloc(MIB, 'createtype='), Buffer.alloc(MIB, ' ')]) {
    const started = performance.now();
    inspectBytes(bytes);
    assert.ok(performance.now() - started < 20_000);
  }
});

test('memory stays small while a large image passes', () => {
  const inspector = new ImageInspector();
  const chunk = Buffer.alloc(MIB, 7);
  const before = process.memoryUsage();
  for (let i = 0; i < 512; i++) inspector.write(chunk);
  const facts = inspector.end();
  assert.equal(facts.sizeBytes, 512 * MIB);
  assert.equal(facts.format, 'raw');
  assert.ok(process.memoryUsage().arrayBuffers - before.arrayBuffers < 64 * MIB);
});

test('an ISO with a partition table is an ISO; with anything else it is nothing', () => {
  const hybrid = soundImages().find((s) => s.name === 'hybrid iso');
  assert.ok(hybrid);
  const facts = inspectBytes(hybrid.bytes);
  assert.equal(facts.format, 'iso');
  assert.deepEqual(facts.matches.map((m) => m.format).toSorted(), ['gpt', 'iso']);
  assert.equal(judge('raw', facts).ok, false);
});

test("glance's rules differ from nova's where upstream's do", () => {
  const upload = (declared: string, bytes: Buffer) => judge(declared, inspectBytes(bytes), { stage: 'upload' });
  const asRaw = upload('raw', qcow2({ sizeBytes: 1n << 33n, l1Entries: 16 }));
  // Declared raw it is only ever opened as raw: its virtual size is its length.
  assert.ok(asRaw.ok && asRaw.driver === 'raw' && asRaw.virtualSizeBytes === qcow2().length);
  assert.equal(upload('raw', qcow2({ backing: CANARY })).ok, false);
  assert.equal(upload('raw', iso()).ok, true);
  assert.equal(upload('qcow2', Buffer.alloc(MIB)).ok, false);
  assert.equal(upload('ploop', Buffer.alloc(MIB)).ok, true);
  assert.equal(upload('ami', mbr()).ok, false);
  assert.equal(upload('luks', luks()).ok, true);
  assert.equal(upload('luks', luks({ version: 2 })).ok, false);
  const isoFacts = upload('iso', iso());
  assert.ok(isoFacts.ok && isoFacts.virtualSizeBytes === 20 * 2048);
  assert.equal(judge('ami', inspectBytes(mbr())).ok, true);
  assert.equal(judge('ami', inspectBytes(qcow2())).ok, false);
  const strange = mbr([{ type: 0x83, boot: 0x41 }]);
  assert.equal(judge('raw', inspectBytes(strange)).ok, false);
  assert.equal(judge('raw', inspectBytes(strange), { anyMbr: true }).ok, true);
});

test('a FAT boot sector is no partition table', () => {
  const fat = mbr([]);
  fat[0x10] = 2;
  fat[0x15] = 0xf8;
  assert.equal(inspectBytes(fat).format, 'raw');
});

const hasQemuImg = await run('qemu-img', ['--version']).then(
  () => true,
  () => false,
);

test('what qemu-img writes is recognized, with its size', { skip: !hasQemuImg && 'qemu-img is not installed' }, async () => {
  const sizeBytes = 37 * MIB;
  for (const [format, declared, ...options] of [
    ['qcow2', 'qcow2', 'compat=0.10'],
    ['qcow2', 'qcow2', 'compat=1.1,cluster_size=4k'],
    ['qcow2', 'qcow2', 'compression_type=zstd'],
    ['vmdk', 'vmdk', 'subformat=monolithicSparse'],
    ['vdi', 'vdi'],
    ['vhdx', 'vhdx'],
    ['vhdx', 'vhdx', 'log_size=33554432'],
    ['vpc', 'vhd', 'force_size=on'],
    ['raw', 'raw'],
  ] as const) {
    const path = join(dir, `made.${format}`);
    await run('qemu-img', ['create', '-q', '-f', format, ...options.flatMap((o) => ['-o', o]), path, String(sizeBytes)]);
    const verdict = judge(declared, await inspectFile(path));
    assert.ok(verdict.ok, `${format} ${options.join()}: ${verdict.ok ? '' : verdict.reason}`);
    assert.equal(verdict.virtualSizeBytes, sizeBytes, `${format} ${options.join()}`);
    await rm(path);
  }
  const raw = join(dir, 'content.raw');
  await writeFile(raw, Buffer.alloc(3 * MIB, 'content'));
  const stream = join(dir, 'stream.vmdk');
  await run('qemu-img', ['convert', '-f', 'raw', '-O', 'vmdk', '-o', 'subformat=streamOptimized', raw, stream]);
  const verdict = judge('vmdk', await inspectFile(stream));
  assert.ok(verdict.ok && verdict.virtualSizeBytes === 3 * MIB, verdict.ok ? '' : verdict.reason);
  for (const type of ['monolithicFlat', 'twoGbMaxExtentSparse', 'twoGbMaxExtentFlat']) {
    const path = join(dir, `${type}.vmdk`);
    await run('qemu-img', ['create', '-q', '-f', 'vmdk', '-o', `subformat=${type}`, path, String(sizeBytes)]);
    assert.equal(judge('vmdk', await inspectFile(path)).ok, false, type);
  }
  const backed = join(dir, 'backed.qcow2');
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', raw, backed]);
  assert.equal(judge('qcow2', await inspectFile(backed)).ok, false);
  const data = join(dir, 'data.qcow2');
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-o', `data_file=${join(dir, 'data.raw')}`, data, '1M']);
  assert.equal(judge('qcow2', await inspectFile(data)).ok, false);
});

test('qemu-img finds nothing outside of a damaged image that was let through', { skip: !hasQemuImg && 'qemu-img is not installed' }, async () => {
  const seed = Date.now() % 2 ** 32;
  const below = chance(seed);
  const path = join(dir, 'oracle');
  const makers: readonly (readonly [string, () => Buffer])[] = [
    ['qcow2', () => qcow2()],
    ['vmdk', () => vmdk()],
    ['vmdk', () => streamOptimized()],
    ['vhdx', () => vhdx()],
  ];
  let asked = 0;
  for (let round = 0; round < 400 && asked < 60; round++) {
    const [format, make] = makers[below(makers.length)] as (typeof makers)[number];
    const bytes = make();
    for (let edits = below(3); edits >= 0; edits--) bytes[below(1200)] = below(256);
    if (!judge(format, inspectBytes(bytes)).ok) continue;
    asked++;
    await writeFile(path, bytes);
    const info = await run('qemu-img', ['info', '--output=json', '-f', format, path], { limits: { cpuSeconds: 10, memoryBytes: 2 ** 31 } }).catch(
      () => undefined,
    );
    if (!info) continue;
    const facts = JSON.parse(info.stdout) as Record<string, unknown>;
    const context = `round ${round}, seed ${seed}: ${info.stdout}`;
    assert.equal(facts['backing-filename'], undefined, context);
    assert.ok(!info.stdout.includes('data-file"'), context);
    if (format === 'vmdk') assert.match(info.stdout, /"create-type": "(monolithicSparse|streamOptimized)"/i, context);
  }
  assert.ok(asked > 10);
});
