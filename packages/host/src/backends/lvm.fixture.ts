import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../process/run.ts';

/** True when the kernel has device-mapper, now or as a module. Its device file says nothing: LVM's own commands make it. */
async function hasDeviceMapper(): Promise<boolean> {
  const registered = async (): Promise<boolean> => (await readFile('/proc/misc', 'utf8')).includes('device-mapper');
  if (await registered()) return true;
  await run('modprobe', ['dm-mod']).catch(() => undefined);
  return await registered();
}

/** Why no volume group can be made here; undefined when one can. */
export const noLvm: string | undefined = await (async () => {
  if (process.getuid?.() !== 0) return 'needs root';
  if (!(await hasDeviceMapper())) return 'this kernel has no device-mapper: test/guests/lvm.test.ts does it in a guest whose kernel has';
  return await run('lvm', ['version']).then(
    () => undefined,
    () => 'lvm2 is not installed',
  );
})();

export interface TestGroup {
  readonly volumeGroup: string;
  /** Names of all volumes but the pool. */
  volumes(): Promise<readonly string[]>;
  stop(): Promise<void>;
}

let count = 0;

/** A volume group on a sparse file. Extents of 4 MiB, as by default. */
export async function startGroup(sizeBytes: number): Promise<TestGroup> {
  const dir = await mkdtemp(join(tmpdir(), 'cairn-lvm-'));
  const volumeGroup = `cairntest${process.pid}.${++count}`;
  const path = join(dir, 'disk');
  const file = await open(path, 'w');
  await file.truncate(sizeBytes);
  await file.close();
  const loop = (await run('losetup', ['--find', '--show', path])).stdout.trim();
  const lvm = (...args: readonly string[]): Promise<{ readonly stdout: string }> =>
    run('lvm', args, { timeoutMs: 120_000, env: { LVM_SUPPRESS_FD_WARNINGS: '1' } });
  const stop = async (): Promise<void> => {
    await lvm('vgremove', '--force', '--yes', volumeGroup).catch(() => {});
    await run('losetup', ['--detach', loop]);
    await rm(dir, { recursive: true });
    await rm(join('/dev/cairn', volumeGroup), { recursive: true, force: true });
  };
  try {
    await lvm('pvcreate', '--yes', loop);
    await lvm('vgcreate', volumeGroup, loop);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    volumeGroup,
    async volumes() {
      const { stdout } = await lvm('lvs', '--noheadings', '-o', 'lv_name', volumeGroup);
      return stdout
        .split('\n')
        .map((line) => line.trim())
        .filter((name) => name !== '' && name !== `${volumeGroup}-pool`);
    },
    stop,
  };
}
