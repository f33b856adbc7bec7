import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TestNamespace } from '../netns.ts';
import { Relay } from '../relay.ts';
import type { Content } from './contents.ts';
import type { Ground } from './ground.ts';
import { findLayers, heldBy, writeTo } from './real-disks.ts';
import { placeOf } from './records.ts';

const cairn = join(import.meta.dirname, '..', '..', '..', 'cairn');

interface Status {
  readonly hosts: readonly { readonly host: string }[];
  readonly guests: readonly { readonly id: string; readonly host: string; readonly state: string; readonly pid?: number }[];
}

/** A cloud with real guests on this machine, in a network namespace of its own. */
export async function realGround(hosts: number): Promise<Ground> {
  const namespace = new TestNamespace(`cairnwalk${process.pid}`);
  // guests run as users of their own, who must be able to reach their disks
  const data = mkdtempSync('/var/tmp/cairn-walk-');
  chmodSync(data, 0o711);
  // a dozen small guests fit on two processors
  const env = { ...process.env, CAIRN_HYPERVISOR_CPU_RATIO: '16' };
  const run = async (args: readonly string[]): Promise<void> => {
    const { code, output } = await namespace.run(cairn, [...args, '--data', data], { timeoutMs: 600_000, env });
    if (code !== 0) throw new Error(`cairn ${args[0]} ended with ${code}: ${output}`);
  };
  const facts = (): { pid: number; url: string } => JSON.parse(readFileSync(join(data, 'run', 'cairn.json'), 'utf8'));
  const status = (): Status => JSON.parse(namespace.sync(cairn, ['status', '--json', '--data', data], { timeoutMs: 600_000 })) as Status;
  let http: Relay | undefined;
  const up = async (): Promise<void> => {
    await run(['up', '--yes', ...(hosts > 1 ? ['--hosts', String(hosts)] : [])]);
    http?.close();
    http = new Relay(namespace, facts().url);
    await http.login(Object.fromEntries([...readFileSync(join(data, 'openrc'), 'utf8').matchAll(/^export (\w+)='(.*)'$/gm)].map((m) => [m[1], m[2]])));
  };
  await up();
  const relay = (): Relay => http as Relay;
  let guests: Status['guests'] = [];
  const folders = (): string[] => (hosts > 1 ? Array.from({ length: hosts }, (_, i) => join(data, 'hosts', String(i + 1))) : [join(data, 'host')]);
  const layersOf = (kind: 'volume' | 'snapshot', id: string) => {
    const { diskId, snapshotId } = placeOf(data, kind, id);
    return findLayers(folders(), diskId, snapshotId);
  };
  return {
    data,
    limits: { hosts, servers: 6, volumes: 7 },
    call: (method, path, body, options) => relay().call(method, path, body, options),
    ok: (method, path, body, options) => relay().ok(method, path, body, options),
    async crash() {
      process.kill(facts().pid, 'SIGKILL');
      await up();
    },
    killGuest(chance) {
      const running = guests.filter((guest) => guest.pid !== undefined);
      const { pid, id } = running[Math.floor(chance * running.length)] ?? {};
      // only a process that is still the guest that it was
      if (pid === undefined || !existsSync(`/proc/${pid}/cmdline`) || !readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(data)) return undefined;
      process.kill(pid, 'SIGKILL');
      return id;
    },
    async killHelper(signal) {
      for (; !signal.aborted; await sleep(3)) {
        for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
          const line = commandLine(pid);
          if (!/^[^ ]*\bqemu-(img|nbd|io|storage-daemon) /.test(line) || !line.includes(data)) continue;
          try {
            process.kill(Number(pid), 'SIGKILL');
            return line;
          } catch {
            // it has just ended by itself
          }
        }
      }
      return undefined;
    },
    ...(hosts > 1 && {
      async loseHost(host: string) {
        await run(['host', 'stop', host]);
        return () => run(['host', 'start', host]);
      },
    }),
    async write(writes) {
      for (const { volumeId, ...write } of writes) await writeTo(() => layersOf('volume', volumeId), write);
    },
    async held(expected) {
      const held: (Content | undefined)[] = [];
      for (const { kind, id, contents } of expected) held.push(await heldBy(() => layersOf(kind, id), contents));
      return held;
    },
    async physical() {
      const now = status();
      guests = now.guests;
      const places = now.hosts.map(({ host }, i) => ({ host, folder: folders()[i] as string }));
      return {
        guests: now.guests.map(({ id, host, state }) => ({ id, host, state })),
        disks: places.flatMap(({ host, folder }) =>
          ['ephemeral', 'volumes'].flatMap((pool) => {
            const directory = join(folder, 'disks', pool);
            // a directory without a record has what other disks still build on
            return (existsSync(directory) ? readdirSync(directory) : [])
              .filter((id) => existsSync(join(directory, id, 'disk.json')))
              .map((id) => ({ host, id }));
          }),
        ),
      };
    },
    async stop() {
      http?.close();
      await run(['down', '--destroy']).finally(() => namespace.remove());
      rmSync(data, { recursive: true, force: true });
    },
  };
}

/** A process's command line; empty when it is gone. */
function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
