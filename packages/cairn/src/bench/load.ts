import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';

/** What one kind of request cost. */
export interface Cost {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU of the cloud's process per request, user and system. */
  readonly cpuMs: number;
  readonly perSecond: number;
  readonly count: number;
}

/** One request; `expect` guards against measuring refusals. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

/** Requests before those that count: by then nearly all code that they run is compiled. */
const WARM_UP = 500;

/** Keep-alive connections to one cloud. */
export class Load {
  readonly #url: URL;
  readonly #pid: number;
  readonly #agent: Agent;
  token = '';

  constructor(url: string, pid: number, connections = 16) {
    this.#url = new URL(url);
    this.#pid = pid;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections, scheduling: 'fifo' });
  }

  send(call: Call): Promise<Answer> {
    const payload = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body));
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          host: this.#url.hostname,
          port: this.#url.port,
          agent: this.#agent,
          method: call.method,
          path: call.path,
          headers: {
            ...(this.token && { 'x-auth-token': this.token }),
            ...(payload && { 'content-type': 'application/json', 'content-length': payload.length }),
            ...call.headers,
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString() }));
          response.on('error', reject);
        },
      );
      sent.on('error', reject);
      sent.end(payload);
    });
  }

  /** The same, parsed; rejects on 4xx and 5xx with the body's beginning. */
  async json(call: Call): Promise<any> {
    const answer = await this.send(call);
    if (answer.status >= 400) throw new Error(`${call.method} ${call.path}: ${answer.status} ${answer.body.slice(0, 300)}`);
    return answer.body === '' ? undefined : JSON.parse(answer.body);
  }

  /**
   * Sends `count` requests over `connections` connections after a warm-up and tells what they cost. `settled` resolves when what the requests
   * set off is done: then that is part of the CPU.
   */
  async measure(count: number, connections: number, make: (i: number) => Call, settled: () => Promise<unknown> = async () => undefined): Promise<Cost> {
    const one = async (i: number): Promise<number> => {
      const startMs = performance.now();
      const answer = await this.send(make(i));
      if (answer.status >= 400) throw new Error(`${answer.status}: ${answer.body.slice(0, 300)}`);
      return performance.now() - startMs;
    };
    // a process that has just started runs unoptimised code: figures are of one that has warmed up
    for (let i = 0; i < Math.min(WARM_UP, count); i++) await one(-1 - i);
    await settled();
    const times: number[] = [];
    let next = 0;
    const cpuBefore = cpuMs(this.#pid);
    const startMs = performance.now();
    await Promise.all(
      Array.from({ length: connections }, async () => {
        while (next < count) times.push(await one(next++));
      }),
    );
    const elapsedMs = performance.now() - startMs;
    await settled();
    const cpu = cpuMs(this.#pid) - cpuBefore;
    times.sort((a, b) => a - b);
    return { p50Ms: at(times, 0.5), p99Ms: at(times, 0.99), cpuMs: cpu / count, perSecond: (count * 1000) / elapsedMs, count };
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** The `q` quantile of sorted numbers. */
export const at = (sorted: readonly number[], q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
export const median = (values: readonly number[]): number =>
  at(
    [...values].sort((a, b) => a - b),
    0.5,
  );

/** CPU time of a process and its ended children in milliseconds (proc(5): ticks of 10 ms). */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return [11, 12, 13, 14].reduce((sum, i) => sum + Number(fields[i]), 0) * 10;
}

/** Proportional set size of a process in MB. */
export function pssMb(pid: number): number {
  return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0) / 1024;
}

/** Polls until `done` holds; the time it took in milliseconds. */
export async function until(done: () => Promise<boolean>, limitMs: number, everyMs = 5): Promise<number> {
  const startMs = performance.now();
  while (!(await done())) {
    if (performance.now() - startMs > limitMs) throw new Error(`it did not happen within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  return performance.now() - startMs;
}
