import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { noLvm } from '../../packages/host/src/backends/lvm.fixture.ts';
import { inKernelGuest, noKernelGuest } from '../support/kernel-guest.ts';

const FILE = 'packages/host/src/backends/lvm-disks.test.ts';
// They pass as well, and take minutes there: thick volumes are few people's, whose own tests are enough, and formats are qemu-img's for any back end.
const LEFT_OUT = ['/a volume group without a pool (?!thick:)/', '/copied to every format/'];
const required = process.env.CAIRN_TEST_KERNEL_GUEST === 'require';
const missing = noKernelGuest ?? (existsSync('/usr/sbin/lvm') ? undefined : 'lvm2 is not installed');
// where the machine has what it needs the suite runs with the unit tests
const here = noLvm === undefined ? `${FILE} runs without a guest` : undefined;

test('disks in a volume group pass the suite of all storage back ends, under a kernel that has a device-mapper', {
  skip: here ?? (required ? false : (missing ?? false)),
}, async () => {
  assert.equal(missing, undefined);
  const { code, output } = await inKernelGuest(
    [
      process.execPath,
      '--test',
      '--test-reporter=spec',
      '--test-timeout=1700000',
      '--test-isolation=none',
      ...LEFT_OUT.map((names) => `--test-skip-pattern=${names}`),
      FILE,
    ],
    {
      modules: ['loop', 'dm-thin-pool', 'dm-snapshot'],
      // no udev makes the devices of volumes there
      files: {
        '/etc/lvm/lvmlocal.conf':
          'activation { udev_sync=0 udev_rules=0 monitoring=0 }\ndevices { obtain_device_list_from_udev=0 }\nbackup { backup=0 archive=0 }\n',
      },
      timeoutMs: 1_700_000,
    },
  );
  assert.equal(code, 0, output.slice(-4000));
  assert.match(output, /^ℹ skipped 0$/m);
  assert.match(output, /^ℹ pass [1-9]\d+$/m);
});
