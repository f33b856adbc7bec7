import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestNamespace } from './netns.ts';

/** A program that runs in a namespace beside a test, and what it has said so far. */
export class Beside {
  output = '';
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;

  constructor(namespace: TestNamespace, command: string, args: readonly string[]) {
    this.#child = spawn(...namespace.inside(command, args), { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    this.#closed = new Promise((resolve) => this.#child.once('close', resolve));
  }

  /** Until it has said this; fails with what it said instead. */
  async says(pattern: RegExp, limitMs: number): Promise<void> {
    for (const end = Date.now() + limitMs; !pattern.test(this.output); await sleep(50)) assert.ok(Date.now() < end, `not ${String(pattern)}: ${this.output}`);
  }

  /** Interrupts it; all that it said. */
  async end(): Promise<string> {
    this.#child.kill('SIGINT');
    await this.#closed;
    return this.output;
  }
}
