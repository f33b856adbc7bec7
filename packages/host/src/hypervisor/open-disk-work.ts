import type { Clock } from '@cairn/kit/clock/clock';
import { conflict } from '@cairn/kit/errors/errors';
import { checkReachable, giveToGuest, shareWithGuests, takeBack } from './account.ts';
import type { Asking } from './asking.ts';
import { runJob } from './block-jobs.ts';
import { type BlockNode, nodeName, openLayer, rootNodeName, sameLayer } from './blockdev.ts';
import { asFault } from './faults.ts';
import { Exporter } from './exporter.ts';
import type { Guest } from './guest.ts';
import type { KeyedMutex } from './mutex.ts';
import type { CopyOptions, DiskLayer, OpenDisks } from './open-disks.ts';
import { layersInUse } from './layers-in-use.ts';
import { type Qmp, QmpError } from './qmp.ts';

/** A disk that is open in a running guest. */
interface Open {
  readonly guest: Guest | Exporter;
  readonly machine: { readonly qmp: Qmp };
  readonly layers: readonly DiskLayer[];
  readonly top: DiskLayer;
}

/** How long work waits for others on the disk (a detach may take long) and for a guest that is starting. */
const PATIENCE_MS = 5000;

interface Parts {
  readonly find: (holder: string) => Guest | Exporter | undefined;
  readonly holders: (diskId: string) => readonly string[];
  readonly asking: Asking;
  readonly byDisk: KeyedMutex;
  readonly clock: Clock;
}

/** OpenDisks over QMP. */
export class OpenDiskWork implements OpenDisks {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  holder(diskId: string): string | undefined {
    return this.#parts.holders(diskId)[0];
  }

  holders(diskId: string): readonly string[] {
    return this.#parts.holders(diskId);
  }

  layers(diskId: string): Promise<readonly DiskLayer[]> {
    return this.#work(diskId, 'Its layers cannot be read', async (open) => {
      const { guest } = open;
      const layers = guest instanceof Exporter ? await guest.inUse() : await layersInUse(guest, open.machine, diskId);
      await remember(open.guest, diskId, layers);
      return layers;
    });
  }

  resize(diskId: string, sizeBytes: number): Promise<void> {
    return this.#inTurn(diskId, async () => {
      const holders = this.#parts.holders(diskId);
      if (!holders.length) throw notOpen();
      // Every guest that has it open is told.
      for (const guestId of holders) {
        const open = await this.#open(diskId, guestId);
        const { guest } = open;
        if (guest instanceof Exporter) {
          await attempt('The disk cannot be resized', () => guest.resize(sizeBytes));
          continue;
        }
        await attempt('The disk cannot be resized', () =>
          open.machine.qmp.execute('block_resize', { 'node-name': rootNodeName(diskId, open.top, guest.record?.encrypted), size: sizeBytes }),
        );
      }
    });
  }

  snapshotTo(diskId: string, overlay: DiskLayer): Promise<void> {
    return this.snapshotAllTo([{ diskId, overlay }]);
  }

  async snapshotAllTo(overlays: readonly { readonly diskId: string; readonly overlay: DiskLayer }[]): Promise<void> {
    const [first, ...rest] = overlays.toSorted((a, b) => (a.diskId < b.diskId ? -1 : 1));
    if (!first) return;
    // What the guest will open, it will open with the new layer.
    if (overlays.every(({ diskId }) => this.#parts.asking.has(diskId) && this.#parts.holders(diskId).length === 1)) {
      for (const { diskId, overlay } of overlays) this.#parts.asking.promise(diskId, overlay);
      return;
    }
    // Locked in one order, so that two calls never wait for each other.
    const locked = (next: readonly (typeof first)[]): Promise<void> => {
      const [one, ...others] = next;
      return one ? this.#inTurn(one.diskId, () => locked(others)) : this.#snapshot([first, ...rest]);
    };
    await locked([first, ...rest]);
  }

  backupTo(diskId: string, target: DiskLayer, options: CopyOptions = {}): Promise<void> {
    return this.#work(diskId, 'The disk cannot be copied', async (open) => {
      const { qmp } = open.machine;
      await withTarget(open, diskId, target, { backing: null }, async (node) => {
        await runJob(
          qmp,
          'blockdev-backup',
          { device: nodeName(diskId, open.top), target: node, sync: 'full', ...(options.compress ? { compress: true } : {}) },
          options,
        );
        await qmp.execute('blockdev-del', { 'node-name': node });
        if ('path' in target) await takeBack(open.guest.context.account, open.guest.record?.uid, target.path);
      });
    });
  }

  commit(diskId: string, range: { readonly top: DiskLayer; readonly base: DiskLayer }, options: CopyOptions = {}): Promise<void> {
    return this.#work(diskId, 'The layers of the disk cannot be merged', async (open) => {
      const { guest, machine, layers } = open;
      const from = indexOf(layers, range.top);
      const to = indexOf(layers, range.base);
      if (from >= to) throw conflict('The layers of the disk are not in this order.');
      const active = from === 0;
      // QEMU opens the base anew for writing: by its path, as the guest's user.
      if ('path' in range.base) await giveToGuest(guest.context.account, guest.record?.uid, range.base.path);
      await runJob(
        machine.qmp,
        'block-commit',
        {
          device: nodeName(diskId, open.top),
          'base-node': nodeName(diskId, range.base),
          ...(active ? {} : { 'top-node': nodeName(diskId, range.top), ...('path' in range.base ? { 'backing-file': range.base.path } : {}) }),
        },
        options,
      );
      if (!active && 'path' in range.base) await shareWithGuests(guest.context.account, range.base.path);
      await this.#drop(open, diskId, layers.slice(from, to), [...layers.slice(0, from), ...layers.slice(to)]);
    });
  }

  pull(diskId: string, range: { readonly top: DiskLayer; readonly base?: DiskLayer }, options: CopyOptions = {}): Promise<void> {
    return this.#work(diskId, 'The layers of the disk cannot be merged', async (open) => {
      const { guest, machine, layers } = open;
      const from = indexOf(layers, range.top);
      const to = range.base ? indexOf(layers, range.base) : layers.length;
      if (from >= to) throw conflict('The layers of the disk are not in this order.');
      if (to === from + 1) return;
      // A layer below the top is opened anew for writing, as the guest's user.
      const { account } = guest.context;
      if (from > 0 && 'path' in range.top) await giveToGuest(account, guest.record?.uid, range.top.path);
      await runJob(
        machine.qmp,
        'block-stream',
        {
          device: nodeName(diskId, range.top),
          ...(range.base ? { 'base-node': nodeName(diskId, range.base), ...('path' in range.base ? { 'backing-file': range.base.path } : {}) } : {}),
        },
        options,
      );
      if (from > 0 && 'path' in range.top) await shareWithGuests(account, range.top.path);
      await this.#drop(open, diskId, layers.slice(from + 1, to), [...layers.slice(0, from + 1), ...layers.slice(to)]);
    });
  }

  moveTo(diskId: string, target: DiskLayer, options: CopyOptions = {}): Promise<void> {
    return this.#work(diskId, 'The disk cannot be moved', async (open) => {
      const { qmp } = open.machine;
      await withTarget(open, diskId, target, { backing: null }, async (node) => {
        await runJob(qmp, 'blockdev-mirror', { device: nodeName(diskId, open.top), target: node, sync: 'full' }, options);
        await this.#drop(open, diskId, open.layers, [target]);
      });
    });
  }

  async #snapshot(overlays: readonly { readonly diskId: string; readonly overlay: DiskLayer }[]): Promise<void> {
    const opens = await Promise.all(overlays.map(async (o) => ({ ...o, open: await this.#open(o.diskId) })));
    const todo = opens.filter(({ open, overlay }) => !sameLayer(open.top, overlay));
    const [first] = todo;
    if (!first) return;
    const { guest, machine } = first.open;
    if (todo.some(({ open }) => open.guest !== guest)) throw conflict('Disks of several servers cannot be captured at one moment.');
    if (todo.some(({ diskId }) => this.#parts.holders(diskId).length > 1))
      throw conflict('A disk that several servers write to cannot be captured while they run.');
    await attempt('The disk cannot be captured', async () => {
      const added: string[] = [];
      try {
        for (const { diskId, overlay, open } of todo) {
          await lend(guest, overlay);
          // It becomes a lower layer, which the guest opens anew for reading.
          if ('path' in open.top) await shareWithGuests(guest.context.account, open.top.path);
          const node = nodeName(diskId, overlay);
          await machine.qmp.execute('blockdev-add', { ...openLayer(diskId, overlay, false), backing: null });
          added.push(node);
        }
        const actions = todo.map(({ diskId, overlay, open }) => ({
          type: 'blockdev-snapshot',
          data: { node: nodeName(diskId, open.top), overlay: nodeName(diskId, overlay) },
        }));
        await machine.qmp.execute('transaction', { actions });
      } catch (error) {
        for (const node of added) await machine.qmp.execute('blockdev-del', { 'node-name': node }).catch(() => {});
        for (const { open } of todo) if ('path' in open.top) await giveToGuest(guest.context.account, guest.record?.uid, open.top.path);
        throw error;
      }
      for (const { diskId, overlay, open } of todo) await remember(guest, diskId, [overlay, ...open.layers]);
    });
  }

  /** After a merge: the nodes that are no longer used go, and their files are root's again. */
  async #drop(open: Open, diskId: string, unused: readonly DiskLayer[], now: readonly DiskLayer[]): Promise<void> {
    for (const layer of unused) {
      await dropNode(open.machine.qmp, nodeName(diskId, layer));
      if ('path' in layer && layer === open.top) await takeBack(open.guest.context.account, open.guest.record?.uid, layer.path);
    }
    await remember(open.guest, diskId, now);
  }

  #work<T>(diskId: string, what: string, work: (open: Open) => Promise<T>): Promise<T> {
    return this.#inTurn(diskId, async () => {
      const open = await this.#open(diskId);
      return attempt(what, () => work(open));
    });
  }

  /** After the other work on the disk, attaching and detaching it included. */
  #inTurn<T>(diskId: string, work: () => Promise<T>): Promise<T> {
    if (this.#parts.asking.has(diskId)) return Promise.reject(busy());
    return this.#patiently((giveUp) => this.#parts.byDisk.runUnless(diskId, giveUp, work));
  }

  async #patiently<T>(work: (giveUp: Promise<never>) => Promise<T>): Promise<T> {
    let cancel: () => void = () => {};
    const giveUp = new Promise<never>((_, reject) => {
      const timer = this.#parts.clock.after(PATIENCE_MS, () => reject(busy()));
      cancel = () => timer.cancel();
    });
    giveUp.catch(() => {});
    try {
      return await work(giveUp);
    } finally {
      cancel();
    }
  }

  async #open(diskId: string, holder = this.holder(diskId)): Promise<Open> {
    const guest = holder === undefined ? undefined : this.#parts.find(holder);
    if (!guest) throw notOpen();
    // A guest that is starting holds its disks already.
    if (!guest.machine) await this.#patiently((giveUp) => Promise.race([guest.life.idle(), giveUp]));
    const layers = guest.record?.layers[diskId];
    const top = layers?.[0];
    if (!guest.machine || !layers || !top) throw notOpen();
    return { guest, machine: guest.machine, layers, top };
  }
}

const busy = (): Error => conflict('The disk is being attached, detached or opened by a server; try again.');
const notOpen = (): Error => conflict('No running server has the disk open.');

async function attempt<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asFault(error, what);
  }
}

function indexOf(layers: readonly DiskLayer[], layer: DiskLayer): number {
  const index = layers.findIndex((l) => sameLayer(l, layer));
  if (index < 0) throw conflict('The disk has no such layer.', { detail: { layer, layers } });
  return index;
}

/** Lets the guest write a file that Disks has made. */
async function lend(guest: Guest | Exporter, layer: DiskLayer): Promise<void> {
  if (!('path' in layer)) return;
  await checkReachable(guest.context.account, layer.path);
  await giveToGuest(guest.context.account, guest.record?.uid, layer.path);
}

/** Opens `target` beside the disk for `work`; when that fails, it is closed again and root's. */
async function withTarget(open: Open, diskId: string, target: DiskLayer, extra: object, work: (node: string) => Promise<void>): Promise<void> {
  const { guest, machine } = open;
  await lend(guest, target);
  const layer = openLayer(diskId, target, false);
  const node: BlockNode = target.format === 'qcow2' ? { ...layer, ...extra } : layer;
  const name = nodeName(diskId, target);
  await machine.qmp.execute('blockdev-add', node);
  try {
    await work(name);
  } catch (error) {
    await machine.qmp.execute('blockdev-del', { 'node-name': name }).catch(() => {});
    if ('path' in target) await takeBack(guest.context.account, guest.record?.uid, target.path);
    throw error;
  }
}

/** Nodes that came inside of another belong to no one but it, and go when it does. */
async function dropNode(qmp: Qmp, node: string): Promise<void> {
  try {
    await qmp.execute('blockdev-del', { 'node-name': node });
  } catch (error) {
    if (!(error instanceof QmpError)) throw error;
  }
}

async function remember(guest: Guest | Exporter, diskId: string, layers: readonly DiskLayer[]): Promise<void> {
  const { record } = guest;
  if (record) await guest.update({ layers: { ...record.layers, [diskId]: layers } });
}
