import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../testing/free-port.ts';

/** Where Debian and the release archives put it; CAIRN_NATS_SERVER overrides. */
export function natsServerPath(): string | undefined {
  const places = [process.env.CAIRN_NATS_SERVER, '/usr/sbin/nats-server', '/usr/bin/nats-server', '/usr/local/bin/nats-server'];
  return places.find((path) => path !== undefined && existsSync(path));
}

export interface NatsTestServer {
  readonly url: string;
  /** Kills the server, as a lost connection would; `restart` brings it back on the same port. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** A nats-server on loopback, on a port that is free. For tests. */
export async function startNatsServer(path: string): Promise<NatsTestServer> {
  const port = await freePort();
  let child = await launch(path, port);
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  };
  return {
    url: `nats://127.0.0.1:${port}`,
    kill,
    stop: kill,
    restart: async () => {
      await kill();
      child = await launch(path, port);
    },
  };
}

async function launch(path: string, port: number): Promise<ChildProcess> {
  const child = spawn(path, ['--addr', '127.0.0.1', '--port', String(port)], { stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  const ready = new Promise<void>((resolve, reject) => {
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.includes('Server is ready')) resolve();
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`nats-server ended with ${code}: ${output}`)));
  });
  const timeout = new AbortController();
  try {
    await Promise.race([
      ready,
      sleep(10_000, undefined, { signal: timeout.signal, ref: false }).then(() => {
        throw new Error(`nats-server was not ready within 10 s: ${output}`);
      }),
    ]);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  } finally {
    timeout.abort();
  }
  return child;
}
