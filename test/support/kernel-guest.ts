import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { cpio } from '../../packages/host/src/guest-image/cpio.ts';
import { openModules } from '../../packages/host/src/guest-image/kernel.ts';
import { openKernel } from '../../packages/host/src/guest-image/sources.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const BUSYBOX = '/bin/busybox';
/** Debian 12 has it with QEMU, later ones as a package of its own. */
const VIRTIOFSD = ['/usr/libexec/virtiofsd', '/usr/lib/qemu/virtiofsd'].find((path) => existsSync(path));
const LISTEN_MS = 60_000;
const MODULES = ['virtio_pci', 'virtiofs', 'virtio_console', 'overlay'];

/** Why no kernel guest can be run here; undefined when one can. */
export const noKernelGuest = ((): string | undefined => {
  if (process.getuid?.() !== 0) return 'needs root';
  if (process.arch !== 'x64') return 'needs an x86-64 machine';
  if (!existsSync('/usr/bin/qemu-system-x86_64')) return 'qemu-system-x86 is not installed';
  if (!VIRTIOFSD) return 'virtiofsd is not installed';
  if (!existsSync(BUSYBOX)) return 'busybox-static is not installed';
  return undefined;
})();

const ACCELERATOR = process.env.CAIRN_TEST_ACCELERATOR === 'kvm' ? 'kvm' : 'tcg';
/** As a shell tells it. */
const SEGMENTATION_FAULT = 139;

export interface KernelGuestOptions {
  /** Kernel modules that are loaded before the command, with those that they need. */
  readonly modules: readonly string[];
  /** Kernel settings, by their names for sysctl. */
  readonly sysctl?: Readonly<Record<string, string>>;
  /** Files of the guest: path → content. The machine's own are not touched. */
  readonly files?: Readonly<Record<string, string>>;
  readonly memoryMb?: number;
  readonly timeoutMs: number;
}

/**
 * Runs a command under a kernel of Debian's package for virtual machines instead of this machine's, for what this machine's kernel lacks. Its root is
 * this machine's own root file system, read by virtiofs and never written: an overlay in the guest's memory takes all changes. It has no network, and
 * ends with the command. What the command prints goes by as it comes, and comes back.
 *
 * An emulated processor now and then makes a fault in the code that Node's compiler writes; no JavaScript can. A command that ends by one is run again, in
 * another guest.
 */
export async function inKernelGuest(command: readonly string[], options: KernelGuestOptions): Promise<Ended> {
  for (let attempt = 1; ; attempt += 1) {
    const ended = await runOnce(command, options);
    if (ended.code !== SEGMENTATION_FAULT || ACCELERATOR !== 'tcg' || attempt === 3) return ended;
    process.stdout.write('a segmentation fault under an emulated processor: the command is run again\n');
  }
}

interface Ended {
  readonly code: number;
  readonly output: string;
}

async function runOnce(command: readonly string[], options: KernelGuestOptions): Promise<Ended> {
  const dir = mkdtempSync(join(tmpdir(), 'cairn-kernel-'));
  const ended = `ended-${randomBytes(8).toString('hex')}`;
  const children: ChildProcess[] = [];
  try {
    const kernel = await openKernel({ directory: join(dir, 'kernel'), onProgress: (step) => process.stdout.write(`${step}\n`) });
    const initrd = join(dir, 'initrd');
    const modulesAt = kernel.root === '/' ? undefined : join(dir, 'depmod', 'modules', 'lib', 'modules');
    writeFileSync(initrd, await firstFiles(dir, kernel, init(modulesAt, command, options, ended)));
    const socket = join(dir, 'root.sock');
    children.push(shareRoot(dir, socket));
    for (const endMs = Date.now() + LISTEN_MS; !existsSync(socket); await sleep(20))
      if (Date.now() > endMs || children[0]?.exitCode !== null) throw new Error('virtiofsd did not start');
    const memory = `${options.memoryMb ?? 2048}M`;
    const qemu = spawn(
      'qemu-system-x86_64',
      [
        ...['-nodefaults', '-no-user-config', '-display', 'none', '-nic', 'none', '-no-reboot'],
        ...['-machine', 'q35', '-accel', ACCELERATOR, '-cpu', 'max,la57=off', '-smp', '2', '-m', memory],
        ...['-object', `memory-backend-memfd,id=memory,size=${memory},share=on`, '-numa', 'node,memdev=memory'],
        ...['-chardev', `socket,id=root,path=${socket}`, '-device', 'vhost-user-fs-pci,chardev=root,tag=root'],
        ...['-chardev', `file,id=console,path=${join(dir, 'console')}`, '-serial', 'chardev:console'],
        ...['-device', 'virtio-serial-pci', '-chardev', 'stdio,id=output,signal=off', '-device', 'virtserialport,chardev=output,name=output'],
        // on a busy machine the emulated timer is late, and the kernel would take it for broken
        ...['-kernel', kernel.image, '-initrd', initrd, '-append', 'console=ttyS0 quiet panic=-1 no_timer_check nowatchdog'],
      ],
      // an input that is at its end would be taken for nobody being there
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    children.push(qemu);
    let output = '';
    qemu.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      process.stdout.write(chunk);
    });
    const timer = setTimeout(() => qemu.kill('SIGKILL'), options.timeoutMs);
    await new Promise((resolve) => qemu.once('close', resolve));
    clearTimeout(timer);
    const code = new RegExp(`^${ended} (\\d+)`, 'm').exec(output)?.[1];
    if (code === undefined) throw new Error(`the guest did not come to the end:\n${readFileSync(join(dir, 'console'), 'utf8').slice(-4000)}`);
    return { code: Number(code), output: output.slice(0, output.indexOf(ended)) };
  } finally {
    for (const child of children) child.kill('SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The root file system for the guest, which can change none of it: a mount that is read-only, in a view of the mounts of its own. */
function shareRoot(dir: string, socket: string): ChildProcess {
  const share = join(dir, 'share');
  mkdirSync(share);
  // what this test is made of may be on another file system
  const others = [ROOT, process.execPath, dir].filter((path) => statSync(path).dev !== statSync('/').dev);
  const script = [
    'share=$1 socket=$2 program=$3; shift 3',
    'mount --bind / "$share" && mount -o remount,bind,ro "$share" || exit 1',
    'for other; do mount --bind "$other" "$share$other" && mount -o remount,bind,ro "$share$other" || exit 1; done',
    'exec "$program" --socket-path="$socket" -o source="$share" -o cache=always -o sandbox=chroot',
  ].join('\n');
  return spawn('unshare', ['--mount', 'sh', '-c', script, 'sh', share, socket, VIRTIOFSD ?? '', ...others], { stdio: ['ignore', 'ignore', 'ignore'] });
}

interface Kernel {
  readonly release: string;
  readonly root: string;
}

/** The guest's first file system: a shell and the modules. */
async function firstFiles(
  dir: string,
  { release, root }: Kernel,
  { script, modules }: { readonly script: string; readonly modules: readonly string[] },
): Promise<Buffer> {
  const tree = join(dir, 'tree');
  for (const name of ['bin', 'sbin', 'dev', 'proc', 'sys', 'root', 'rw', 'below', 'modules']) mkdirSync(join(tree, name), { recursive: true });
  copyFileSync(BUSYBOX, join(tree, 'bin', 'busybox'));
  const kernel = await openModules(root, release, join(dir, 'depmod'));
  const installed = await kernel.install(join(dir, 'modules'), await kernel.order(modules));
  for (const path of installed) copyFileSync(join(dir, 'modules', path), join(tree, 'modules', basename(path)));
  writeFileSync(join(tree, 'modules', 'order'), installed.map((path) => `${basename(path)}\n`).join(''));
  // what the kernel asks for later is found by the machine's own modprobe
  writeFileSync(join(tree, 'sbin', 'modprobe'), '#!/bin/busybox sh\nexec /bin/busybox chroot /root /sbin/modprobe "$@"\n');
  chmodSync(join(tree, 'sbin', 'modprobe'), 0o755);
  writeFileSync(join(tree, 'init'), script);
  chmodSync(join(tree, 'init'), 0o755);
  return gzipSync(await cpio(tree), { level: 1 });
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** `modulesAt`: where the kernel's modules are, with their tables, when that is not where programs look for them. */
function init(
  modulesAt: string | undefined,
  command: readonly string[],
  options: KernelGuestOptions,
  ended: string,
): { readonly script: string; readonly modules: readonly string[] } {
  const files = Object.entries(options.files ?? {}).map(([path, content]) => `printf %s ${quoted(content)} > ${quoted(`/root${path}`)}`);
  const settings = Object.entries(options.sysctl ?? {}).map(([name, value]) => `sysctl -q -w ${quoted(`${name}=${value}`)}`);
  const environment = {
    PATH: `${join(ROOT, 'node_modules', '.bin')}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    TMPDIR: '/run/tmp',
    HOME: '/root',
  };
  const variables = Object.entries(environment).map(([name, value]) => quoted(`${name}=${value}`));
  const script = `#!/bin/busybox sh
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
while read module; do insmod "/modules/$module"; done < /modules/order
mount -t virtiofs -o ro root /below
mount -t tmpfs tmpfs /rw; mkdir /rw/upper /rw/work
mount -t overlay -o lowerdir=/below,upperdir=/rw/upper,workdir=/rw/work overlay /root
${modulesAt === undefined ? '' : `mkdir -p /root/lib/modules; mount --bind ${quoted(`/root${modulesAt}`)} /root/lib/modules`}
for name in proc sys dev; do mount --bind /$name /root/$name; done
mount -t tmpfs -o mode=755 tmpfs /root/run; mkdir -m 1777 /root/run/tmp; mkdir /root/run/lock
# what udev would do
[ -c /dev/net/tun ] && chmod 666 /dev/net/tun
mkdir -p /root/dev/pts /root/dev/shm; mount -t devpts devpts /root/dev/pts; mount -t tmpfs tmpfs /root/dev/shm
mount -t cgroup2 cgroup2 /root/sys/fs/cgroup
ip link set lo up
${[...settings, ...files].join('\n')}
# its first number is the order in which the devices were found
while ! ls /dev/vport*p1 > /dev/null 2>&1; do sleep 0.1; done
port=$(ls /dev/vport*p1); exec > "$port" 2>&1 < /dev/null
chroot /root /usr/bin/env -i -C ${quoted(ROOT)} ${variables.join(' ')} ${command.map(quoted).join(' ')}
echo "
${ended} $?"
sleep 1
poweroff -f
`;
  return { script, modules: [...MODULES, ...options.modules] };
}
