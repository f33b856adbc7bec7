import { DatabaseSync } from 'node:sqlite';
import type { Bench } from './api.ts';
import { type Call, type Cost, until } from './load.ts';
import type { Figure } from './report.ts';

/** How many rows of each kind there are in the end, and over how many other projects they are spread. */
const ROWS = 100_000;
const PROJECTS = 1_000;
/** Rows of each kind that the measured project has itself. */
const OWN = 100;
const PAGE = 100;
const GOAL = 1.5;
/** Names of what measuring makes begin with it. */
const MEASURED = 'measured';

/** A cloud that can be stopped, worked on and started again. */
export interface Restartable {
  readonly database: string;
  start(): Promise<Bench>;
  stop(bench: Bench): Promise<void>;
}

/** What pages and creations cost with few rows in the tables and with many. */
export async function growth(cloud: Restartable): Promise<Figure[]> {
  const few = await cloud.start();
  let measured: ReadonlyMap<string, Cost>;
  let net: string;
  try {
    net = await prepare(few);
    measured = await costs(few, net);
  } finally {
    await cloud.stop(few);
  }
  multiply(cloud.database, net);
  const many = await cloud.start();
  try {
    const grown = await costs(many, net);
    return [...measured].flatMap(([name, before]) => figures(name, before, grown.get(name) ?? before));
  } finally {
    await cloud.stop(many);
  }
}

function figures(name: string, before: Cost, after: Cost): Figure[] {
  const note = `p50 ${before.p50Ms.toFixed(2)} and ${after.p50Ms.toFixed(2)} ms`;
  return [
    { name: `${name}: CPU, ${OWN} rows`, value: before.cpuMs, unit: 'ms' },
    { name: `${name}: CPU, ${ROWS} rows`, value: after.cpuMs, unit: 'ms', note },
    { name: `${name}: growth`, value: after.cpuMs / before.cpuMs, unit: 'ratio', goal: GOAL },
  ];
}

/** A network, and servers, ports and volumes on it, to measure with and to copy. Returns the network. */
async function prepare({ load, projectId }: Bench): Promise<string> {
  await load.json({ method: 'PUT', path: `/compute/v2.1/os-quota-sets/${projectId}`, body: { quota_set: { instances: -1, cores: -1, ram: -1 } } });
  await load.json({ method: 'PUT', path: `/network/v2.0/quotas/${projectId}`, body: { quota: { port: -1 } } });
  await load.json({ method: 'PUT', path: `/volume/v3/os-quota-sets/${projectId}`, body: { quota_set: { volumes: -1, gigabytes: -1 } } });
  const { network } = await load.json({ method: 'POST', path: '/network/v2.0/networks', body: { network: { name: 'bench-growth' } } });
  await load.json({ method: 'POST', path: '/network/v2.0/subnets', body: { subnet: { network_id: network.id, ip_version: 4, cidr: '10.248.0.0/16' } } });
  for (const call of Object.values(await creations(load, network.id, 'growth'))) for (let i = 0; i < OWN; i++) await load.json(call(i));
  return network.id;
}

async function creations(load: Bench['load'], network: string, name: string): Promise<Readonly<Record<'server' | 'port' | 'volume', (i: number) => Call>>> {
  const { images } = await load.json({ method: 'GET', path: '/image/v2/images?name=cirros' });
  return {
    server: (i) => ({
      method: 'POST',
      path: '/compute/v2.1/servers',
      body: { server: { name: `${name}-${i}`, imageRef: images[0].id, flavorRef: '42', networks: [{ uuid: network }] } },
    }),
    port: (i) => ({ method: 'POST', path: '/network/v2.0/ports', body: { port: { network_id: network, name: `${name}-${i}` } } }),
    volume: (i) => ({ method: 'POST', path: '/volume/v3/volumes', body: { volume: { name: `${name}-${i}`, size: 1 } } }),
  };
}

async function costs({ load, projectId }: Bench, network: string): Promise<ReadonlyMap<string, Cost>> {
  const found = new Map<string, Cost>();
  const settled = (): Promise<number> =>
    until(async () => (await load.json({ method: 'GET', path: '/compute/v2.1/servers?status=BUILD&limit=1' })).servers.length === 0, 60_000, 50);
  await settled();
  const lists: readonly [string, string][] = [
    ["list of the project's servers", `/compute/v2.1/servers/detail?limit=${PAGE}`],
    ["list of all projects' servers", `/compute/v2.1/servers/detail?limit=${PAGE}&all_tenants=1`],
    ["list of the project's ports", `/network/v2.0/ports?limit=${PAGE}&project_id=${projectId}`],
    ["list of all projects' ports", `/network/v2.0/ports?limit=${PAGE}`],
    ["list of the project's volumes", `/volume/v3/volumes/detail?limit=${PAGE}`],
    ["list of all projects' volumes", `/volume/v3/volumes/detail?limit=${PAGE}&all_tenants=1`],
  ];
  for (const [name, path] of lists) found.set(name, await load.measure(500, 1, () => ({ method: 'GET', path })));
  for (const [name, path, key] of [
    ['server', '/compute/v2.1/servers', 'servers'],
    ['port', '/network/v2.0/ports', 'ports'],
    ['volume', '/volume/v3/volumes', 'volumes'],
  ] as const) {
    const [one] = (await load.json({ method: 'GET', path: `${path}?limit=1${key === 'ports' ? `&project_id=${projectId}` : ''}` }))[key];
    found.set(`show a ${name}`, await load.measure(1_000, 1, () => ({ method: 'GET', path: `${path}/${one.id}` })));
  }
  for (const [name, call] of Object.entries(await creations(load, network, MEASURED))) {
    // what a creation sets off is part of its cost
    found.set(`create a ${name}`, await load.measure(name === 'port' ? 500 : 200, 1, call, name === 'server' ? settled : undefined));
  }
  await removeMeasured(load, projectId);
  return found;
}

/** What measuring made goes, so that the project has as much the next time: its own network and groups do not grow. */
async function removeMeasured(load: Bench['load'], projectId: string): Promise<void> {
  for (const [path, key] of [
    ['/compute/v2.1/servers', 'servers'],
    ['/network/v2.0/ports', 'ports'],
    ['/volume/v3/volumes', 'volumes'],
  ] as const) {
    await until(
      async () => {
        const { [key]: all } = await load.json({ method: 'GET', path: `${path}?limit=1000${key === 'ports' ? `&project_id=${projectId}` : ''}` });
        const mine = (all as { id: string; name: string }[]).filter((one) => one.name.startsWith(MEASURED));
        for (const { id } of mine) await load.send({ method: 'DELETE', path: `${path}/${id}` });
        return mine.length === 0;
      },
      120_000,
      100,
    );
  }
}

/** A new id of the usual form, in SQL. */
const uuid = (hex: string): string =>
  `substr(${hex},1,8)||'-'||substr(${hex},9,4)||'-4'||substr(${hex},14,3)||'-8'||substr(${hex},18,3)||'-'||substr(${hex},21,12)`;

/**
 * Copies one server, port and volume to `ROWS` rows of other projects, each of which gets a network, a subnet and a security group. The
 * copies live on hosts that are not connected, so that no host looks for their guests.
 */
function multiply(path: string, network: string): void {
  const db = new DatabaseSync(path);
  try {
    db.exec('begin');
    db.exec('create temp table project (n integer primary key, id text, network text, subnet text, security_group text)');
    db.exec('create temp table copy (n integer primary key, project integer, server text, port text, volume text, address text, ip_key text, mac text)');
    const count = (rows: number): string => `with recursive count(n) as (select 0 union all select n + 1 from count where n + 1 < ${rows})`;
    const id = uuid('lower(hex(randomblob(16)))').replaceAll('lower(hex(randomblob(16)))', 'h');
    const hex = (n: number): string => `(select lower(hex(randomblob(16))) || substr('', 1, count.n + ${n}) as h)`;
    const fresh = (n: number): string => `(select ${id} from ${hex(n)})`;
    db.exec(`insert into project ${count(PROJECTS)} select n, lower(hex(randomblob(16))), ${fresh(1)}, ${fresh(2)}, ${fresh(3)} from count`);
    db.exec(`insert into copy ${count(ROWS)} select n, n % ${PROJECTS}, ${fresh(1)}, ${fresh(2)}, ${fresh(3)},
      '10.248.' || (1 + n / ${PROJECTS} / 200) || '.' || (1 + n / ${PROJECTS} % 200), printf('0af8%02x%02x', 1 + n / ${PROJECTS} / 200, 1 + n / ${PROJECTS} % 200),
      printf('fa:17:%02x:%02x:%02x:%02x', n >> 24, (n >> 16) & 255, (n >> 8) & 255, n & 255) from count`);

    const columns = (table: string): string[] => (db.prepare(`select name from pragma_table_info('${table}')`).all() as { name: string }[]).map((c) => c.name);
    /** Copies the row of `table` that `where` names for every row of `source`, with other values in some columns; without those that count by themselves. */
    const copy = (table: string, source: 'project' | 'copy', where: string, set: Readonly<Record<string, string>>): void => {
      const names = columns(table).filter((name) => name !== 'seq');
      for (const name of Object.keys(set)) if (!names.includes(name)) throw new Error(`${table} has no column ${name}`);
      const from = source === 'copy' ? 'copy join project on project.n = copy.project' : 'project';
      const template = db.prepare(`select count(*) as n from ${table} t where ${where}`).get() as { n: number };
      if (template.n === 0) throw new Error(`there is no row of ${table} to copy`);
      db.exec(`insert into ${table} (${names.join(', ')}) select ${names.map((name) => set[name] ?? `t.${name}`).join(', ')}
        from ${from} cross join (select * from ${table} t where ${where} limit 1) t order by ${source}.n`);
    };
    const text = (value: unknown): string => `'${String(value).replaceAll("'", "''")}'`;
    const row = (sql: string): Record<string, unknown> => db.prepare(sql).get() as Record<string, unknown>;
    const server = row(
      `select s.id, s.project_id, p.port_id from nova_server s join nova_server_port p on p.server_id = s.id where s.vm_state = 'active' order by s.seq limit 1`,
    );
    const [ofServer, ofPort, ofProject, ofNetwork] = [text(server.id), text(server.port_id), text(server.project_id), text(network)];
    const host = "'elsewhere-' || (copy.n % 100)";
    // older and younger than what the project has itself
    const at = (column: string): string => `t.${column} - ${ROWS / 2} + copy.n`;

    copy('neutron_network', 'project', `t.id = ${ofNetwork}`, { id: 'project.network', project_id: 'project.id', segmentation_id: '1000000 + project.n' });
    copy('neutron_subnet', 'project', `t.network_id = ${ofNetwork}`, {
      id: 'project.subnet',
      project_id: 'project.id',
      network_id: 'project.network',
      network_project_id: 'project.id',
    });
    copy('neutron_ip_free', 'project', `t.subnet_id in (select id from neutron_subnet where network_id = ${ofNetwork})`, { subnet_id: 'project.subnet' });
    copy('neutron_security_group', 'project', `t.project_id = ${ofProject} and t.is_default = 1`, { id: 'project.security_group', project_id: 'project.id' });
    copy('neutron_port', 'copy', `t.id = ${ofPort}`, {
      id: 'copy.port',
      project_id: 'project.id',
      network_id: 'project.network',
      network_project_id: 'project.id',
      mac_address: 'copy.mac',
      device_id: 'copy.server',
      binding_host: host,
      created_at_ms: at('created_at_ms'),
    });
    copy('neutron_ip_allocation', 'copy', `t.port_id = ${ofPort}`, {
      network_id: 'project.network',
      subnet_id: 'project.subnet',
      port_id: 'copy.port',
      ip_address: 'copy.address',
      ip_key: 'copy.ip_key',
    });
    copy('neutron_port_security_group', 'copy', `t.port_id = ${ofPort}`, { port_id: 'copy.port', security_group_id: 'project.security_group' });
    copy('nova_server', 'copy', `t.id = ${ofServer}`, {
      id: 'copy.server',
      project_id: 'project.id',
      host,
      node: host,
      launched_on: host,
      created_at_ms: at('created_at_ms'),
      name: "'copy-' || copy.n",
    });
    copy('nova_server_port', 'copy', `t.server_id = ${ofServer}`, { port_id: 'copy.port', server_id: 'copy.server', network_id: 'project.network' });
    copy('nova_block_device', 'copy', `t.server_id = ${ofServer}`, { id: 'copy.server', disk_id: 'copy.server', server_id: 'copy.server' });
    copy('nova_action', 'copy', `t.server_id = ${ofServer}`, { server_id: 'copy.server', project_id: 'project.id' });
    copy('nova_usage', 'project', `t.project_id = ${ofProject}`, {
      project_id: 'project.id',
      instances: String(ROWS / PROJECTS),
      cores: String(ROWS / PROJECTS),
    });
    copy('placement_consumer', 'copy', `t.id = ${ofServer}`, { id: 'copy.server', project_id: 'project.id' });
    copy('cinder_volume', 'copy', `t.status = 'available'`, {
      id: 'copy.volume',
      disk_id: 'copy.volume',
      project_id: 'project.id',
      host,
      created_at_ms: at('created_at_ms'),
      name: "'copy-' || copy.n",
    });
    copy('cinder_usage', 'project', `t.project_id = ${ofProject}`, {
      project_id: 'project.id',
      volumes: String(ROWS / PROJECTS),
      volume_gb: String(ROWS / PROJECTS),
    });
    db.exec('commit');
    db.exec('pragma wal_checkpoint(truncate)');
  } finally {
    db.close();
  }
}
