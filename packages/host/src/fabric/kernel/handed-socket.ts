import { start } from '../../process/run.ts';

const TIMEOUT_MS = 20_000;

/**
 * A socket that another namespace's helper opened. A socket belongs for good to the namespace that it was made in, whoever holds it. So `helper`,
 * the text of a program, is started there and told `what` in a message; it hands its socket over Node's own channel (`process.send({ ok: true },
 * socket)`, or `process.send({ error })`), and waits for its end: were it to end by itself, its end could be seen before what it sent. A socket
 * that comes too late is closed, or its port would stay taken.
 */
export function handedSocket<S extends { close(): unknown }>(netns: string, helper: string, what: Readonly<Record<string, string | number>>): Promise<S> {
  return new Promise((resolve, reject) => {
    const child = start(process.execPath, ['-e', helper], { netns, dieWithParent: true, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    const settle = (give: () => void): void => {
      clearTimeout(timer);
      // Node's own listeners stay: they make sockets of what comes
      for (const event of ['message', 'error', 'exit']) child.removeAllListeners(event);
      child.on('error', () => {});
      child.on('message', (_message, late) => (late as unknown as S | undefined)?.close());
      child.kill('SIGKILL');
      give();
    };
    const fail = (error: Error): void => settle(() => reject(error));
    const timer = setTimeout(() => fail(new Error(`no socket in ${netns} after ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
    child.on('message', (message: { readonly error?: string }, handle) =>
      message.error === undefined ? settle(() => resolve(handle as unknown as S)) : fail(new Error(`cannot listen in ${netns}: ${message.error}`)),
    );
    child.on('error', fail);
    child.on('exit', (code) => fail(new Error(`the helper in ${netns} ended with status ${code}`)));
    child.send(what);
  });
}
