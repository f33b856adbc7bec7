import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';

/** A network namespace of a test's own, with loopback up; everything of the test runs in it and it goes with the test. */
export class TestNamespace {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
    execFileSync('ip', ['netns', 'add', name]);
    this.sync('ip', ['link', 'set', 'lo', 'up']);
  }

  /** Runs a program in the namespace to its end; its output. Throws with the output when it fails. */
  sync(command: string, args: readonly string[], options: { readonly env?: NodeJS.ProcessEnv; readonly timeoutMs?: number } = {}): string {
    return execFileSync('ip', ['netns', 'exec', this.name, command, ...args], { encoding: 'utf8', env: options.env ?? process.env, timeout: options.timeoutMs ?? 60_000, stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 64 * 2 ** 20 });
  }

  /** The same without blocking; the output goes by on this process's own, and comes back. */
  run(command: string, args: readonly string[], options: { readonly env?: NodeJS.ProcessEnv; readonly timeoutMs: number }): Promise<{ code: number; output: string }> {
    const child = spawn('ip', ['netns', 'exec', this.name, command, ...args], { env: options.env ?? process.env, stdio: ['ignore', 'pipe', 'pipe'] });
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
    execFileSync('ip', ['netns', 'del', this.name]);
  }
}

/** Everything of a machine that a cloud might leave behind: namespaces, links, mounts, processes by command line. */
export function traces(): string[] {
  const namespaces = existsSync('/run/netns') ? readdirSync('/run/netns').map((n) => `netns ${n}`) : [];
  const links = execFileSync('ip', ['-o', 'link'], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((l) => `link ${l.split(':')[1]?.trim()}`);
  const mounts = execFileSync('cat', ['/proc/self/mounts'], { encoding: 'utf8' })
    .split('\n')
    .filter((l) => l.includes('cairn'))
    .map((l) => `mount ${l.split(' ')[1]}`);
  const rules = ruleset();
  const processes = readdirSync('/proc')
    .filter((p) => /^\d+$/.test(p))
    .flatMap((pid) => {
      try {
        const line = execFileSync('cat', [`/proc/${pid}/cmdline`], { encoding: 'utf8' }).replaceAll('\0', ' ');
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
