import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { conflict, unavailable } from '@cairn/kit/errors/errors';
import type { GuestDisk, GuestInfo, GuestLayout, GuestSpec } from '../interface/guests.ts';
import { takeBack } from './account.ts';
import { hotPluggable } from './devices.ts';
import { asFault } from './faults.ts';
import type { Guest } from './guest.ts';
import { GuestChannel } from './guest-channel.ts';
import { launch } from './launch.ts';
import { layout } from './live.ts';
import type { OpenTemplate } from './open-template.ts';
import { attachDisk, attachNic } from './plug.ts';
import { makeDirs } from './record.ts';
import { needsSlot } from './slots.ts';
import { loadMachine, saveMachine } from './suspend.ts';

/** The words of this version of the protocol between Cairn and guests (docs/fast-starts.md). */
const VERSION = '1';
/** How long a guest may take to become one of its own; only the channel is held open for it. */
const REFRESH_MS = 120_000;

export interface TemplateFiles {
  /** An empty file of the memory's size. */
  readonly memoryPath: string;
  readonly statePath: string;
}

/**
 * Boots a guest without a network until it says that it can be kept, and keeps it: its memory in one file, all else of the machine in another,
 * its disk as it is then. Nothing runs afterwards. Rejects with words for the user.
 */
export function makeTemplate(
  guest: Guest,
  spec: GuestSpec,
  files: TemplateFiles,
  limits: { readonly readyMs: number; readonly signal: AbortSignal },
): Promise<{ readonly layout: GuestLayout; readonly console: Buffer }> {
  const { context } = guest;
  return guest.life.run(async () => {
    let channel: GuestChannel | undefined;
    try {
      limits.signal.throwIfAborted();
      const machine = await launch(guest, spec, { fastStart: { isTemplate: true, memoryPath: files.memoryPath, inherit: [] } });
      channel = await GuestChannel.open(guest.files.fastStartSocket, context.clock);
      channel.say('template', VERSION);
      const answer = await channel.hear(['ready', 'cannot'], limits.readyMs, { signal: limits.signal, hopeless: () => machine.over !== undefined });
      if (answer === undefined) {
        throw conflict(
          machine.process.hasEnded() || machine.over
            ? 'the image ended before it said that it can be kept'
            : `the image did not say within ${Math.round(limits.readyMs / 1000)} s that it can be kept (docs/fast-starts.md says how an image does that)`,
        );
      }
      if (answer[0] === 'cannot') throw conflict(`the image says that it cannot be kept: ${printable(answer.slice(1).join(' '))}`);
      await machine.qmp.execute('stop');
      await saveMachine(guest, machine, files.statePath, { withoutMemory: true });
      return { layout: { ...layout(guest), fastStart: true }, console: await readFile(guest.files.consoleLog) };
    } catch (error) {
      if (limits.signal.aborted) throw limits.signal.reason;
      throw asFault(error, 'its machine could not be kept');
    } finally {
      channel?.close();
      const uid = guest.record?.uid;
      await guest.end('absent', 'it is kept');
      await guest.forget();
      await takeBack(context.account, uid, files.memoryPath);
    }
  });
}

/**
 * Starts a guest from a template. Where that cannot be, it boots: the outcome says so and why. A guest that is there already is found.
 */
export function startFromTemplate(guest: Guest, spec: GuestSpec, templateId: string): Promise<GuestInfo> {
  return guest.life.run(async () => {
    if (guest.machine?.over) await guest.end(guest.machine.over, 'the guest powered off');
    if (guest.machine) return guest.info();
    const { context, record: before } = guest;
    try {
      const [root, ...others] = rootFirst(spec.disks);
      if (!root || !context.options.openTemplate) throw conflict('the server has no root disk of its own');
      await makeDirs(guest.files);
      const template = await context.options.openTemplate(templateId, { rootDiskId: root.diskId, ownFile: guest.files.templateMemory });
      try {
        checkFits(root, others, spec, template.layout);
        await wake(guest, spec, { root, others }, template);
      } finally {
        await template.close();
      }
      return { ...guest.info(), fastStart: { used: true } };
    } catch (error) {
      const { message: reason } = asFault(error, 'the template could not be started from');
      context.log.warn({ guest: guest.guestId, templateId, reason, err: error }, 'a guest boots that was to start from a template');
      if (guest.machine) await guest.end(before?.state ?? 'absent', 'it boots instead');
      if (before) await guest.remember(before);
      else await guest.forget();
      await launch(guest, spec);
      return { ...guest.info(), fastStart: { used: false, reason } };
    }
  });
}

const rootFirst = (disks: readonly GuestDisk[]): readonly GuestDisk[] => {
  const root = disks.find((disk) => disk.bootIndex === 0);
  return root ? [root, ...disks.filter((disk) => disk !== root)] : [];
};

/** What is not in the template is plugged into it, and has to be what can be plugged. */
function checkFits(root: GuestDisk, others: readonly GuestDisk[], spec: GuestSpec, { ports }: GuestLayout): void {
  for (const disk of others) {
    const has = disk.bus === 'virtio' || disk.bus === root.bus;
    if (!hotPluggable(disk) || !has) throw conflict(`the disk ${disk.device} is on the ${disk.bus} bus, which takes no disks in a machine that runs`);
  }
  if (spec.disks.filter(needsSlot).length + spec.nics.length > ports) throw conflict(`a machine that starts from a template takes ${ports} devices`);
}

async function wake(
  guest: Guest,
  spec: GuestSpec,
  { root, others }: { readonly root: GuestDisk; readonly others: readonly GuestDisk[] },
  template: OpenTemplate,
): Promise<void> {
  const { clock } = guest.context;
  // What it printed before it was this server's is part of what it printed.
  await writeFile(guest.files.consoleLog, template.console, { mode: 0o600 });
  const machine = await launch(
    guest,
    { ...spec, disks: [root], nics: [] },
    {
      incoming: true,
      layout: template.layout,
      fastStart: { isTemplate: false, memoryPath: template.memory.path, inherit: template.memory.inherit },
    },
  );
  const { qmp } = machine;
  await loadMachine(guest, machine, template.statePath, { withoutMemory: true });
  // From here on its memory is its own, and goes along when it moves or is suspended.
  await qmp.execute('migrate-set-capabilities', { capabilities: [{ capability: 'x-ignore-shared', state: false }] });
  await guest.update({ state: 'paused', reason: 'starting from a template' });
  for (const disk of others) await attachDisk(guest, disk);
  for (const nic of spec.nics) await attachNic(guest, nic);
  const channel = await GuestChannel.open(guest.files.fastStartSocket, clock);
  channel.say('clone', VERSION, randomBytes(64).toString('hex'), String(spec.nics.length));
  await guest.update({ fastStart: 'there' });
  const beganMs = clock.nowMs();
  await qmp.execute('cont').catch((cause: unknown) => {
    channel.close();
    throw unavailable('the machine would not go on', { cause });
  });
  await guest.update({ fastStart: 'started', state: 'running', reason: 'started from a template' });
  void channel
    .hear(['refreshed'], REFRESH_MS)
    .then((heard) => guest.context.log.info({ guest: guest.guestId, tookMs: heard && clock.nowMs() - beganMs }, 'a guest started from a template is its own'))
    .catch(() => {})
    .finally(() => channel.close());
}

/** A guest's text, fit for a message. */
const printable = (text: string): string => text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 200);
