import { connect, type Socket } from 'node:net';
import { conflict } from '@cairn/kit/errors/errors';
import type { Clock } from '@cairn/kit/clock/clock';

/** The agent answers at once or not at all. */
const ANSWER_MS = 10_000;
const ANSWER_BYTES = 65_536;

/**
 * Asks the agent inside a guest (org.qemu.guest_agent.0) one thing. What it answers comes from the guest: it is read up to a limit and only
 * success and failure are told apart. Throws Conflict where no agent answers or it refuses.
 */
export async function askAgent(socketPath: string, clock: Clock, command: { readonly execute: string; readonly arguments: object }): Promise<void> {
  const socket = connect(socketPath);
  const give = new AbortController();
  try {
    await Promise.race([
      talk(socket, command, clock.nowMs()),
      clock.sleep(ANSWER_MS, give.signal).then((): never => {
        throw conflict("The server's guest agent does not answer.", { type: 'AgentSilent' });
      }),
    ]);
  } finally {
    give.abort(new Error('over'));
    socket.destroy();
  }
}

async function talk(socket: Socket, command: object, nowMs: number): Promise<void> {
  const sync = nowMs % 1_000_000_000;
  // a 0xFF makes the agent forget whatever an earlier client left half said
  socket.write(Buffer.concat([Buffer.from([0xff]), Buffer.from(`${JSON.stringify({ execute: 'guest-sync', arguments: { id: sync } })}\n`)]));
  let text = '';
  let synced = false;
  try {
    for await (const chunk of socket) {
      text += (chunk as Buffer).toString('utf8');
      if (text.length > ANSWER_BYTES) break;
      let end = text.indexOf('\n');
      for (; end >= 0; end = text.indexOf('\n')) {
        const answer = parse(text.slice(0, end));
        text = text.slice(end + 1);
        if (!synced) {
          synced = answer?.return === sync;
          if (synced) socket.write(`${JSON.stringify(command)}\n`);
        } else if (answer?.error !== undefined) {
          throw conflict("The server's guest agent refused.", { type: 'AgentRefused', detail: String(answer.error.desc ?? '').slice(0, 500) });
        } else if (answer !== undefined && 'return' in answer) return;
      }
    }
  } catch (error) {
    if (error instanceof Error && error.name === 'Conflict') throw error;
    throw conflict("The server's guest agent cannot be reached.", { type: 'AgentSilent', cause: error });
  }
  throw conflict("The server's guest agent hung up.", { type: 'AgentSilent' });
}

function parse(line: string): { readonly return?: unknown; readonly error?: { readonly desc?: string } } | undefined {
  try {
    return JSON.parse(line.replace(/^[^{]*/, '')) as { readonly return?: unknown; readonly error?: { readonly desc?: string } };
  } catch {
    return undefined;
  }
}
