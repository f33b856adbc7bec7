import { fork } from 'node:child_process';
import { Agent, request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { ADMIN_PASSWORD, TestCloud } from '../testing/cloud.ts';

/**
 * Measures what logins and validations cost: `node packages/keystone/src/auth-cost/measure.ts [SECONDS]`. The load comes from another process
 * over 16 kept connections; CPU is that of the server's process per answered request. Prints a table and JSON.
 */

interface Job {
  readonly name: string;
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly connections: number;
  readonly seconds: number;
}

interface Result {
  readonly count: number;
  readonly failed: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** The load: every connection sends the next request when the answer of the last is read. */
async function load(job: Job): Promise<Result> {
  const agent = new Agent({ keepAlive: true, maxSockets: job.connections });
  const times: number[] = [];
  let failed = 0;
  const endMs = performance.now() + job.seconds * 1000;
  const one = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const startedMs = performance.now();
      const outgoing = request(
        job.url,
        { method: job.method, agent, headers: { ...job.headers, ...(job.body && { 'content-length': Buffer.byteLength(job.body) }) } },
        (answer) => {
          if (answer.statusCode !== 200 && answer.statusCode !== 201) failed += 1;
          answer.resume();
          answer.once('end', () => {
            times.push(performance.now() - startedMs);
            resolve();
          });
        },
      );
      outgoing.once('error', reject);
      outgoing.end(job.body);
    });
  const startedMs = performance.now();
  await Promise.all(
    Array.from({ length: job.connections }, async () => {
      while (performance.now() < endMs) await one();
    }),
  );
  agent.destroy();
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.floor(times.length * share)] ?? 0;
  return { count: times.length, failed, seconds: (performance.now() - startedMs) / 1000, p50Ms: at(0.5), p99Ms: at(0.99) };
}

function run(job: Job): Promise<Result & { cpuMs: number }> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(import.meta.url), ['--load'], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const before = process.cpuUsage();
    child.once('message', (result: Result) => {
      const used = process.cpuUsage(before);
      child.disconnect();
      resolve({ ...result, cpuMs: (used.user + used.system) / 1000 / result.count });
    });
    child.once('error', reject);
    child.send(job);
  });
}

async function main(seconds: number): Promise<void> {
  const cloud = await TestCloud.start({ keystone: { bcryptCost: 12 } });
  // a catalog of the usual size
  const admin = await cloud.admin();
  for (const type of ['image', 'placement', 'compute', 'network', 'block-storage', 'orchestration', 'metric', 'alarm', 'rating']) {
    const service = await cloud.expect(201, admin, 'POST', '/v3/services', { service: { type, name: type } });
    for (const kind of ['public', 'internal', 'admin']) {
      await cloud.expect(201, admin, 'POST', '/v3/endpoints', {
        endpoint: { interface: kind, url: `http://10.0.0.1:8080/${type}/v1/$(project_id)s`, service_id: service.body.service.id, region_id: 'RegionOne' },
      });
    }
  }
  const person = await cloud.person(admin, 'measured');
  const login = JSON.stringify({
    auth: {
      identity: { methods: ['password'], password: { user: { name: 'measured', domain: { id: 'default' }, password: person.password } } },
      scope: { project: { id: person.projectId } },
    },
  });
  const wrong = login.replace(person.password, 'wrong-one');
  const json = { 'content-type': 'application/json' };
  const validation = { url: `${cloud.url}/v3/auth/tokens`, method: 'GET', headers: { 'x-auth-token': admin, 'x-subject-token': person.token } } as const;
  const jobs: Job[] = [
    { name: 'validation with catalog', ...validation, connections: 16, seconds },
    { name: 'validation without catalog', ...validation, url: `${validation.url}?nocatalog`, connections: 16, seconds },
    { name: 'own token only (GET /v3)', url: `${cloud.url}/v3`, method: 'GET', headers: { 'x-auth-token': person.token }, connections: 16, seconds },
    { name: 'login repeated, 1 connection', url: `${cloud.url}/v3/auth/tokens`, method: 'POST', headers: json, body: login, connections: 1, seconds },
    { name: 'login repeated, 16 connections', url: `${cloud.url}/v3/auth/tokens`, method: 'POST', headers: json, body: login, connections: 16, seconds },
    { name: 'wrong password (bcrypt 12)', url: `${cloud.url}/v3/auth/tokens`, method: 'POST', headers: json, body: wrong, connections: 1, seconds },
  ];
  const results: Record<string, unknown>[] = [];
  for (const job of jobs) {
    await run({ ...job, seconds: 1 });
    const { count, failed, seconds: took, p50Ms, p99Ms, cpuMs } = await run(job);
    results.push({ what: job.name, 'per second': Math.round(count / took), 'p50 ms': round(p50Ms), 'p99 ms': round(p99Ms), 'CPU ms': round(cpuMs), failed });
  }
  console.table(results);
  console.log(JSON.stringify(results));
  await direct(cloud, person.token, 'validate in process', (token) => cloud.keystone.face.authenticate(token, 'req-x'));
  await cloud.close();
}

/** The same without HTTP: what a service in this process pays for its caller's token. */
async function direct(cloud: TestCloud, token: string, name: string, work: (token: string) => Promise<unknown>): Promise<void> {
  const rounds = 200_000;
  for (let i = 0; i < 20_000; i++) await work(token);
  const before = process.cpuUsage();
  for (let i = 0; i < rounds; i++) await work(token);
  const used = process.cpuUsage(before);
  console.log(`${name}: ${round((used.user + used.system) / rounds)} µs CPU`);
  const fresh: string[] = [];
  for (let i = 0; i < 300; i++) fresh.push(await cloud.tokenOf({ name: 'admin', domain: { id: 'default' }, password: ADMIN_PASSWORD }));
  cloud.keystone.app.tokens.forget();
  const cold = process.cpuUsage();
  for (const each of fresh) await work(each);
  const usedCold = process.cpuUsage(cold);
  console.log(`${name}, token not seen before: ${round((usedCold.user + usedCold.system) / fresh.length)} µs CPU`);
}

const round = (value: number): number => Math.round(value * 1000) / 1000;

if (process.argv.includes('--load')) {
  process.once('message', (job: Job) => {
    void load(job).then((result) => process.send?.(result));
  });
} else if (process.argv[1] === fileURLToPath(import.meta.url)) await main(Number(process.argv[2] ?? 5));
