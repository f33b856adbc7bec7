import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { systemClock } from '@cairn/kit/clock/clock';
import { silentLog } from '@cairn/kit/log/log';
import { LocalDisks } from '../disks/local-disks.ts';
import { buildGuestImage, type GuestImage } from '../guest-image/build.ts';
import { detectAccount } from '../hypervisor/account.ts';
import { QemuGuests } from '../hypervisor/guests.ts';
import type { ImageSource } from '../interface/disks.ts';
import type { GuestDisk, GuestNic, GuestSpec } from '../interface/guests.ts';
import type { TemplateSpec } from '../interface/templates.ts';
import { run } from '../process/run.ts';
import { LocalTemplates, type LocalTemplatesOptions } from './templates.ts';

const has = (command: string): Promise<boolean> =>
  run('sh', ['-c', 'command -v "$1"', 'sh', command]).then(
    () => true,
    () => false,
  );

/** Why templates are not tried here, or false. */
export async function noTemplates(): Promise<string | false> {
  const missing: string[] = [];
  for (const tool of ['qemu-system-x86_64', 'qemu-img', 'mke2fs', 'mcopy', 'mkfs.vfat', 'lz4', 'depmod']) if (!(await has(tool))) missing.push(tool);
  if (missing.length > 0) return `not installed: ${missing.join(', ')}`;
  return process.geteuid?.() === 0 ? false : 'needs root';
}

const GIB = 2 ** 30;

/** A host with guests, disks and templates in a directory of its own, and the demo guest as its image. */
export class TemplateHost {
  readonly dir: string;
  readonly image: GuestImage;
  readonly #netns: string | undefined;
  readonly #more: Partial<LocalTemplatesOptions>;
  guests!: QemuGuests;
  disks!: LocalDisks;
  templates!: LocalTemplates;

  private constructor(dir: string, image: GuestImage, netns: string | undefined, more: Partial<LocalTemplatesOptions>) {
    this.dir = dir;
    this.image = image;
    this.#netns = netns;
    this.#more = more;
  }

  static async make(t: TestContext, netns: string | undefined, more: Partial<LocalTemplatesOptions> = {}): Promise<TemplateHost> {
    const dir = await mkdtemp(join(tmpdir(), 'cairn-tmpl-'));
    await chmod(dir, 0o711);
    const host = new TemplateHost(dir, await buildGuestImage({ outDir: join(dir, 'image') }), netns, more);
    t.after(async () => {
      await host.templates.stop();
      await host.guests.destroy();
      await rm(dir, { recursive: true, force: true });
    });
    await host.begin();
    return host;
  }

  /** In a directory that another process has or had, with its image. */
  static async at(dir: string, image: GuestImage, more: Partial<LocalTemplatesOptions> = {}): Promise<TemplateHost> {
    const host = new TemplateHost(dir, image, undefined, more);
    await host.begin();
    return host;
  }

  /** As Cairn starts: finds what an earlier run left. */
  async begin(): Promise<void> {
    const account = await detectAccount();
    this.guests = new QemuGuests({
      dataDir: join(this.dir, 'guests'),
      runDir: join(this.dir, 'run'),
      name: this.dir.slice(-6),
      ...(this.#netns === undefined ? {} : { netns: this.#netns }),
      account,
      openDisk: (diskId) => this.disks.resolve(diskId),
      imagePath: (imageId) => this.disks.imageFile(imageId),
      openTemplate: (templateId, guest) => this.templates.open(templateId, guest),
      clock: systemClock,
      log: silentLog,
      onEvent: () => {},
      accelerator: process.env.CAIRN_TEST_ACCELERATOR === 'kvm' ? 'kvm' : 'tcg',
    });
    this.disks = new LocalDisks({
      dataDir: join(this.dir, 'disks'),
      openDisks: this.guests.openDisks,
      openImage: () => Promise.reject(new Error('the image is a file')),
      ...(account && { user: { uid: account.uids > 1 ? account.gid : account.firstUid, gid: account.gid } }),
    });
    this.templates = new LocalTemplates({
      dataDir: join(this.dir, 'templates'),
      guests: this.guests,
      disks: this.disks,
      clock: systemClock,
      log: silentLog,
      readyMs: 600_000,
      ...this.#more,
    });
    await this.guests.recover();
    await this.disks.start();
    await this.templates.start();
  }

  source(imageId = 'image-1'): ImageSource {
    const { path, format, sizeBytes, sha512 } = this.image;
    return { imageId, path, format, sizeBytes, sha512 };
  }

  spec(more: Partial<TemplateSpec> = {}): TemplateSpec {
    return {
      image: this.source(),
      sizeBytes: GIB,
      root: { device: 'vda', bus: 'virtio', kind: 'disk', bootIndex: 0 },
      machine: { vcpus: 1, memoryMb: 160, firmware: 'bios', rng: true, vnc: true },
      ...more,
    };
  }

  /** The template of `spec`, which has to come about. */
  async prepared(spec = this.spec()): Promise<{ readonly templateId: string; readonly disk: { readonly diskId: string; readonly snapshotId: string } }> {
    const prepared = await this.templates.prepare(spec);
    if (prepared.templateId === undefined) throw new Error(`no template: ${prepared.reason}`);
    return prepared;
  }

  /** A guest's disks (root from the template, config drive) and its specification; not started. */
  async guest(name: string, of: { readonly diskId: string; readonly snapshotId: string }, nics: readonly GuestNic[] = []): Promise<GuestSpec> {
    const guestId = randomUUID();
    const metaData = JSON.stringify({ uuid: guestId, hostname: `${name}.novalocal`, name });
    await this.disks.create({ diskId: `root-${guestId}`, sizeBytes: GIB, source: { kind: 'snapshot', ...of }, pool: 'ephemeral' });
    await this.disks.create({
      diskId: `drive-${guestId}`,
      sizeBytes: 0,
      source: { kind: 'files', label: 'config-2', files: { 'openstack/latest/meta_data.json': Buffer.from(metaData).toString('base64') } },
      pool: 'ephemeral',
    });
    const { root, machine } = this.spec();
    const drive: GuestDisk = { diskId: `drive-${guestId}`, device: 'vdb', bus: 'virtio', kind: 'disk', readOnly: true };
    return { ...machine, guestId, name, disks: [{ ...root, diskId: `root-${guestId}` }, drive], nics };
  }

  /** Waits for text on a guest's console from `from` on; where it ends. */
  async says(guestId: string, pattern: RegExp, from = 0, withinMs = 120_000): Promise<number> {
    const endMs = Date.now() + withinMs;
    for (;;) {
      const log = await this.guests.consoleLog(guestId);
      const found = pattern.exec(log.slice(from));
      if (found) return from + found.index + found[0].length;
      if (Date.now() > endMs) throw new Error(`no ${pattern} in ${JSON.stringify(log.slice(from).slice(-800))}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  readonly #loggedIn = new Set<string>();

  /** The guest has booted since. */
  loggedOut(guestId: string): void {
    this.#loggedIn.delete(guestId);
  }

  /** Runs a command on the guest's serial console; what it prints. */
  async shell(guestId: string, command: string): Promise<string> {
    const socket = connect(await this.guests.socketPath(guestId, 'serial'));
    socket.on('data', () => {});
    let from = (await this.guests.consoleLog(guestId)).length;
    const type = async (line: string, answer: RegExp): Promise<void> => {
      from = (await this.guests.consoleLog(guestId)).length;
      socket.write(`${line}\n`);
      from = await this.says(guestId, answer, from);
    };
    try {
      if (!this.#loggedIn.has(guestId)) {
        await type('', /login: /);
        await type('cirros', /assword: /);
        await type('gocubsgo', /\$ /);
        // no echo and no line editing: what comes back is output alone
        await type('exec sh -c "stty -echo; PS1= exec sh"; echo', /exec sh"; echo[\s\S]*\n/);
        await type('echo "qu""iet"', /quiet\r?\n/);
        this.#loggedIn.add(guestId);
      }
      const begin = (await this.guests.consoleLog(guestId)).length;
      await type(`{ ${command}; } </dev/null 2>&1; echo "%""%"`, /%%/);
      return (await this.guests.consoleLog(guestId))
        .slice(begin)
        .replaceAll('\r', '')
        .replace(/%%[\s\S]*/, '')
        .trim();
    } finally {
      socket.destroy();
    }
  }

  /** Proportional memory of a guest's process, in MiB. */
  async pssMb(guestId: string): Promise<number> {
    const { pid } = await this.guests.info(guestId);
    return Number(/^Pss:\s+(\d+) kB/m.exec(await readFile(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]) / 1024;
  }

  exists(...path: readonly string[]): Promise<boolean> {
    return stat(join(this.dir, ...path)).then(
      () => true,
      () => false,
    );
  }
}
