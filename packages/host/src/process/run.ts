import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { type Confinement, confine } from './command.ts';

export interface RunOptions extends Confinement {
  /** Fed to stdin, which is closed after it; without it stdin is empty. */
  readonly input?: string | Buffer;
  /** Kills the process (and its group) after this long. Default 30 000. */
  readonly timeoutMs?: number;
  /** Kills the process when its stdout is longer. Default 4 MiB. Of stderr the first 64 KiB are kept. */
  readonly maxOutputBytes?: number;
  readonly cwd?: string;
  /** Added to the clean environment (PATH, LC_ALL=C): nothing else of Cairn's own environment is handed on. */
  readonly env?: Readonly<Record<string, string>>;
  /** Exit codes that are no failure besides 0. */
  readonly okCodes?: readonly number[];
  /** Kills the process when it aborts. */
  readonly signal?: AbortSignal;
}

export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Why a process did not end well. Its message names paths and stderr: private context, never public text. */
export class ProcessError extends Error {
  readonly reason: 'spawn' | 'exit' | 'timeout' | 'output' | 'aborted';
  readonly command: string;
  readonly args: readonly string[];
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  readonly stdout: string;
  readonly stderr: string;

  constructor(
    reason: ProcessError['reason'],
    about: {
      command: string;
      args: readonly string[];
      code?: number | null;
      signal?: NodeJS.Signals | null;
      stdout?: string;
      stderr?: string;
      why?: string;
      cause?: unknown;
    },
  ) {
    const said = (about.stderr ?? '').trim().slice(0, 2000);
    super(
      `${about.command} ${about.args.join(' ').slice(0, 400)}: ${about.why ?? reason}${said ? `: ${said}` : ''}`,
      about.cause === undefined ? undefined : { cause: about.cause },
    );
    this.name = 'ProcessError';
    this.reason = reason;
    this.command = about.command;
    this.args = about.args;
    this.code = about.code ?? undefined;
    this.signal = about.signal ?? undefined;
    this.stdout = about.stdout ?? '';
    this.stderr = about.stderr ?? '';
  }
}

const STDERR_BYTES = 64 * 1024;
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The environment of every process: programs speak English, and learn nothing of Cairn's own settings. */
export const cleanEnv = (extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv => ({ PATH: process.env.PATH ?? PATH, LC_ALL: 'C', ...extra });

/** Starts a process with argv (never a shell), confined, in a process group of its own. For what streams or stays; `run` is for the rest. */
export function start(
  command: string,
  args: readonly string[],
  options: Confinement & Pick<SpawnOptions, 'stdio' | 'cwd'> & { readonly env?: Readonly<Record<string, string>> } = {},
): ChildProcess {
  const [file, ...rest] = confine(command, args, options);
  return spawn(file, rest, { stdio: options.stdio ?? 'ignore', cwd: options.cwd, env: cleanEnv(options.env), detached: true });
}

/** Kills a process started by `start`, with its group. Absence is fine. */
export function killGroup(pid: number | undefined, signal: NodeJS.Signals = 'SIGKILL'): void {
  if (pid === undefined || pid <= 1) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/**
 * Runs a program to its end and gives its output. argv only, never a shell.
 * Rejects with ProcessError when it cannot be started, ends with another code than 0 (or `okCodes`), takes too long or says too much.
 */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { timeoutMs = 30_000, maxOutputBytes = 4 * 1024 * 1024 } = options;
  return new Promise((resolve, reject) => {
    if (options.signal?.aborted) {
      reject(new ProcessError('aborted', { command, args, cause: options.signal.reason }));
      return;
    }
    const child = start(command, args, { ...options, stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let outBytes = 0;
    let errBytes = 0;
    let ended: { reason: ProcessError['reason']; why: string; cause?: unknown } | undefined;
    const end = (reason: ProcessError['reason'], why: string, cause?: unknown): void => {
      ended ??= { reason, why, cause };
      killGroup(child.pid);
      // A grandchild that left the group could hold the pipes open for ever.
      child.stdout?.destroy();
      child.stderr?.destroy();
    };
    const timer = setTimeout(() => end('timeout', `not done after ${timeoutMs} ms`), timeoutMs);
    const onAbort = (): void => end('aborted', 'aborted', options.signal?.reason);
    options.signal?.addEventListener('abort', onAbort, { once: true });
    const settle = (): void => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
    };
    child.stdout?.on('data', (chunk: Buffer) => {
      outBytes += chunk.length;
      if (outBytes > maxOutputBytes) end('output', `more than ${maxOutputBytes} bytes of output`);
      else out.push(chunk);
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      if (errBytes < STDERR_BYTES) err.push(chunk.subarray(0, STDERR_BYTES - errBytes));
      errBytes += chunk.length;
    });
    child.on('error', (cause) => {
      settle();
      reject(new ProcessError('spawn', { command, args, why: `cannot be started (${(cause as NodeJS.ErrnoException).code ?? cause.message})`, cause }));
    });
    child.on('close', (code, signal) => {
      settle();
      const stdout = Buffer.concat(out).toString('utf8');
      const stderr = Buffer.concat(err).toString('utf8');
      if (ended) reject(new ProcessError(ended.reason, { command, args, code, signal, stdout, stderr, why: ended.why, cause: ended.cause }));
      else if (code !== null && (code === 0 || options.okCodes?.includes(code))) resolve({ code, stdout, stderr });
      else reject(new ProcessError('exit', { command, args, code, signal, stdout, stderr, why: signal ? `killed by ${signal}` : `exit status ${code}` }));
    });
    if (child.stdin) {
      // A program that ends without reading its input closes the pipe: its exit status says what matters.
      child.stdin.on('error', () => {});
      child.stdin.end(options.input);
    }
  });
}
