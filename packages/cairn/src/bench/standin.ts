import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { tapName } from '@cairn/host/interface/fabric';
import { bridgeName } from '@cairn/host/fabric/names';
import { until } from './load.ts';

const execute = promisify(execFile);

/** Where a cloud of this machine has its namespaces: they are mounted where its process sees them, which need not be where this one does. */
export class Inside {
  readonly #pid: number;
  readonly switchNetns: string;

  constructor(pid: number, switchNetns: string) {
    this.#pid = pid;
    this.switchNetns = switchNetns;
  }

  #argv(args: readonly string[]): string[] {
    return ['--target', String(this.#pid), '--mount', '--', ...args];
  }

  async run(...args: string[]): Promise<string> {
    return (await execute('nsenter', this.#argv(args), { maxBuffer: 1e8 })).stdout;
  }

  /** A program that runs beside, in a namespace. */
  spawn(netns: string, ...args: string[]): ChildProcess {
    return spawn('nsenter', this.#argv(['ip', 'netns', 'exec', netns, ...args]), { stdio: ['pipe', 'pipe', 'inherit'] });
  }
}

/** A port as the API shows it, as far as a stand-in needs it. */
export interface BoundPort {
  readonly id: string;
  readonly network_id: string;
  readonly mac_address: string;
  readonly fixed_ips: readonly { readonly ip_address: string }[];
}

/** A namespace in place of a guest: a cable with the name of the port's tap leads there, so that its frames are judged as a guest's are. */
export class Standin {
  readonly netns: string;
  readonly address: string;
  readonly #inside: Inside;

  private constructor(inside: Inside, netns: string, address: string) {
    this.#inside = inside;
    this.netns = netns;
    this.address = address;
  }

  static async start(inside: Inside, port: BoundPort, prefixLength: number, gateway?: string): Promise<Standin> {
    const tap = tapName(port.id);
    const address = port.fixed_ips[0]?.ip_address ?? '';
    const netns = `cairn-bench-${port.id.slice(0, 11)}`;
    const ip = (...args: string[]): Promise<string> => inside.run('ip', ...args);
    const { switchNetns } = inside;
    await until(async () => (await ip('-n', switchNetns, '-br', 'link', 'show')).includes(tap), 60_000, 20);
    await ip('netns', 'add', netns);
    await ip('-n', switchNetns, 'link', 'delete', tap);
    await ip(
      '-n',
      netns,
      'link',
      'add',
      'eth0',
      'address',
      port.mac_address,
      'mtu',
      '1400',
      'type',
      'veth',
      'peer',
      'name',
      tap,
      'mtu',
      '1400',
      'netns',
      switchNetns,
    );
    await ip('-n', switchNetns, 'link', 'set', tap, 'master', bridgeName(port.network_id), 'up');
    await ip('-n', netns, 'link', 'set', 'eth0', 'up');
    await ip('-n', netns, 'addr', 'add', `${address}/${prefixLength}`, 'dev', 'eth0');
    if (gateway !== undefined) await ip('-n', netns, 'route', 'add', 'default', 'via', gateway);
    return new Standin(inside, netns, address);
  }

  async stop(): Promise<void> {
    await this.#inside.run('ip', 'netns', 'delete', this.netns);
  }
}
