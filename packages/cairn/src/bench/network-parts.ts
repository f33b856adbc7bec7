import type { ChildProcess } from 'node:child_process';
import type { Bench } from './api.ts';
import type { BoundPort } from './standin.ts';

/** What measurements of the living network are made of. */

const LIMIT_MS = 300_000;

// bodies are read as what the API says they are
export const create = async ({ load }: Bench, kind: string, values: object): Promise<any> =>
  (await load.json({ method: 'POST', path: `/network/v2.0/${kind.replaceAll('_', '-')}s`, body: { [kind]: values } }))[kind];
export const remove = async ({ load }: Bench, path: string): Promise<void> => void (await load.json({ method: 'DELETE', path: `/network/v2.0/${path}` }));
const hostOf = async ({ load }: Bench): Promise<string> => (await load.json({ method: 'GET', path: '/network/v2.0/agents' })).agents[0].host;

/** A network with a subnet. */
export async function netOf(bench: Bench, name: string, cidr: string): Promise<{ id: string; subnet: { id: string; gateway_ip: string } }> {
  const { id } = await create(bench, 'network', { name });
  return { id, subnet: await create(bench, 'subnet', { network_id: id, ip_version: 4, cidr }) };
}

/** Ports of guests that are on the host, which is told of them. */
export async function bound(bench: Bench, count: number, values: object): Promise<BoundPort[]> {
  const one = { ...values, device_owner: 'compute:nova', device_id: 'bench', 'binding:host_id': await hostOf(bench) };
  const ports: BoundPort[] = [];
  while (ports.length < count) {
    const many = Array.from({ length: Math.min(50, count - ports.length) }, () => one);
    ports.push(...(await bench.load.json({ method: 'POST', path: '/network/v2.0/ports', body: { ports: many } })).ports);
  }
  return ports;
}

/** A rule that lets TCP to a port in. */
export const letIn = (group: string, at: number): object => ({
  security_group_id: group,
  direction: 'ingress',
  protocol: 'tcp',
  port_range_min: at,
  port_range_max: at,
});

/** The next line that a program says; rejects when it ends, or is silent for long. */
export const nextLine = (child: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    let said = '';
    const timer = setTimeout(() => done(() => reject(new Error(`no packet came through within ${LIMIT_MS} ms`))), LIMIT_MS);
    const read = (chunk: Buffer): void => {
      said += chunk.toString();
      if (said.endsWith('\n')) done(() => resolve(said.trim()));
    };
    const ended = (code: number | null): void => done(() => reject(new Error(`a program of the measurement ended with ${code}`)));
    const done = (then: () => void): void => {
      clearTimeout(timer);
      child.stdout?.off('data', read);
      child.off('exit', ended);
      then();
    };
    child.stdout?.on('data', read);
    child.on('exit', ended);
  });
