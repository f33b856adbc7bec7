/**
 * Programs that tests run against and that Cairn itself does not need, from Debian's packages, where they are missing and can be installed: as
 * root, with apt-get. Nothing that is installed so is started: each test starts its own.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { canInstall, install, missingOf, type NeededPackage } from '../packages/cairn/src/install/packages.ts';

const TEST_PACKAGES: readonly NeededPackage[] = [
  { name: 'slapd', why: 'an LDAP directory for the tests of keystone', provides: ['slapd', 'slapadd'] },
  { name: 'openssl', why: "makes that directory's certificate", provides: ['openssl'] },
  { name: 'kea-dhcp6-server', why: 'delegates prefixes in the tests of neutron', provides: ['kea-dhcp6'] },
];

/** Object storage for the tests of backups. */
const SWIFT_PACKAGES: readonly NeededPackage[] = [
  { name: 'swift-proxy', why: 'object storage for the tests of backups', provides: ['swift-proxy-server', 'swift-ring-builder'] },
  { name: 'swift-account', why: 'a part of it', provides: ['swift-account-server'] },
  { name: 'swift-container', why: 'a part of it', provides: ['swift-container-server'] },
  { name: 'swift-object', why: 'a part of it', provides: ['swift-object-server'] },
  { name: 'memcached', why: 'keeps the tokens of that storage', provides: ['memcached'] },
];

const BROWSER_PACKAGES: readonly NeededPackage[] = [{ name: 'chromium', why: 'drives the console as its users do', provides: ['chromium'] }];

/** For guests with a kernel that has what this machine's lacks (test/support/kernel-guest.ts), and for what runs in them. */
const KERNEL_GUEST_PACKAGES: readonly NeededPackage[] = [
  { name: 'qemu-system-x86', why: 'runs the guests', provides: ['qemu-system-x86_64'] },
  { name: 'qemu-utils', why: 'makes and converts disks', provides: ['qemu-img', 'qemu-io'] },
  { name: 'busybox-static', why: 'starts a kernel guest', provides: ['busybox'] },
  { name: 'kmod', why: 'finds the modules of its kernel', provides: ['modprobe', 'depmod'] },
  { name: 'lvm2', why: 'volume groups for the tests of storage back ends', provides: ['lvm'] },
  { name: 'thin-provisioning-tools', why: 'checks the thin pools of these groups', provides: ['thin_check'] },
];

/** Of QEMU's own package until QEMU 8. */
const VIRTIOFSD: NeededPackage = { name: 'virtiofsd', why: 'shows a kernel guest the files of this machine', provides: ['/usr/libexec/virtiofsd'] };

/** invoke-rc.d asks this program whether it may start a daemon; 101 is no. */
const POLICY = '/usr/sbin/policy-rc.d';

/** Installs what is missing. Returns variables for the tests: where the programs must be there, a test that lacks them fails instead of being skipped. */
export const testPackages = async (say: (line: string) => void): Promise<Record<string, string>> => ({
  ...(await provide(TEST_PACKAGES, 'CAIRN_TEST_SLAPD', say)),
  ...(await provide(SWIFT_PACKAGES, 'CAIRN_TEST_SWIFT', say)),
});

/** The same for the tests of the console. */
export const browserPackages = (say: (line: string) => void): Promise<Record<string, string>> => provide(BROWSER_PACKAGES, 'CAIRN_TEST_CHROMIUM', say);

/** The same for the tests with a kernel of their own. */
export const kernelGuestPackages = (say: (line: string) => void): Promise<Record<string, string>> =>
  provide(existsSync('/usr/lib/qemu/virtiofsd') ? KERNEL_GUEST_PACKAGES : [...KERNEL_GUEST_PACKAGES, VIRTIOFSD], 'CAIRN_TEST_KERNEL_GUEST', say);

async function provide(packages: readonly NeededPackage[], variable: string, say: (line: string) => void): Promise<Record<string, string>> {
  const missing = missingOf(packages);
  if (!canInstall()) {
    for (const { name, why } of missing) say(`${name} is missing (${why}); the tests that need it are skipped`);
    return missing.length === 0 ? { [variable]: 'require' } : {};
  }
  if (missing.length > 0) {
    say(`installing ${missing.map(({ name }) => name).join(', ')} for the tests`);
    const own = !existsSync(POLICY);
    if (own) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
    try {
      await install(
        missing.map(({ name }) => name),
        () => {},
      );
    } catch (error) {
      say(`${(error as Error).message}\nthe tests that need ${missing.map(({ name }) => name).join(', ')} will fail`);
    } finally {
      if (own) rmSync(POLICY, { force: true });
    }
  }
  return { [variable]: 'require' };
}
