import { chmodSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import type { Paths } from './paths.ts';

/** What the command asks the running cloud over its private socket. */
export type ControlRequest = { readonly ask: 'status' } | { readonly ask: 'down'; readonly guests: 'stop' | 'keep' } | HostRequest | KeysRequest;

/** Switches a host off or on. */
export interface HostRequest {
  readonly ask: 'host';
  readonly host: string;
  readonly power: 'off' | 'on';
}
/** Rotates keys while the cloud runs. */
export interface KeysRequest {
  readonly ask: 'keys';
  readonly keys: 'tokens' | 'credentials';
  readonly force: boolean;
}
/** Answers: any number of progress lines, then one result or error. */
export type ControlAnswer = { readonly progress: string } | { readonly result: unknown } | { readonly error: string };

/** Serves the control socket (mode 0600: the cloud's owner alone). */
export function serveControl(paths: Paths, handle: (request: ControlRequest, progress: (text: string) => void) => Promise<unknown>): Promise<Server> {
  rmSync(paths.control, { force: true });
  const server = createServer((socket) => {
    let text = '';
    socket.setEncoding('utf8');
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: string) => {
      text += chunk;
      const end = text.indexOf('\n');
      if (end < 0) {
        if (text.length > 10_000) socket.destroy();
        return;
      }
      const line = text.slice(0, end);
      text = '';
      const send = (answer: ControlAnswer): void => void socket.write(`${JSON.stringify(answer)}\n`);
      let request: ControlRequest;
      try {
        request = JSON.parse(line) as ControlRequest;
      } catch {
        send({ error: 'not a request' });
        return;
      }
      handle(request, (progress) => send({ progress })).then(
        (result) => {
          send({ result: result ?? null });
          socket.end();
        },
        (error: unknown) => {
          send({ error: error instanceof Error ? error.message : String(error) });
          socket.end();
        },
      );
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(paths.control, () => {
      chmodSync(paths.control, 0o600);
      resolve(server);
    });
  });
}

/** Asks the running cloud; rejects when it does not listen. */
export function askControl(paths: Paths, request: ControlRequest, onProgress: (text: string) => void = () => {}): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = connect(paths.control);
    let text = '';
    let ended = false;
    socket.setEncoding('utf8');
    socket.once('error', reject);
    socket.once('connect', () => socket.write(`${JSON.stringify(request)}\n`));
    socket.on('data', (chunk: string) => {
      text += chunk;
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
        const answer = JSON.parse(text.slice(0, end)) as ControlAnswer;
        text = text.slice(end + 1);
        if ('progress' in answer) onProgress(answer.progress);
        else {
          ended = true;
          if ('error' in answer) reject(new Error(answer.error));
          else resolve(answer.result);
        }
      }
    });
    socket.once('close', () => {
      if (!ended) reject(new Error('the cloud closed the connection'));
    });
  });
}
