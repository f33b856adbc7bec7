import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { run } from '@cairn/host/process/run';
import { systemClock } from '@cairn/kit/clock/clock';
import type { CinderDeps } from '../app/deps.ts';
import { type BackupOptions, defaultCinderOptions, type ObjectBackupOptions, type SwiftBackupOptions } from '../options.ts';
import { Swift, SWIFT_KEY, SWIFT_USER, swiftMissing } from '../testing/swift.ts';
import type { BackupDriver, BackupRef, BackupWrite } from './driver.ts';
import { BackupDrivers } from './drivers.ts';
import { objectStorageProblem } from './objects/check.ts';

const BLOCK = 65_536;
const VOLUME = 'c0000000-0000-4000-8000-000000000001';
const account = { userId: 'u', projectId: 'p' };
const signal = new AbortController().signal;
const hasQemuImg = await run('qemu-img', ['--version']).then(
  () => true,
  () => false,
);
const noSwift = swiftMissing();

const small: ObjectBackupOptions = {
  container: 'volumebackups',
  createContainers: true,
  objectBytes: 4 * 2 ** 20,
  blockBytes: 32_768,
  compression: 'zlib',
  attempts: 3,
  backoffMs: 20,
  timeoutMs: 60_000,
  ca: undefined,
};
const swiftOptions = (swift: Swift, more: Partial<ObjectBackupOptions> = {}): SwiftBackupOptions => ({
  ...small,
  ...more,
  driver: 'swift',
  storagePolicy: undefined,
  auth: {
    ...{ mode: 'single_user', version: '1', authUrl: swift.authUrl, user: SWIFT_USER, key: SWIFT_KEY, url: undefined },
    ...{ project: '', userDomain: '', projectDomain: '', region: '' },
  },
});
const s3Options = (swift: Swift, more: Partial<ObjectBackupOptions & { url: string; secretKey: string }> = {}): BackupOptions => ({
  ...{ ...small, driver: 's3', url: swift.url, accessKey: SWIFT_USER, secretKey: SWIFT_KEY, region: 'us-east-1' },
  ...more,
});
const driverOf = (backups: BackupOptions, backupsDir?: string): BackupDriver =>
  new BackupDrivers({ env: { clock: systemClock }, options: { ...defaultCinderOptions, backups, backupsDir } } as unknown as CinderDeps).forNew();

let swift: Swift | undefined;
let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cairn-drivers-'));
  if (noSwift === undefined) swift = await Swift.start();
});
after(async () => {
  await swift?.stop();
  await rm(directory, { recursive: true, force: true });
});

const newRef = (driver: BackupDriver, container: string | null = null): BackupRef => {
  const id = crypto.randomUUID();
  return { id, account, ...driver.placeFor({ id, volumeId: VOLUME, container, nowMs: Date.now() }) };
};
const askFor = (sizeBytes: number, more: Partial<BackupWrite> = {}): BackupWrite => ({
  ...{ volumeId: VOLUME, sizeBytes, name: 'náme "sha256s": [', description: null, createdAtMs: Date.now(), parentId: null, signal },
  facts: { name: 'vol', bootable: true, typeId: null, metadata: { a: 'b' }, imageMetadata: { os: 'linux' } },
  ...more,
});
const odd = (data: Buffer): Readable =>
  Readable.from(
    (function* () {
      for (let at = 0; at < data.length; at += 100_001) yield data.subarray(at, at + 100_001);
    })(),
  );
const digest = (data: Buffer): string => createHash('sha256').update(data).digest('hex');
/** The backup as qemu-img reads it. */
async function restored(driver: BackupDriver, chain: readonly BackupRef[], sizeBytes: number): Promise<Buffer> {
  const name = join(directory, crypto.randomUUID());
  await writeFile(`${name}.qcow2`, await driver.read(chain, sizeBytes, signal));
  await run('qemu-img', ['check', '-q', '-f', 'qcow2', `${name}.qcow2`]);
  await run('qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', `${name}.qcow2`, `${name}.raw`]);
  return buffer(createReadStream(`${name}.raw`));
}

const ENGINES = [
  ['file', () => driverOf({ driver: 'file' }, join(directory, 'files')), false],
  ['swift', () => driverOf(swiftOptions(swift as Swift)), noSwift],
  ['swift with large blocks and zstd', () => driverOf(swiftOptions(swift as Swift, { blockBytes: 2 ** 18, compression: 'zstd' })), noSwift],
  ['s3', () => driverOf(s3Options(swift as Swift)), noSwift],
] as const;

for (const [name, make, missing] of ENGINES)
  describe(`backups by the driver ${name}`, { skip: hasQemuImg ? (missing ?? false) : 'qemu-img is not here' }, () => {
    let driver: BackupDriver;
    before(() => {
      driver = make();
    });

    test('come back bit for bit, over increments and growth, and go without a trace', async () => {
      const size = 21 * 2 ** 20;
      const data = Buffer.alloc(size);
      for (const at of [0, 5 * BLOCK + 17, 9 * 2 ** 20, size - 300_000]) randomBytes(200_000).copy(data, at);
      const full = newRef(driver);
      const progress: number[] = [];
      const written = await driver.write(full, odd(data), askFor(size, { onProgress: async (percent) => void progress.push(percent) }));
      assert.ok(written.objects > 0);
      assert.deepEqual([progress.at(-1), progress], [100, progress.toSorted((a, b) => a - b)]);
      const first = digest(data);

      randomBytes(1000).copy(data, 9 * 2 ** 20 + 5);
      data.fill(0, 0, 4 * BLOCK);
      const one = newRef(driver, driver.hasContainers ? 'another-container' : null);
      await driver.write(one, odd(data), askFor(size, { parent: full, parentId: full.id }));
      const second = digest(data);

      const larger = Buffer.concat([data, Buffer.alloc(6 * 2 ** 20)]);
      randomBytes(70_000).copy(larger, larger.length - 70_000);
      randomBytes(70_000).copy(larger, 2 * 2 ** 20);
      const two = newRef(driver);
      await driver.write(two, odd(larger), askFor(larger.length, { parent: one, parentId: one.id }));

      assert.equal(digest(await restored(driver, [full], size)), first);
      assert.equal(digest((await restored(driver, [full, one], larger.length)).subarray(0, size)), second);
      assert.equal(digest(await restored(driver, [full, one, two], larger.length)), digest(larger));

      const found = await driver.inspect(two, signal);
      assert.ok(found.objects > 0 && found.sizeBytes <= larger.length);
      if (driver.hasContainers) assert.deepEqual([found.facts?.name, found.facts?.metadata, found.facts?.imageMetadata], ['vol', { a: 'b' }, { os: 'linux' }]);
      for (const ref of [two, one, full]) {
        await driver.remove(ref, signal);
        await assert.rejects(driver.inspect(ref, signal));
        // again: there is nothing
        await driver.remove(ref, signal);
      }
    });

    test('a backup begun again has nothing of the first try', async () => {
      const ref = newRef(driver);
      const broken = Readable.from(
        (async function* () {
          yield randomBytes(9 * 2 ** 20);
          throw new Error('the host is gone');
        })(),
      );
      await assert.rejects(driver.write(ref, broken, askFor(16 * 2 ** 20)), /the host is gone/);
      await assert.rejects(driver.inspect(ref, signal));
      const data = randomBytes(2 ** 20);
      const { objects } = await driver.write(ref, Readable.from([data]), askFor(2 ** 20));
      assert.equal((await driver.inspect(ref, signal)).objects, objects);
      assert.equal(digest(await restored(driver, [ref], 2 ** 20)), digest(data));
      await driver.remove(ref, signal);
    });

    test('a container that cannot be is refused', () => {
      if (!driver.hasContainers) return;
      for (const container of ['..', 'a/b', 'x'.repeat(300)]) assert.throws(() => newRef(driver, container), /the container ".*" cannot be/);
    });
  });

describe('what objects of backups are held against', { skip: noSwift ?? false }, () => {
  test('a turned bit, a missing object and what is not the backup’s are found', async () => {
    const driver = driverOf(swiftOptions(swift as Swift, { compression: 'none' }));
    const ref = newRef(driver);
    const data = randomBytes(6 * 2 ** 20);
    await driver.write(ref, Readable.from([data]), askFor(data.length));
    const at = `/volumebackups/${ref.place}-00002`;
    data[5 * 2 ** 20] = (data[5 * 2 ** 20] as number) ^ 1;
    assert.equal(await swift?.raw('PUT', at, data.subarray(4 * 2 ** 20)), 201);
    await assert.rejects(buffer(await driver.read([ref], data.length, signal)), /a checksum does not match/);
    assert.equal(await swift?.raw('PUT', `${at.slice(0, -6)}-more`, Buffer.from('not a part of it')), 201);
    assert.equal(await swift?.raw('DELETE', at), 204);
    await assert.rejects(driver.inspect(ref, signal), /a checksum does not match/);
    await assert.rejects(buffer(await driver.read([ref], data.length, signal)), /a checksum does not match/);
    await driver.remove(ref, signal);
    assert.equal(await swift?.raw('DELETE', `${at.slice(0, -6)}-more`), 204, 'what only looks like a part stays');
  });

  test('a wrong key and a container that may not be made are told in words', async () => {
    const driver = driverOf(swiftOptions(swift as Swift));
    const ref = newRef(driver);
    await driver.write(ref, Readable.from([randomBytes(1000)]), askFor(BLOCK));
    const base = swiftOptions(swift as Swift);
    await assert.rejects(
      driverOf({ ...base, auth: { ...base.auth, key: 'x' } as typeof base.auth }).inspect(ref, signal),
      /does not know who Cairn is \(401\)/,
    );
    await assert.rejects(driverOf(s3Options(swift as Swift, { secretKey: 'x' })).inspect(ref, signal), /does not allow this \(403\)/);
    const none = driverOf(swiftOptions(swift as Swift, { createContainers: false, container: 'nowhere' }));
    await assert.rejects(none.write(newRef(none), Readable.from([]), askFor(BLOCK)), /no container "nowhere", and Cairn may not make it/);
    await driver.remove(ref, signal);
  });

  test('an increment with other blocks than the full backup is refused, with what to do', async () => {
    const driver = driverOf(swiftOptions(swift as Swift));
    const ref = newRef(driver);
    await driver.write(ref, Readable.from([randomBytes(1000)]), askFor(BLOCK));
    const other = driverOf(swiftOptions(swift as Swift, { blockBytes: 65_536 }));
    await assert.rejects(other.write(newRef(other), Readable.from([]), askFor(BLOCK, { parent: ref })), /Make a full backup/);
    await driver.remove(ref, signal);
  });

  test('doctor asks whether the storage answers', async () => {
    const base = swiftOptions(swift as Swift);
    const { url } = swift as Swift;
    assert.equal(await objectStorageProblem(base, systemClock, signal), undefined);
    assert.equal(await objectStorageProblem(s3Options(swift as Swift), systemClock, signal), undefined);
    const users = (where: string): BackupOptions => ({ ...base, auth: { mode: 'per_user', url: `${where}/v1/AUTH_`, region: 'r' } });
    assert.equal(await objectStorageProblem(users(url), systemClock, signal), undefined);
    assert.match((await objectStorageProblem(users('http://127.0.0.1:1'), systemClock, signal)) ?? '', /does not answer.*ECONNREFUSED/);
    assert.match((await objectStorageProblem(s3Options(swift as Swift, { secretKey: 'x' }), systemClock, signal)) ?? '', /403.*SignatureDoesNotMatch/);
  });

  /** A relay in front of Swift that fails now and then. */
  async function flaky(fail: (n: number) => 'hang up' | 401 | 503 | undefined): Promise<{ readonly url: string; readonly server: Server }> {
    let n = 0;
    const server = createServer(async (request, response) => {
      const what = fail((n += 1));
      if (what === 'hang up') return void request.socket.destroy();
      if (what !== undefined) return void response.writeHead(what).end('no');
      const body = await buffer(request);
      const { connection: _c, ...headers } = request.headers as Record<string, string>;
      const answer = await fetch(`${swift?.url}${request.url}`, {
        method: request.method ?? 'GET',
        headers: { ...headers, host: '' },
        ...(body.length > 0 && { body: new Uint8Array(body) }),
      }).catch(() => undefined);
      if (!answer) return void response.writeHead(502).end();
      const kept = [...answer.headers].filter(([key]) => !['connection', 'transfer-encoding', 'content-encoding'].includes(key));
      response.writeHead(answer.status, Object.fromEntries(kept)).end(Buffer.from(await answer.arrayBuffer()));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}`, server };
  }

  test('requests that fail are made again; a store that is gone is told of', async () => {
    const { url, server } = await flaky((n) => (n % 3 === 0 ? 'hang up' : n % 3 === 1 ? 503 : undefined));
    const through = (at: string): SwiftBackupOptions => {
      const base = swiftOptions(swift as Swift);
      return { ...base, auth: { ...base.auth, url: `${at}/v1/AUTH_test` } as typeof base.auth, attempts: 20 };
    };
    const driver = driverOf(through(url));
    const ref = newRef(driver);
    const data = randomBytes(5 * 2 ** 20);
    await driver.write(ref, Readable.from([data]), askFor(data.length));
    const image = await buffer(await driver.read([ref], data.length, signal));
    assert.ok(image.includes(data.subarray(BLOCK, BLOCK + 100)));
    await driver.remove(ref, signal);
    await new Promise((resolve) => server.close(resolve).closeAllConnections());
    await assert.rejects(driverOf({ ...through(url), attempts: 2 }).inspect(ref, signal), /does not answer/);
  });

  test('a token that is refused is replaced by a new one, once', async () => {
    let refuse = false;
    const { url, server } = await flaky(() => (refuse ? 401 : undefined));
    const base = swiftOptions(swift as Swift);
    const auth = { ...base.auth, authUrl: `${url}/auth/v1.0`, url: `${url}/v1/AUTH_test` } as typeof base.auth;
    const driver = driverOf({ ...base, auth });
    const ref = newRef(driver);
    await driver.write(ref, Readable.from([randomBytes(1000)]), askFor(BLOCK));
    refuse = true;
    await assert.rejects(driver.inspect(ref, signal), /401/);
    refuse = false;
    // the token is refused once: what is asked next is a new one
    let asked = 0;
    const { url: second, server: other } = await flaky(() => ((asked += 1) === 2 ? 401 : undefined));
    const again = driverOf({ ...base, auth: { ...auth, authUrl: `${second}/auth/v1.0`, url: `${second}/v1/AUTH_test` } as typeof auth });
    assert.equal((await again.inspect(ref, signal)).objects, 1);
    await again.remove(ref, signal);
    for (const one of [server, other]) await new Promise((resolve) => one.close(resolve).closeAllConnections());
  });
});
