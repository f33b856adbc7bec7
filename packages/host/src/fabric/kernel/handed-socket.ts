import { start } from '../../process/run.ts';

const TIMEOUT_MS = 20_000;

/**
 * A socket that another namespace's helper opened. A socket belongs for good to the namespace that it was made in, whoever holds it. So `helper`,
 * the text of a program, is started there and told `what`; it hands its socket over Node's own channel (`process.send({ ok: true }, socket)`, or
 * `process.send({ error })`), and ends.
 */
export function handedSocket<S>(netns: string, helper: string, what: Readonly<Record<string, string | number>>): Promise<S> {
  return new Promise((resolve, reject) => {
    const child = start(process.execPath, ['-e', helper], { netns, dieWithParent: true, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    const settle = (give: () => void): void => {
      clearTimeout(timer);
      child.removeAllListeners();
      child.on('error', () => {});
      child.kill('SIGKILL');
      give();
    };
    const fail = (error: Error): void => settle(() => reject(error));
    const timer = setTimeout(() => fail(new Error(`no socket in ${netns} after ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
    child.on('message', (message: { readonly error?: string }, handle) =>
      message.error === undefined ? settle(() => resolve(handle as S)) : fail(new Error(`cannot listen in ${netns}: ${message.error}`)),
    );
    child.on('error', fail);
    child.on('exit', (code) => fail(new Error(`the helper in ${netns} ended with status ${code}`)));
    child.send(what);
  });
}
