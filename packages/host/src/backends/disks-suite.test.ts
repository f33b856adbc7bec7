import assert from 'node:assert/strict';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { systemClock } from '@cairn/kit/clock/clock';
import { silentLog } from '@cairn/kit/log/log';
import { type Bench, bench, hasQemuImg, PaperGuests, TEST_USER, writeTo } from '../disks/disks.fixture.ts';
import type { BackendSpec } from '../interface/backends.ts';
import type { ImageSource } from '../interface/disks.ts';
import { run } from '../process/run.ts';
import { SimulatedAgent } from '../simulated/agent.ts';
import { SimulatedMachine } from '../simulated/machine.ts';
import { BackendDisks } from './backend-disks.ts';
import { noCeph, startCeph } from './ceph.fixture.ts';
import { disksSuite, imageIn, roomOf, type Subject } from './disks-suite.fixture.ts';
import { RbdBridges } from './rbd-bridges.ts';
import { RbdCommand } from './rbd-command.ts';
import { RbdDisks } from './rbd-disks.ts';
import { SharedDirectory } from './shared-directory.ts';

const asRoot = process.getuid?.() === 0;
const noTools = hasQemuImg ? undefined : 'qemu-img is not installed';
const user = asRoot ? { user: TEST_USER } : {};

/** Files of disks; what is kept of images is the cache's. */
const diskFiles = async (one: Bench): Promise<readonly string[]> => (await one.files()).filter((file) => !file.startsWith('bases/') && file !== 'manager.json');

disksSuite(
  'the host itself',
  async (): Promise<Subject> => {
    const own = await bench();
    return {
      get disks() {
        return own.disks;
      },
      prefix: '',
      write: (diskId, byte, offset, length) => writeTo(own.disks, own.guests, diskId, byte, offset, length),
      image: (imageId, data, format) => imageIn(own.images, imageId, data, format),
      async inventory() {
        await own.disks.idle();
        return diskFiles(own);
      },
      restart: async () => void (await own.restart()),
      close: () => own.cleanUp(),
    };
  },
  noTools,
);

disksSuite(
  'a shared directory, as its second host sees them',
  async (): Promise<Subject> => {
    const home = await bench();
    const dataDir = join(home.dir, '..', 'shared');
    const make = async (): Promise<{ directory: SharedDirectory; disks: BackendDisks }> => {
      const directory = new SharedDirectory({
        hosts: 2,
        dataDir,
        log: silentLog,
        openImage: async (imageId) => (await import('node:stream')).Readable.from([home.images.get(imageId) ?? Buffer.alloc(0)]),
        ...user,
      });
      for (const openDisks of [new PaperGuests(), home.guests]) directory.join({ openDisks });
      await directory.start();
      await directory.start();
      return { directory, disks: new BackendDisks(roomOf(home), new Map([['nfs', directory]])) };
    };
    let made = await make();
    return {
      get disks() {
        return made.disks;
      },
      prefix: 'nfs.',
      write: (diskId, byte, offset, length) => writeTo(made.directory.disks, home.guests, diskId, byte, offset, length),
      image: (imageId, data, format) => imageIn(home.images, imageId, data, format),
      async inventory() {
        await made.directory.disks.idle();
        return diskFiles({ ...home, files: async () => listed(dataDir) } as Bench);
      },
      async restart() {
        await made.directory.disks.stop();
        made = await make();
      },
      async close() {
        await made.directory.stop();
        await made.directory.stop();
        await home.cleanUp();
      },
    };
  },
  noTools,
);

const listed = async (dir: string): Promise<readonly string[]> => {
  const { readdir } = await import('node:fs/promises');
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1));
};

disksSuite('a simulated back end that hosts share', async (): Promise<Subject> => {
  const storage = new SimulatedMachine('shared');
  const make = (): SimulatedAgent =>
    new SimulatedAgent('host2', {
      clock: systemClock,
      machine: new SimulatedMachine('host2', undefined, { backends: new Set(['ceph']), machine: storage }),
    });
  let agent = make();
  return {
    get disks() {
      return agent.disks;
    },
    prefix: 'ceph.',
    image: async (imageId, data, format) => ({ imageId, format, sizeBytes: data.length }),
    inventory: async () => storage.inspect(),
    restart: async () => {
      agent = make();
    },
    close: async () => {},
  };
});

disksSuite(
  'a Ceph pool',
  async (): Promise<Subject & { readonly rbd: RbdCommand; readonly home: Bench }> => {
    const ceph = await startCeph();
    const home = await bench();
    const spec: Extract<BackendSpec, { driver: 'rbd' }> = {
      name: 'ceph',
      driver: 'rbd',
      pool: ceph.pool,
      configFile: ceph.configFile,
      user: 'admin',
      imageCacheCount: 2,
      imageCacheGb: 0,
    };
    const rbd = new RbdCommand(spec);
    const make = async (): Promise<BackendDisks> => {
      const room = new RbdDisks({
        spec,
        host: 'host1',
        scratchDir: join(home.dir, '..', 'scratch'),
        openDisks: home.guests,
        showGrown: async () => {},
        log: silentLog,
        ...user,
        bridges: new RbdBridges({
          dataDir: join(home.dir, '..', 'bridges'),
          runDir: join(home.dir, '..', 'run'),
          openDisks: home.guests,
          clock: systemClock,
          log: silentLog,
        }),
        imageFile: (image) => home.disks.imageAsFile(image),
      });
      await room.start();
      return new BackendDisks(roomOf(home), new Map([['ceph', room]]));
    };
    let disks = await make();
    return {
      get disks() {
        return disks;
      },
      rbd,
      home,
      prefix: 'ceph.',
      async write(diskId, byte, offset, length) {
        const node = JSON.stringify({ driver: 'raw', file: rbd.node(`volume-${diskId.slice('ceph.'.length)}`) });
        await run('qemu-io', ['-c', `write -q -P ${byte} ${offset} ${length}`, `json:${node}`]);
      },
      image: (imageId, data, format) => imageIn(home.images, imageId, data, format),
      async inventory() {
        await rbd.emptyTrash();
        return (await rbd.images()).map((image) => image.name).filter((name) => !name.startsWith('image-'));
      },
      restart: async () => {
        disks = await make();
      },
      async close() {
        await home.cleanUp();
        await ceph.stop();
      },
    };
  },
  noCeph,
  (subject) => {
    test('an image is copied into the pool once; those used longest ago go, and what was made from them stays', async () => {
      const { disks, image, rbd, home } = subject();
      const cached = async (): Promise<readonly string[]> => (await rbd.images()).map(({ name }) => name).filter((name) => name.startsWith('image-'));
      for (const name of await cached()) await rbd.remove(name);
      const data = ['a', 'b', 'c'].map((letter) => Buffer.alloc(2 ** 20, letter));
      const ids = ['a', 'b', 'c'].map((letter) => `22222222-0000-4000-8000-00000000000${letter}`);
      const images = await Promise.all(ids.map((id, i) => image(id, data[i] as Buffer, 'raw')));
      const make = async (i: number, n: number): Promise<string> => {
        const diskId = `ceph.33333333-0000-4000-8000-0000000000${i}${n}`;
        await disks.create({ diskId, sizeBytes: 0, source: { kind: 'image', image: images[i] as ImageSource }, pool: 'volume' });
        return diskId;
      };
      const before = home.opened;
      const made = [await make(0, 0), await make(1, 0), await make(0, 1)];
      assert.equal(home.opened - before, 2, 'each image came in once');
      assert.equal((await cached()).length, 2);
      // two are allowed: the second image was used longest ago
      made.push(await make(2, 0));
      assert.deepEqual((await cached()).map((name) => name.slice('image-'.length, -13)).toSorted(), [ids[0], ids[2]]);
      const { stream } = await disks.export(made[1] as string, { format: 'raw' });
      assert.ok((await buffer(stream)).equals(data[1] as Buffer));
      // other data under the same id is another image
      const changed = await image(ids[0] as string, Buffer.alloc(2 ** 20, 'x'), 'raw');
      await home.disks.dropImage(changed.imageId);
      const diskId = 'ceph.33333333-0000-4000-8000-000000000099';
      await disks.create({ diskId, sizeBytes: 0, source: { kind: 'image', image: changed }, pool: 'volume' });
      assert.ok((await buffer((await disks.export(diskId, { format: 'raw' })).stream)).equals(Buffer.alloc(2 ** 20, 'x')));
      assert.equal((await cached()).filter((name) => name.includes(ids[0] as string)).length, 1);
      for (const one of [...made, diskId]) await disks.remove(one);
      assert.deepEqual(await subject().inventory(), []);
    });
  },
);
