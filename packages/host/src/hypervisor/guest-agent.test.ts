import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { systemClock } from '@cairn/kit/clock/clock';
import { askAgent } from './guest-agent.ts';

interface Command {
  readonly execute: string;
  readonly arguments: Record<string, unknown>;
}

/** An agent in a guest that answers as the test says. */
async function agent(t: TestContext, answer: (command: Command, socket: net.Socket) => void): Promise<{ readonly path: string; readonly heard: Command[] }> {
  const dir = await mkdtemp(join(tmpdir(), 'cairn-agent-'));
  const path = join(dir, 'a');
  const heard: Command[] = [];
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1').replaceAll('\xff', '');
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
        const command = JSON.parse(text.slice(0, end)) as Command;
        text = text.slice(end + 1);
        heard.push(command);
        answer(command, socket);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.after(async () => {
    server.close();
    await rm(dir, { recursive: true, force: true });
  });
  return { path, heard };
}

const set = { execute: 'guest-set-user-password', arguments: { username: 'root', password: 'eA==', crypted: false } };
const synced = (command: Command, socket: net.Socket, then: string): void => {
  socket.write(command.execute === 'guest-sync' ? `{"return": ${String(command.arguments['id'])}}\n` : then);
};

test('what an earlier client left unread is passed over, and the command follows', async (t) => {
  const { path, heard } = await agent(t, (command, socket) => {
    if (command.execute === 'guest-sync') socket.write('{"return": 1}\n{"error": {"desc": "old"}}\n');
    synced(command, socket, '{"return": {}}\n');
  });
  await askAgent(path, systemClock, set);
  assert.deepEqual(
    heard.map((command) => command.execute),
    ['guest-sync', 'guest-set-user-password'],
  );
  assert.deepEqual(heard[1]?.arguments, set.arguments);
});

test('a refusal is a conflict, without the words of the guest', async (t) => {
  const { path } = await agent(t, (command, socket) => synced(command, socket, '{"error": {"class": "GenericError", "desc": "<script>"}}\n'));
  await assert.rejects(askAgent(path, systemClock, set), (error: Error) => error.name === 'Conflict' && !error.message.includes('script'));
});

test('an agent that floods, hangs up or is not there is a conflict', async (t) => {
  const flood = await agent(t, (_command, socket) => void socket.write('x'.repeat(200_000)));
  await assert.rejects(askAgent(flood.path, systemClock, set), { name: 'Conflict' });
  const gone = await agent(t, (_command, socket) => void socket.destroy());
  await assert.rejects(askAgent(gone.path, systemClock, set), { name: 'Conflict' });
  await assert.rejects(askAgent(`${gone.path}-nowhere`, systemClock, set), { name: 'Conflict' });
});
