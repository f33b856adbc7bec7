import type { Figure } from './report.ts';
import { type Call, cpuMs, type Load, median, until } from './load.ts';

/** What the API figures are measured with. */
export interface Bench {
  readonly load: Load;
  readonly pid: number;
  readonly url: string;
  readonly imagesDir: string;
  readonly adminPassword: string;
  readonly projectId: string;
  readonly userId: string;
}

const login = (password: string) => ({
  method: 'POST',
  path: '/identity/v3/auth/tokens',
  body: {
    auth: {
      identity: { methods: ['password'], password: { user: { name: 'admin', domain: { id: 'default' }, password } } },
      scope: { project: { name: 'admin', domain: { id: 'default' } } },
    },
  },
});

/** Tokens: by password, and validation. */
export async function tokens({ load, adminPassword }: Bench): Promise<Figure[]> {
  const issue = await load.measure(1_500, 1, () => login(adminPassword));
  const check = await load.measure(1_500, 1, () => ({ method: 'GET', path: '/identity/v3/auth/tokens', headers: { 'x-subject-token': load.token } }));
  const busy = await load.measure(20_000, 16, () => ({ method: 'GET', path: '/identity/v3/auth/tokens', headers: { 'x-subject-token': load.token } }));
  return [
    { name: 'token by password, repeated: p50', value: issue.p50Ms, unit: 'ms', goal: 2 },
    { name: 'token by password, repeated: CPU', value: issue.cpuMs, unit: 'ms', goal: 0.5 },
    { name: 'token validation: p50', value: check.p50Ms, unit: 'ms', goal: 1 },
    { name: 'token validation: CPU, 16 connections', value: busy.cpuMs, unit: 'ms', goal: 0.1 },
    { name: 'token validation: rate, 16 connections', value: busy.perSecond, unit: '/s', goal: 8_000 },
  ];
}

/** Networks, subnets, ports, security groups; everything made is removed. */
export async function network(bench: Bench): Promise<Figure[]> {
  const { load, projectId } = bench;
  await load.json({
    method: 'PUT',
    path: `/network/v2.0/quotas/${projectId}`,
    body: { quota: { network: -1, subnet: -1, port: -1, security_group: -1, security_group_rule: -1 } },
  });
  const made: string[] = [];
  const figures: Figure[] = [];
  const sequential = async (count: number, work: (i: number) => Promise<void>): Promise<{ p50: number; cpu: number }> => {
    for (let i = 0; i < count / 2; i++) await work(-1 - i);
    const times: number[] = [];
    const before = cpuMs(bench.pid);
    for (let i = 0; i < count; i++) {
      const startMs = performance.now();
      await work(i);
      times.push(performance.now() - startMs);
    }
    return { p50: median(times), cpu: (cpuMs(bench.pid) - before) / count };
  };
  const create = async (i: number): Promise<string> => {
    const { network: n } = await load.json({ method: 'POST', path: '/network/v2.0/networks', body: { network: { name: `bench-${i}` } } });
    made.push(n.id);
    return n.id;
  };
  const only = await sequential(600, async (i) => void (await create(i)));
  figures.push({ name: 'POST network: p50', value: only.p50, unit: 'ms', goal: 5 }, { name: 'POST network: CPU', value: only.cpu, unit: 'ms', goal: 1 });
  const wide = await create(1_000_000);
  const subnets: string[] = [];
  const both = await sequential(400, async (i) => {
    const body = { subnet: { network_id: await create(10_000 + i), ip_version: 4, cidr: '10.1.0.0/24' } };
    subnets.push((await load.json({ method: 'POST', path: '/network/v2.0/subnets', body })).subnet.id);
  });
  figures.push(
    { name: 'POST network + subnet: p50', value: both.p50, unit: 'ms', goal: 8 },
    { name: 'POST network + subnet: CPU', value: both.cpu, unit: 'ms', goal: 2 },
  );
  const list = await load.measure(1_000, 1, () => ({ method: 'GET', path: '/network/v2.0/networks?limit=100' }));
  figures.push({ name: 'list 100 networks: CPU', value: list.cpuMs, unit: 'ms', goal: 0.6 });
  const bulk = await bulks(bench, wide);
  figures.push({ name: '500 ports in bulks of 50: per port', value: bulk, unit: 'ms', goal: 1.5 });
  const ports = await load.measure(300, 1, () => ({ method: 'GET', path: '/network/v2.0/ports?limit=500' }));
  figures.push({ name: 'list 500 ports: CPU', value: ports.cpuMs, unit: 'ms', goal: 3 });
  const group = (await load.json({ method: 'POST', path: '/network/v2.0/security-groups', body: { security_group: { name: 'bench' } } })).security_group
    .id as string;
  const rules = await sequential(600, async (i) => {
    await load.json({
      method: 'POST',
      path: '/network/v2.0/security-group-rules',
      body: {
        security_group_rule: { security_group_id: group, direction: 'ingress', protocol: 'tcp', port_range_min: 20_000 + i, port_range_max: 20_000 + i },
      },
    });
  });
  figures.push(
    { name: 'security-group rule: p50', value: rules.p50, unit: 'ms', goal: 5 },
    { name: 'security-group rule: CPU', value: rules.cpu, unit: 'ms', goal: 0.5 },
  );
  await load.json({ method: 'DELETE', path: `/network/v2.0/security-groups/${group}` });
  for (;;) {
    const { ports: rest } = await load.json({ method: 'GET', path: '/network/v2.0/ports?limit=500&device_owner=' });
    const mine = (rest as { id: string; network_id: string }[]).filter((p) => made.includes(p.network_id));
    if (mine.length === 0) break;
    await Promise.all(mine.map((p) => load.send({ method: 'DELETE', path: `/network/v2.0/ports/${p.id}` })));
  }
  const pairs = made.splice(-22);
  const subnetsOfPairs = subnets.splice(-22);
  const deleteMs = performance.now();
  for (const [i, id] of pairs.entries()) {
    await load.json({ method: 'DELETE', path: `/network/v2.0/subnets/${subnetsOfPairs[i]}` });
    await load.json({ method: 'DELETE', path: `/network/v2.0/networks/${id}` });
  }
  figures.push({ name: 'delete 22 network + subnet pairs, one after another', value: performance.now() - deleteMs, unit: 'ms', goal: 500 });
  await Promise.all(made.map((id) => load.send({ method: 'DELETE', path: `/network/v2.0/networks/${id}` })));
  return figures;
}

/** Makes 500 ports on a network that has room for them, in bulks of 50; milliseconds per port. */
async function bulks({ load }: Bench, network: string): Promise<number> {
  await load.json({ method: 'POST', path: '/network/v2.0/subnets', body: { subnet: { network_id: network, ip_version: 4, cidr: '10.2.0.0/16' } } });
  const times: number[] = [];
  for (let i = 0; i < 10; i++) {
    const startMs = performance.now();
    await load.json({
      method: 'POST',
      path: '/network/v2.0/ports',
      body: { ports: Array.from({ length: 50 }, (_, k) => ({ network_id: network, name: `bench-${i}-${k}` })) },
    });
    times.push((performance.now() - startMs) / 50);
  }
  return times.reduce((sum, one) => sum + one, 0) / times.length;
}

/** Image records. */
export async function images({ load }: Bench): Promise<Figure[]> {
  const create = await load.measure(1_000, 1, (i) => ({
    method: 'POST',
    path: '/image/v2/images',
    body: { name: `bench-${i}`, disk_format: 'raw', container_format: 'bare' },
  }));
  const list = await load.measure(1_000, 1, () => ({ method: 'GET', path: '/image/v2/images?limit=100' }));
  for (;;) {
    const { images: page } = await load.json({ method: 'GET', path: '/image/v2/images?limit=1000' });
    const mine = (page as { id: string; name: string | null }[]).filter((i) => i.name?.startsWith('bench-'));
    if (mine.length === 0) break;
    for (const i of mine) await load.send({ method: 'DELETE', path: `/image/v2/images/${i.id}` });
  }
  return [
    { name: 'image record create: CPU', value: create.cpuMs, unit: 'ms', goal: 0.5 },
    { name: 'list 100 images: CPU', value: list.cpuMs, unit: 'ms', goal: 0.5 },
  ];
}

/** Volumes from creation to available and away: one after the other, and 21 at once; and their list. */
export async function volumes({ load, projectId }: Bench): Promise<Figure[]> {
  await load.json({ method: 'PUT', path: `/volume/v3/os-quota-sets/${projectId}`, body: { quota_set: { volumes: -1, gigabytes: -1 } } });
  const path = '/volume/v3/volumes';
  const create = (name: string): Call => ({ method: 'POST', path, body: { volume: { name: `bench-${name}`, size: 1 } } });
  const mine = async (): Promise<{ id: string; status: string }[]> =>
    ((await load.json({ method: 'GET', path: `${path}/detail` })).volumes as { id: string; name: string | null; status: string }[]).filter((one) =>
      one.name?.startsWith('bench-'),
    );
  const clear = async (): Promise<void> => {
    await until(async () => (await mine()).every((one) => one.status !== 'creating'), 30_000, 5);
    for (const { id, status } of await mine()) if (status !== 'deleting') await load.send({ method: 'DELETE', path: `${path}/${id}` });
    await until(async () => (await mine()).length === 0, 60_000, 20);
  };
  const times: number[] = [];
  for (let i = 0; i < 8; i++) {
    const startMs = performance.now();
    const { volume } = await load.json(create(`${i}`));
    await until(async () => (await load.json({ method: 'GET', path: `${path}/${volume.id}` })).volume.status === 'available', 30_000, 2);
    times.push(performance.now() - startMs);
  }
  await clear();
  const made = async (): Promise<number> =>
    until(async () => (await load.json({ method: 'GET', path: `${path}?status=creating&limit=1` })).volumes.length === 0, 30_000, 20);
  const accepted = await load.measure(300, 1, (i) => create(`accepted-${i}`), made);
  await clear();
  const startMs = performance.now();
  await Promise.all(Array.from({ length: 21 }, (_, i) => load.json(create(`burst-${i}`))));
  await until(async () => (await mine()).every((one) => one.status === 'available'), 60_000, 5);
  const burstMs = performance.now() - startMs;
  const list = await load.measure(1_000, 1, () => ({ method: 'GET', path: `${path}/detail` }));
  await clear();
  return [
    { name: 'volume accepted: p50', value: accepted.p50Ms, unit: 'ms', goal: 5 },
    { name: 'volume accepted: CPU, the making of it included', value: accepted.cpuMs, unit: 'ms', goal: 1 },
    { name: 'volume create to available: p50', value: median(times), unit: 'ms', goal: 100 },
    { name: '21 volumes at once to available', value: burstMs, unit: 'ms', goal: 1000 },
    { name: 'list of 21 volumes with details: CPU', value: list.cpuMs, unit: 'ms', goal: 0.5 },
  ];
}
