import assert from 'node:assert/strict';
import { connect } from 'node:net';
import type { QemuGuests } from './guests.ts';

/** The serial console of a small Linux with a login on it (user cirros, password gocubsgo), as `cairn image build` makes. */
export class GuestConsole {
  readonly #guests: QemuGuests;
  readonly #guestId: string;

  constructor(guests: QemuGuests, guestId: string) {
    this.#guests = guests;
    this.#guestId = guestId;
  }

  /** How much the console has said so far. */
  async length(): Promise<number> {
    return (await this.#guests.consoleLog(this.#guestId)).length;
  }

  /** Waits for text that came after `from` characters. Resolves with the length then. */
  async says(pattern: RegExp, from = 0, withinMs = 90_000): Promise<number> {
    const deadline = Date.now() + withinMs;
    for (;;) {
      const log = await this.#guests.consoleLog(this.#guestId);
      if (pattern.test(log.slice(from))) return log.length;
      assert.ok(Date.now() < deadline, `no ${pattern} in ${JSON.stringify(log.slice(from).slice(-800))}`);
      await new Promise((r) => setTimeout(r, 20));
    }
  }

  /** Types a command and waits for what it prints. */
  async shell(command: string, expected: RegExp, withinMs = 30_000): Promise<void> {
    const from = await this.length();
    const socket = connect(await this.#guests.socketPath(this.#guestId, 'serial'));
    socket.on('data', () => {});
    socket.write(`${command}\n`);
    await this.says(expected, from, withinMs);
    socket.destroy();
  }

  async logIn(): Promise<void> {
    await this.shell('cirros', /assword/, 90_000);
    await this.shell('gocubsgo', /\$ /, 90_000);
  }
}
