import type { Bench } from './api.ts';
import type { Figure } from './report.ts';

const FEW = 100;
const MANY = 10_000;
const ASKED = 400;

/** What making a port on a network costs with a hundred ports there, and with ten thousand. */
export async function manyPorts({ load, projectId }: Bench): Promise<Figure[]> {
  await load.json({ method: 'PUT', path: `/network/v2.0/quotas/${projectId}`, body: { quota: { port: -1 } } });
  const { network } = await load.json({ method: 'POST', path: '/network/v2.0/networks', body: { network: { name: 'bench-ports' } } });
  await load.json({ method: 'POST', path: '/network/v2.0/subnets', body: { subnet: { network_id: network.id, ip_version: 4, cidr: '10.6.0.0/16' } } });
  const path = '/network/v2.0/ports';
  let there = 0;
  const fill = async (upTo: number): Promise<void> => {
    for (; there < upTo; there += 50) {
      const ports = Array.from({ length: 50 }, (_, i) => ({ network_id: network.id, name: `bench-${there + i}` }));
      await load.json({ method: 'POST', path, body: { ports } });
    }
  };
  const cost = async () => {
    const made: string[] = [];
    const measured = await load.measure(ASKED, 1, () => ({ method: 'POST', path, body: { port: { network_id: network.id, name: 'bench-measured' } } }));
    const { ports } = await load.json({ method: 'GET', path: `${path}?name=bench-measured&fields=id` });
    for (const { id } of ports as { id: string }[]) made.push(id);
    for (const id of made) await load.json({ method: 'DELETE', path: `${path}/${id}` });
    return measured;
  };
  await fill(FEW);
  // the first time is of code that is not compiled yet
  await cost();
  const few = await cost();
  await fill(MANY);
  const many = await cost();
  const note = `p50 ${few.p50Ms.toFixed(2)} and ${many.p50Ms.toFixed(2)} ms, CPU ${few.cpuMs.toFixed(2)} and ${many.cpuMs.toFixed(2)} ms`;
  return [{ name: `port create with ${MANY} ports on its network, against ${FEW}: CPU`, value: many.cpuMs / few.cpuMs, unit: 'ratio', goal: 1.1, note }];
}
