import type { ChildProcess } from 'node:child_process';
import { start } from '../process/run.ts';

/** A guest with its serial console on a pipe and no way to any network, for tests of images. */
export class Console {
  readonly #child: ChildProcess;
  readonly #startedMs = performance.now();
  text = '';
  #read = 0;
  #waiting: (() => void)[] = [];
  #ended = false;

  constructor(args: readonly string[]) {
    this.#child = start(
      'qemu-system-x86_64',
      ['-nodefaults', '-machine', 'q35', '-accel', 'tcg,tb-size=64', '-m', '192', '-display', 'none', '-serial', 'stdio', ...args],
      { stdio: ['pipe', 'pipe', 'inherit'], dieWithParent: true },
    );
    const wake = (): void => {
      for (const go of this.#waiting.splice(0)) go();
    };
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.text += chunk.toString('latin1');
      wake();
    });
    this.#child.on('close', () => {
      this.#ended = true;
      wake();
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Seconds since the start. */
  seconds(): number {
    return (performance.now() - this.#startedMs) / 1000;
  }

  /** Waits for a pattern after what was matched before; gives the match. */
  async expect(pattern: RegExp, seconds = 60): Promise<RegExpExecArray> {
    const deadline = performance.now() + seconds * 1000;
    for (;;) {
      const match = pattern.exec(this.text.slice(this.#read));
      if (match) {
        this.#read += match.index + match[0].length;
        return match;
      }
      const left = deadline - performance.now();
      if (left <= 0 || this.#ended) throw new Error(`${pattern} did not come within ${seconds} s; the console says:\n${this.text.slice(-3000)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(left, 1000));
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  send(text: string): void {
    this.#child.stdin?.write(text);
  }

  async login(): Promise<void> {
    await this.expect(/login: /);
    this.send('cirros\n');
    await this.expect(/Password: /);
    this.send('gocubsgo\n');
    await this.expect(/\$ /);
    // No echo, no line editing: what comes back is output alone.
    this.send('exec sh -c "stty -echo; PS1= exec sh" ; echo\n');
    await this.run('true');
  }

  /** Runs a command in the guest's shell; its output. */
  async run(command: string, seconds = 30): Promise<string> {
    this.send(`{ ${command}; } </dev/null; echo "@@"$?"@@"\n`);
    const { 1: output = '', 2: code } = await this.expect(/([\s\S]*?)@@(\d+)@@\r?\n/, seconds);
    if (code !== '0') throw new Error(`${command} ended with ${code}: ${output}`);
    return output.replaceAll('\r', '').trim();
  }

  /** Resolves when QEMU has ended by itself. */
  async ended(seconds = 30): Promise<void> {
    const deadline = performance.now() + seconds * 1000;
    while (!this.#ended) {
      if (performance.now() > deadline) throw new Error(`the guest is not off after ${seconds} s; the console says:\n${this.text.slice(-2000)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
