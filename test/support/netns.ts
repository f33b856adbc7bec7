import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * A network namespace of a test's own, with loopback up; everything of the test runs in it and it goes with the test. A process holds it
 * together with a view of the mounts, which all programs share, as those of one machine do: names of namespaces are mounts.
 */
export class TestNamespace {
  readonly name: string;
  readonly #holder: ChildProcess;

  constructor(name: string) {
    this.name = name;
    execFileSync('ip', ['netns', 'add', name]);
    this.#holder = spawn('ip', ['netns', 'exec', name, 'sleep', 'infinity'], { stdio: 'ignore' });
    const endMs = Date.now() + 10_000;
    while (!this.#isHeld()) {
      if (Date.now() > endMs) throw new Error(`no process can be started in the namespace ${name}`);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
    this.sync('ip', ['link', 'set', 'lo', 'up']);
  }

  /** The process that holds the namespaces of this test, for nsenter. */
  get holder(): number {
    return this.#holder.pid ?? 0;
  }

  /** The holder is in its namespaces once `ip` has become what it was asked to run. */
  #isHeld(): boolean {
    try {
      return (
        readFileSync(`/proc/${this.holder}/cmdline`, 'utf8').startsWith('sleep') &&
        readlinkSync(`/proc/${this.holder}/ns/net`) !== readlinkSync('/proc/self/ns/net')
      );
    } catch {
      return false;
    }
  }

  /** The argv that runs a program in here. */
  inside(command: string, args: readonly string[]): [string, string[]] {
    return ['nsenter', [`--target=${this.holder}`, '--mount', '--net', '--', command, ...args]];
  }

  /** Runs a program in the namespace to its end; its output. Throws with the output when it fails. */
  sync(command: string, args: readonly string[], options: { readonly env?: NodeJS.ProcessEnv; readonly timeoutMs?: number } = {}): string {
    return execFileSync(...this.inside(command, args), {
      encoding: 'utf8',
      env: options.env ?? process.env,
      timeout: options.timeoutMs ?? 60_000,
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 64 * 2 ** 20,
    });
  }

  /** The same without blocking; the output goes by on this process's own, and comes back. */
  run(
    command: string,
    args: readonly string[],
    options: { readonly env?: NodeJS.ProcessEnv; readonly timeoutMs: number },
  ): Promise<{ code: number; output: string }> {
    const child = spawn(...this.inside(command, args), { env: options.env ?? process.env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const take = (chunk: Buffer): void => {
      output += chunk.toString();
      process.stdout.write(chunk);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs);
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => {
        clearTimeout(timer);
        resolve({ code: code ?? 137, output });
      });
    });
  }

  remove(): void {
    this.#holder.kill('SIGKILL');
    execFileSync('ip', ['netns', 'del', this.name]);
  }
}

/** Everything of a machine that a cloud might leave behind: namespaces by their names' beginning, links, mounts, processes by command line. */
export function traces(): string[] {
  const namespaces = existsSync('/run/netns') ? readdirSync('/run/netns').flatMap((name) => (name.startsWith('cairn') ? [`netns ${name}`] : [])) : [];
  const links = execFileSync('ip', ['-o', 'link'], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((l) => `link ${l.split(':')[1]?.trim()}`);
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .filter((l) => l.includes('cairn'))
    .map((l) => `mount ${l.split(' ')[1]}`);
  const rules = ruleset();
  const processes = readdirSync('/proc')
    .filter((p) => /^\d+$/.test(p))
    .flatMap((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return /qemu-system|dnsmasq/.test(line) ? [`process ${pid}`] : [];
      } catch {
        return [];
      }
    });
  return [...namespaces, ...links, ...mounts, ...rules, ...processes].sort();
}

function ruleset(): string[] {
  try {
    return execFileSync('nft', ['list', 'tables'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((t) => `nft ${t}`);
  } catch {
    return [];
  }
}
