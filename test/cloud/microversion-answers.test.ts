import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { rankOf } from '@cairn/kit/http/microversion';
import { AnswerReview } from '../support/answer-review.ts';
import { type Answer, TestCloud } from '../support/cloud.ts';
import { schemaFor, type UpstreamCall, upstreamCalls, withoutDescriptions } from '../support/upstream.ts';

/*
 * What nova answers at which microversion: a cloud has one of everything, and each call is asked where upstream changed it, on both sides of the change. An
 * answer has what upstream's schema asks for and nothing that it does not know, at every depth; and what the schema knows was seen in some answer.
 */
const skip = withoutDescriptions;
const [MIN, MAX] = [rankOf('2.1'), rankOf('2.104')];
const textOf = (rank: number): string => `${Math.floor(rank / 10_000)}.${rank % 10_000}`;
const minorOf = (rank: number): number => rank % 10_000;

let cloud: TestCloud;
let calls: ReadonlyMap<string, UpstreamCall>;
const ids = new Map<string, string>();
const id = (name: string): string => {
  const found = ids.get(name);
  assert.ok(found, `there is no ${name}`);
  return found;
};
const call = (method: string, path: string, body?: unknown, version = '2.96'): Promise<Answer> =>
  cloud.call(method, `/compute/v2.1${path}`, body, { headers: { 'openstack-api-version': `compute ${version}` } });
const ok = async (...given: Parameters<typeof call>): Promise<Answer['body']> => {
  const answer = await call(...given);
  assert.ok(answer.status < 300, `${given[0]} ${given[1]} at ${given[3] ?? '2.96'}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
};
const statusIs = (name: string, ...wanted: readonly string[]): Promise<void> =>
  cloud.until(
    `${name}: ${wanted.join()}`,
    async () => {
      const { server } = await ok('GET', `/servers/${id(name)}`);
      return wanted.includes(server.status) && server['OS-EXT-STS:task_state'] === null;
    },
    120_000,
  );
const act = async (name: string, action: object, ...wanted: readonly string[]): Promise<void> => {
  await ok('POST', `/servers/${id(name)}/action`, action);
  await statusIs(name, ...wanted);
};

const SERVERS = ['plain', 'moved', 'booted', 'failed', 'shelved', 'resized', 'paused', 'stopped', 'rescued'] as const;

before(async () => {
  if (skip) return;
  calls = new Map(upstreamCalls('compute').map((one) => [`${one.method} ${one.path}${one.action === undefined ? '' : ` ${one.action}`}`, one]));
  cloud = await TestCloud.start({ hosts: 2 });
  const [image] = (await cloud.ok('GET', '/image/v2/images')).images;
  ids.set('image', image.id);
  const { network } = await cloud.ok('POST', '/network/v2.0/networks', { network: { name: 'n' } });
  ids.set('network', network.id);
  await cloud.ok('POST', '/network/v2.0/subnets', { subnet: { network_id: network.id, cidr: '10.9.0.0/24', ip_version: 4 } });
  for (const name of ['volume', 'spare', 'source']) {
    const { volume } = await cloud.ok('POST', '/volume/v3/volumes', { volume: { size: 1, name, ...(name === 'source' && { imageRef: image.id }) } });
    ids.set(name, volume.id);
  }
  await ok('POST', '/os-keypairs', { keypair: { name: 'mine', type: 'ssh', public_key: PUBLIC_KEY } }, '2.2');
  ids.set(
    'group',
    (await ok('POST', '/os-server-groups', { server_group: { name: 'g', policy: 'anti-affinity', rules: { max_server_per_host: 3 } } })).server_group.id,
  );
  const { aggregate } = await ok('POST', '/os-aggregates', { aggregate: { name: 'a' } });
  ids.set('aggregate', String(aggregate.id));
  await ok('POST', `/os-aggregates/${aggregate.id}/action`, { set_metadata: { metadata: { key: 'value' } } });
  const { hypervisors } = await ok('GET', '/os-hypervisors', undefined, '2.96');
  ids.set('hypervisor', hypervisors[0].id);
  ids.set('host', hypervisors[0].hypervisor_hostname);
  await ok('POST', `/os-aggregates/${aggregate.id}/action`, { add_host: { host: id('host') } });
  ids.set('old hypervisor', String((await ok('GET', '/os-hypervisors', undefined, '2.1')).hypervisors[0].id));
  for (const [flavor, ram] of [
    ['small', 512],
    ['larger', 768],
    ['huge', 90_000_000],
  ] as const)
    await ok('POST', '/flavors', { flavor: { id: flavor, name: flavor, ram, vcpus: 1, disk: 1, swap: 8, 'OS-FLV-EXT-DATA:ephemeral': 1 } }, '2.1');
  await ok('POST', '/flavors/small/os-extra_specs', { extra_specs: { 'hw:mem_page_size': 'any' } });
  await ok('POST', '/flavors', { flavor: { id: 'private', name: 'private', ram: 64, vcpus: 1, disk: 1, 'os-flavor-access:is_public': false } }, '2.1');
  const project = (await cloud.ok('GET', '/identity/v3/auth/projects')).projects[0].id;
  ids.set('project', project);
  ids.set('other project', (await cloud.ok('POST', '/identity/v3/projects', { project: { name: 'other' } })).project.id);
  await ok('PUT', `/os-quota-sets/${project}`, { quota_set: { ram: -1, cores: -1, instances: -1 } });
  await ok('POST', '/flavors/private/action', { addTenantAccess: { tenant: project } });
  await cloud.until(
    'volumes',
    async () => (await cloud.ok('GET', '/volume/v3/volumes/detail')).volumes.every((one: { status: string }) => one.status === 'available'),
    120_000,
  );
  for (const name of SERVERS) {
    const body = {
      name,
      flavorRef: name === 'failed' ? 'huge' : 'small',
      networks: [{ uuid: id('network') }],
      ...(name === 'booted'
        ? {
            block_device_mapping_v2: [
              { boot_index: 0, uuid: id('source'), source_type: 'volume', destination_type: 'volume', delete_on_termination: true, tag: 'root' },
            ],
          }
        : { imageRef: id('image') }),
      ...(name === 'plain' && { key_name: 'mine', description: 'd', tags: ['t'], metadata: { k: 'v' }, config_drive: true, user_data: 'YQ==' }),
    };
    const hints = name === 'plain' ? { 'os:scheduler_hints': { group: id('group') } } : {};
    ids.set(name, (await ok('POST', '/servers', { server: body, ...hints })).server.id);
  }
  await Promise.all(SERVERS.map((name) => statusIs(name, name === 'failed' ? 'ERROR' : 'ACTIVE')));
  await ok('POST', `/servers/${id('plain')}/os-volume_attachments`, { volumeAttachment: { volumeId: id('volume'), tag: 'foo' } });
  await Promise.all([
    act('shelved', { shelve: null }, 'SHELVED', 'SHELVED_OFFLOADED'),
    act('resized', { resize: { flavorRef: 'larger' } }, 'VERIFY_RESIZE'),
    act('paused', { pause: null }, 'PAUSED'),
    act('stopped', { 'os-stop': null }, 'SHUTOFF'),
    act('rescued', { rescue: null }, 'RESCUE'),
    act('moved', { 'os-migrateLive': { host: null, block_migration: 'auto' } }, 'ACTIVE'),
    cloud.until('the volume', async () => (await cloud.ok('GET', `/volume/v3/volumes/${id('volume')}`)).volume.status === 'in-use', 120_000),
  ]);
  await ok('POST', `/servers/${id('plain')}/action`, { lock: { locked_reason: 'r' } });
  ids.set('request', (await ok('GET', `/servers/${id('moved')}/os-instance-actions`)).instanceActions[0].request_id);
  ids.set('port', (await ok('GET', `/servers/${id('plain')}/os-interface`)).interfaceAttachments[0].port_id);
  ids.set('service', (await ok('GET', '/os-services?binary=nova-compute')).services[0].id);
  ids.set('security group', (await cloud.ok('GET', `/network/v2.0/security-groups?project_id=${project}`)).security_groups[0].id);
  ids.set('floating ip', (await ok('POST', '/os-floating-ips', undefined, '2.1')).floating_ip.id);
  ids.set(
    'console',
    (await ok('POST', `/servers/${id('plain')}/remote-consoles`, { remote_console: { protocol: 'vnc', type: 'novnc' } })).remote_console.url
      .match(/token%3D([\w-]+)|token=([\w-]+)/)
      ?.slice(1)
      .find(Boolean) ?? 'none',
  );
  await cloud.ok('POST', '/network/v2.0/security-group-rules', {
    security_group_rule: { security_group_id: id('security group'), direction: 'ingress', protocol: 'tcp', remote_ip_prefix: '10.0.0.0/8' },
  });
  const { image_id: made } = await ok('POST', `/servers/${id('moved')}/action`, { createImage: { name: 'made' } });
  ids.set('made image', made);
  await cloud.until('the image', async () => (await cloud.ok('GET', `/image/v2/images/${made}`)).status === 'active', 120_000);
  await cloud.ok('PATCH', `/image/v2/images/${made}`, JSON.stringify([{ op: 'add', path: '/auto_disk_config', value: 'True' }]), {
    headers: { 'content-type': 'application/openstack-images-v2.1-json-patch' },
  });
  await statusIs('moved', 'ACTIVE');
  const { snapshot } = await cloud.ok('POST', '/volume/v3/snapshots', { snapshot: { volume_id: id('spare'), name: 's' } });
  ids.set('snapshot', snapshot.id);
});
after(async () => {
  if (!skip) await cloud.stop();
});

const PUBLIC_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJLTxLpnJN5Lzp4EFPKH2fNZbFzJ1sCQF9Z1Y1sWHGtI me';
const PERIOD = 'start=2000-01-01T00:00:00&end=2100-01-01T00:00:00';
const each =
  (tail: string, names: readonly string[] = SERVERS) =>
  (): readonly string[] =>
    names.map((name) => `/servers/${id(name)}${tail}`);

/** What a call of the description is asked as; the first microversion that has what it asks about, where that is not the call's own. */
const READS: Readonly<Record<string, (rank: number) => readonly string[]>> = {
  'GET /v2.1/servers': () => ['/servers', '/servers?limit=1'],
  'GET /v2.1/servers/detail': () => ['/servers/detail', '/servers/detail?limit=1'],
  'GET /v2.1/servers/{}': each(''),
  'GET /v2.1/servers/{}/diagnostics': each('/diagnostics', ['moved']),
  'GET /v2.1/servers/{}/ips': each('/ips'),
  'GET /v2.1/servers/{}/ips/{}': each('/ips/n', ['plain']),
  'GET /v2.1/servers/{}/metadata': each('/metadata'),
  'GET /v2.1/servers/{}/metadata/{}': each('/metadata/k', ['plain']),
  'GET /v2.1/servers/{}/os-instance-actions': (rank) => [
    ...each('/os-instance-actions')(),
    ...(minorOf(rank) >= 58 ? each('/os-instance-actions?limit=1', ['moved'])() : []),
  ],
  'GET /v2.1/servers/{}/os-instance-actions/{}': () => [`/servers/${id('moved')}/os-instance-actions/${id('request')}`],
  'GET /v2.1/servers/{}/os-interface': each('/os-interface', ['plain', 'failed']),
  'GET /v2.1/servers/{}/os-interface/{}': () => [`/servers/${id('plain')}/os-interface/${id('port')}`],
  'GET /v2.1/servers/{}/os-security-groups': each('/os-security-groups', ['plain']),
  'GET /v2.1/servers/{}/os-server-password': each('/os-server-password', ['plain']),
  'GET /v2.1/servers/{}/os-volume_attachments': each('/os-volume_attachments', ['plain', 'booted']),
  'GET /v2.1/servers/{}/os-volume_attachments/{}': () => [`/servers/${id('plain')}/os-volume_attachments/${id('volume')}`],
  'GET /v2.1/servers/{}/migrations': each('/migrations', ['plain']),
  'GET /v2.1/servers/{}/shares': each('/shares', ['plain']),
  'GET /v2.1/servers/{}/tags': each('/tags', ['plain']),
  'GET /v2.1/servers/{}/topology': each('/topology', ['plain']),
  'GET /v2.1/flavors': () => ['/flavors', '/flavors?limit=1'],
  'GET /v2.1/flavors/detail': () => ['/flavors/detail', '/flavors/detail?limit=1'],
  'GET /v2.1/flavors/{}': () => ['/flavors/small', '/flavors/huge'],
  'GET /v2.1/flavors/{}/os-extra_specs': () => ['/flavors/small/os-extra_specs'],
  'GET /v2.1/flavors/{}/os-extra_specs/{}': () => ['/flavors/small/os-extra_specs/hw:mem_page_size'],
  'GET /v2.1/flavors/{}/os-flavor-access': () => ['/flavors/private/os-flavor-access'],
  'GET /v2.1/os-aggregates': () => ['/os-aggregates'],
  'GET /v2.1/os-aggregates/{}': () => [`/os-aggregates/${id('aggregate')}`],
  'GET /v2.1/os-availability-zone': () => ['/os-availability-zone'],
  'GET /v2.1/os-availability-zone/detail': () => ['/os-availability-zone/detail'],
  'GET /v2.1/os-hosts': () => ['/os-hosts'],
  'GET /v2.1/os-hosts/{}': () => [`/os-hosts/${id('host')}`],
  'GET /v2.1/os-hypervisors': (rank) => [
    '/os-hypervisors',
    ...(minorOf(rank) >= 53 ? ['/os-hypervisors?with_servers=true', '/os-hypervisors?limit=1'] : minorOf(rank) >= 33 ? ['/os-hypervisors?limit=1'] : []),
  ],
  'GET /v2.1/os-hypervisors/detail': (rank) => [
    '/os-hypervisors/detail',
    ...(minorOf(rank) >= 53
      ? ['/os-hypervisors/detail?with_servers=true', '/os-hypervisors/detail?limit=1']
      : minorOf(rank) >= 33
        ? ['/os-hypervisors/detail?limit=1']
        : []),
  ],
  'GET /v2.1/os-hypervisors/statistics': () => ['/os-hypervisors/statistics'],
  'GET /v2.1/os-hypervisors/{}': (rank) => [
    `/os-hypervisors/${id(minorOf(rank) < 53 ? 'old hypervisor' : 'hypervisor')}`,
    ...(minorOf(rank) >= 53 ? [`/os-hypervisors/${id('hypervisor')}?with_servers=true`] : []),
  ],
  'GET /v2.1/os-hypervisors/{}/search': () => [`/os-hypervisors/${id('host')}/search`],
  'GET /v2.1/os-hypervisors/{}/servers': () => [`/os-hypervisors/${id('host')}/servers`],
  'GET /v2.1/os-hypervisors/{}/uptime': (rank) => [`/os-hypervisors/${id(minorOf(rank) < 53 ? 'old hypervisor' : 'hypervisor')}/uptime`],
  'GET /v2.1/os-instance_usage_audit_log': () => ['/os-instance_usage_audit_log'],
  'GET /v2.1/os-instance_usage_audit_log/{}': () => ['/os-instance_usage_audit_log/2020-01-01%2000:00:00'],
  'GET /v2.1/os-keypairs': (rank) => ['/os-keypairs', ...(minorOf(rank) >= 35 ? ['/os-keypairs?limit=1'] : [])],
  'GET /v2.1/os-keypairs/{}': () => ['/os-keypairs/mine'],
  'GET /v2.1/os-migrations': (rank) => ['/os-migrations', ...(minorOf(rank) >= 59 ? ['/os-migrations?limit=1'] : [])],
  'GET /v2.1/os-quota-class-sets/{}': () => ['/os-quota-class-sets/default'],
  'GET /v2.1/os-quota-sets/{}': () => [`/os-quota-sets/${id('project')}`],
  'GET /v2.1/os-quota-sets/{}/defaults': () => [`/os-quota-sets/${id('project')}/defaults`],
  'GET /v2.1/os-quota-sets/{}/detail': () => [`/os-quota-sets/${id('project')}/detail`],
  'GET /v2.1/os-server-groups': () => ['/os-server-groups'],
  'GET /v2.1/os-server-groups/{}': () => [`/os-server-groups/${id('group')}`],
  'GET /v2.1/os-services': () => ['/os-services'],
  'GET /v2.1/os-simple-tenant-usage': (rank) => [
    `/os-simple-tenant-usage?${PERIOD}`,
    `/os-simple-tenant-usage?detailed=1&${PERIOD}`,
    ...(minorOf(rank) >= 40 ? [`/os-simple-tenant-usage?detailed=1&limit=1&${PERIOD}`] : []),
  ],
  'GET /v2.1/os-simple-tenant-usage/{}': (rank) => [
    `/os-simple-tenant-usage/${id('project')}?${PERIOD}`,
    ...(minorOf(rank) >= 40 ? [`/os-simple-tenant-usage/${id('project')}?limit=1&${PERIOD}`] : []),
  ],
  'GET /v2.1/limits': () => ['/limits'],
  'GET /v2.1/extensions': () => ['/extensions'],
  'GET /v2.1/extensions/{}': () => ['/extensions/os-aggregates'],
  'GET /v2.1/images': () => ['/images', '/images?limit=1'],
  'GET /v2.1/images/detail': () => ['/images/detail', '/images/detail?limit=1'],
  'GET /v2.1/images/{}': () => [`/images/${id('image')}`, `/images/${id('made image')}`],
  'GET /v2.1/images/{}/metadata': () => [`/images/${id('image')}/metadata`],
  'GET /v2.1/os-floating-ip-pools': () => ['/os-floating-ip-pools'],
  'GET /v2.1/os-floating-ips': () => ['/os-floating-ips'],
  'GET /v2.1/os-floating-ips/{}': () => [`/os-floating-ips/${id('floating ip')}`],
  'GET /v2.1/os-networks': () => ['/os-networks'],
  'GET /v2.1/os-networks/{}': () => [`/os-networks/${id('network')}`],
  'GET /v2.1/os-tenant-networks': () => ['/os-tenant-networks'],
  'GET /v2.1/os-tenant-networks/{}': () => [`/os-tenant-networks/${id('network')}`],
  'GET /v2.1/os-security-groups': () => ['/os-security-groups'],
  'GET /v2.1/os-security-groups/{}': () => [`/os-security-groups/${id('security group')}`],
  'GET /v2.1/os-snapshots': () => ['/os-snapshots'],
  'GET /v2.1/os-snapshots/detail': () => ['/os-snapshots/detail'],
  'GET /v2.1/os-snapshots/{}': () => [`/os-snapshots/${id('snapshot')}`],
  'GET /v2.1/os-volumes': () => ['/os-volumes'],
  'GET /v2.1/os-volumes/detail': () => ['/os-volumes/detail'],
  'GET /v2.1/os-volumes/{}': () => [`/os-volumes/${id('volume')}`, `/os-volumes/${id('spare')}`],
  'GET /v2.1/os-volumes_boot': () => ['/os-volumes_boot', '/os-volumes_boot?limit=1'],
  'GET /v2.1/os-volumes_boot/detail': () => ['/os-volumes_boot/detail', '/os-volumes_boot/detail?limit=1'],
  'GET /v2.1/os-volumes_boot/{}': () => [`/os-volumes_boot/${id('plain')}`, `/os-volumes_boot/${id('failed')}`],
  // before 2.31 it was of another console alone, and is a 400
  'GET /v2.1/os-console-auth-tokens/{}': (rank) => (minorOf(rank) < 31 ? [] : [`/os-console-auth-tokens/${id('console')}`]),
  'GET /v2.1/os-baremetal-nodes': () => ['/os-baremetal-nodes'],
};

let names = 0;
const fresh = (): string => `n${(names += 1)}`;
const NO_NETWORK = (rank: number): object => (minorOf(rank) >= 37 ? { networks: 'none' } : { networks: [{ uuid: id('network') }] });

interface Change {
  readonly path: () => string;
  readonly body: (rank: number) => unknown;
  /** After each answer, so that the next call finds what it needs. */
  afterwards?(answer: Answer['body']): Promise<unknown>;
  readonly until?: string;
}
const onServer =
  (name: string, tail = ''): (() => string) =>
  () =>
    `/servers/${id(name)}${tail}`;
const at =
  (path: string): (() => string) =>
  () =>
    path;
const CHANGES: Readonly<Record<string, Change>> = {
  'POST /v2.1/servers': {
    path: at('/servers'),
    body: (rank) => ({ server: { name: fresh(), imageRef: id('image'), flavorRef: 'small', ...NO_NETWORK(rank) } }),
  },
  'PUT /v2.1/servers/{}': { path: onServer('failed'), body: () => ({ server: { name: 'failed' } }) },
  'POST /v2.1/servers/{}/action rebuild': {
    path: onServer('moved', '/action'),
    body: () => ({ rebuild: { imageRef: id('image') } }),
    afterwards: () => statusIs('moved', 'ACTIVE'),
  },
  'POST /v2.1/servers/{}/action createImage': {
    path: onServer('moved', '/action'),
    body: () => ({ createImage: { name: fresh() } }),
    afterwards: () => statusIs('moved', 'ACTIVE'),
  },
  'POST /v2.1/servers/{}/action createBackup': {
    path: onServer('moved', '/action'),
    body: () => ({ createBackup: { name: fresh(), backup_type: 'daily', rotation: 1 } }),
    afterwards: () => statusIs('moved', 'ACTIVE'),
  },
  'POST /v2.1/servers/{}/action os-getConsoleOutput': { path: onServer('moved', '/action'), body: () => ({ 'os-getConsoleOutput': {} }) },
  'POST /v2.1/servers/{}/action os-getVNCConsole': { path: onServer('moved', '/action'), body: () => ({ 'os-getVNCConsole': { type: 'novnc' } }) },
  'POST /v2.1/servers/{}/remote-consoles': {
    path: onServer('moved', '/remote-consoles'),
    body: () => ({ remote_console: { protocol: 'vnc', type: 'novnc' } }),
  },
  'POST /v2.1/servers/{}/metadata': { path: onServer('moved', '/metadata'), body: () => ({ metadata: { k: 'v' } }) },
  'PUT /v2.1/servers/{}/metadata': { path: onServer('moved', '/metadata'), body: () => ({ metadata: { k: 'v' } }) },
  'PUT /v2.1/servers/{}/metadata/{}': { path: onServer('moved', '/metadata/k'), body: () => ({ meta: { k: 'v' } }) },
  'PUT /v2.1/servers/{}/tags': { path: onServer('moved', '/tags'), body: () => ({ tags: ['a'] }) },
  'POST /v2.1/servers/{}/os-volume_attachments': {
    path: onServer('moved', '/os-volume_attachments'),
    body: () => ({ volumeAttachment: { volumeId: id('spare') } }),
    until: '2.100',
    async afterwards() {
      const state = async (): Promise<string> => (await cloud.ok('GET', `/volume/v3/volumes/${id('spare')}`)).volume.status;
      await cloud.until('attached', async () => (await state()) === 'in-use', 120_000);
      await ok('DELETE', `/servers/${id('moved')}/os-volume_attachments/${id('spare')}`);
      await cloud.until('detached', async () => (await state()) === 'available', 120_000);
    },
  },
  'POST /v2.1/servers/{}/os-interface': {
    path: onServer('moved', '/os-interface'),
    body: () => ({ interfaceAttachment: { net_id: id('network') } }),
    async afterwards({ interfaceAttachment }) {
      await ok('DELETE', `/servers/${id('moved')}/os-interface/${interfaceAttachment.port_id}`);
      await cloud.until(
        'the interface',
        async () => (await call('GET', `/servers/${id('moved')}/os-interface/${interfaceAttachment.port_id}`)).status === 404,
        120_000,
      );
    },
  },
  'POST /v2.1/flavors': { path: at('/flavors'), body: () => ({ flavor: { name: fresh(), ram: 64, vcpus: 1, disk: 1 } }) },
  'PUT /v2.1/flavors/{}': { path: at('/flavors/huge'), body: () => ({ flavor: { description: 'd' } }) },
  'POST /v2.1/flavors/{}/os-extra_specs': { path: at('/flavors/huge/os-extra_specs'), body: () => ({ extra_specs: { 'hw:mem_page_size': 'any' } }) },
  'PUT /v2.1/flavors/{}/os-extra_specs/{}': { path: at('/flavors/huge/os-extra_specs/hw:mem_page_size'), body: () => ({ 'hw:mem_page_size': 'any' }) },
  'POST /v2.1/flavors/{}/action addTenantAccess': {
    path: at('/flavors/private/action'),
    body: () => ({ addTenantAccess: { tenant: id('other project') } }),
    afterwards: () => ok('POST', '/flavors/private/action', { removeTenantAccess: { tenant: id('other project') } }),
  },
  'POST /v2.1/flavors/{}/action removeTenantAccess': {
    path: at('/flavors/private/action'),
    body: () => ({ removeTenantAccess: { tenant: id('project') } }),
    afterwards: () => ok('POST', '/flavors/private/action', { addTenantAccess: { tenant: id('project') } }),
  },
  'POST /v2.1/os-keypairs': {
    path: at('/os-keypairs'),
    body: (rank) => ({ keypair: { name: fresh(), public_key: PUBLIC_KEY, ...(minorOf(rank) >= 2 && { type: 'ssh' }) } }),
  },
  'POST /v2.1/os-aggregates': { path: at('/os-aggregates'), body: () => ({ aggregate: { name: fresh(), availability_zone: 'london' } }) },
  'PUT /v2.1/os-aggregates/{}': { path: () => `/os-aggregates/${id('aggregate')}`, body: () => ({ aggregate: { name: fresh() } }) },
  'POST /v2.1/os-aggregates/{}/action set_metadata': {
    path: () => `/os-aggregates/${id('aggregate')}/action`,
    body: () => ({ set_metadata: { metadata: { key: 'value' } } }),
  },
  'POST /v2.1/os-aggregates/{}/action remove_host': {
    path: () => `/os-aggregates/${id('aggregate')}/action`,
    body: () => ({ remove_host: { host: id('host') } }),
    afterwards: () => ok('POST', `/os-aggregates/${id('aggregate')}/action`, { add_host: { host: id('host') } }),
  },
  'POST /v2.1/os-server-groups': {
    path: at('/os-server-groups'),
    body: (rank) => ({
      server_group: { name: fresh(), ...(minorOf(rank) < 64 ? { policies: ['affinity'] } : { policy: 'anti-affinity', rules: { max_server_per_host: 3 } }) },
    }),
  },
  'PUT /v2.1/os-quota-sets/{}': { path: () => `/os-quota-sets/${id('project')}`, body: () => ({ quota_set: { cores: -1 } }) },
  'PUT /v2.1/os-quota-class-sets/{}': { path: at('/os-quota-class-sets/default'), body: () => ({ quota_class_set: { cores: 50 } }) },
  'POST /v2.1/os-server-external-events': {
    path: at('/os-server-external-events'),
    body: () => ({ events: [{ name: 'network-changed', server_uuid: id('moved') }] }),
  },
  'POST /v2.1/os-security-groups': {
    path: at('/os-security-groups'),
    body: () => ({ security_group: { name: fresh(), description: 'd' } }),
    async afterwards({ security_group: group }) {
      ids.set('old group', group.id);
    },
  },
  'PUT /v2.1/os-security-groups/{}': {
    path: () => `/os-security-groups/${id('old group')}`,
    body: () => ({ security_group: { name: fresh(), description: 'd' } }),
  },
  'POST /v2.1/os-security-group-rules': {
    path: at('/os-security-group-rules'),
    body: () => ({
      security_group_rule: { parent_group_id: id('old group'), ip_protocol: 'tcp', from_port: (names += 1), to_port: 20_000, cidr: '10.0.0.0/8' },
    }),
  },
  'POST /v2.1/os-floating-ips': { path: at('/os-floating-ips'), body: () => ({}) },
  'POST /v2.1/os-volumes': { path: at('/os-volumes'), body: () => ({ volume: { size: 1, display_name: fresh() } }) },
  'POST /v2.1/os-snapshots': { path: at('/os-snapshots'), body: () => ({ snapshot: { volume_id: id('spare'), force: true } }) },
};

/** Known differences, and why. */
const KNOWN: readonly (readonly [call: RegExp, difference: RegExp, reason: string])[] = [
  [/./, /scheduler_hints\.\w+: never seen/, 'a hint that no server here was made with'],
  [/hypervisors/, /disk_available_least: never seen/, 'the schema keeps what 2.88 took away'],
  [/uptime/, /servers: never seen/, 'the schema is that of what else is told of a hypervisor; upstream never has servers here'],
  [/usage_audit_log/, /hosts_not_run\[\]: string "[^"]+" does not fit \{"format":"uuid"/, 'hosts have names; the schema of upstream says ids'],
  [/os-migrations/, /links: never seen/, 'of live migrations that run, and this one is over'],
  [/PUT .*servers/, /(progress|security_groups): never seen/, 'of servers that did not fail, and this one did'],
  [/rebuild/, /fault: never seen/, 'of servers that failed, and this one did not'],
  [/POST .*os-keypairs/, /private_key: never seen/, 'of keys that nova made'],
  [/external-events/, /tag: never seen/, 'of events that have one'],
  [/security-group-rules/, /group\.\w+: never seen/, 'of rules about groups, and this one is about addresses'],
  [/console-auth-tokens/, /tls_port: never seen/, 'of spice-direct consoles alone'],
];

/** Both sides of each change of an answer, within the microversions of the call. */
function edgesOf(one: UpstreamCall, until = MAX): readonly number[] {
  const [first, last] = [Math.max(one.from, MIN), Math.min(one.to, until)];
  const edges = one.answers.flatMap(({ from, to }) => [from, to]).filter((rank) => rank > first && rank < last);
  return [...new Set([first, ...edges, last])].toSorted((a, b) => a - b);
}

/** Gathers differences of one call, each once. */
class Findings {
  readonly wrong: string[] = [];
  pairs = 0;
  readonly #told = new Set<string>();

  tell(title: string, rank: number, differences: readonly string[]): void {
    for (const difference of differences) {
      if (this.#told.has(`${title} ${difference}`)) continue;
      this.#told.add(`${title} ${difference}`);
      if (!KNOWN.some(([of, what]) => of.test(title) && what.test(difference))) this.wrong.push(`${title} at ${textOf(rank)}: ${difference}`);
    }
  }
}

function described(title: string): UpstreamCall {
  const one = calls.get(title);
  assert.ok(one, `${title} is not described`);
  return one;
}
/** Volumes are booted by this old path up to 2.102; the description lost that. */
const lastOf = (title: string): number => (title.includes('os-volumes_boot') ? rankOf('2.102') : MAX);

test('what is read has what upstream has at each microversion, and is there at no other', { skip }, async (t) => {
  const findings = new Findings();
  for (const [title, paths] of Object.entries(READS)) {
    const one = described(title);
    for (const rank of edgesOf(one, lastOf(title))) {
      const schema = schemaFor(one.answers, rank);
      if (schema === undefined) continue;
      findings.pairs += 1;
      const review = new AnswerReview('nova');
      for (const path of paths(rank)) {
        const { status, body } = await call('GET', path, undefined, textOf(rank));
        findings.tell(title, rank, status === 200 ? review.differences(schema, body) : [`${path}: ${status} ${JSON.stringify(body)}`]);
      }
      findings.tell(title, rank, review.unseen());
    }
    const [path] = paths(Math.max(one.from, MIN));
    for (const rank of [one.from - 1, Math.min(one.to, lastOf(title)) + 1].filter((beyond) => beyond >= MIN && beyond <= MAX)) {
      const { status } = await call('GET', path ?? '', undefined, textOf(rank));
      if (status !== 404) findings.tell(title, rank, [`${path}: ${status}, and not 404`]);
      findings.pairs += 1;
    }
  }
  t.diagnostic(`${findings.pairs} pairs of operation and microversion`);
  assert.deepEqual(findings.wrong, []);
  assert.ok(findings.pairs > 400, String(findings.pairs));
});

test('a server has what upstream shows of it at every single microversion', { skip }, async () => {
  const findings = new Findings();
  for (const [title, path] of [
    ['GET /v2.1/servers/{}', `/servers/${id('plain')}`],
    ['GET /v2.1/servers/detail', '/servers/detail?limit=1'],
  ] as const)
    for (let rank = MIN; rank <= MAX; rank += 1) {
      const schema = schemaFor(described(title).answers, rank);
      assert.ok(schema, textOf(rank));
      findings.tell(title, rank, new AnswerReview('nova').differences(schema, await ok('GET', path, undefined, textOf(rank))));
    }
  assert.deepEqual(findings.wrong, []);
});

test('who is no administrator sees of a server what upstream shows, at every single microversion', { skip }, async () => {
  const { user } = await cloud.ok('POST', '/identity/v3/users', { user: { name: 'alice', password: 'secret-1' } });
  const { roles } = await cloud.ok('GET', '/identity/v3/roles?name=member');
  await cloud.ok('PUT', `/identity/v3/projects/${id('other project')}/users/${user.id}/roles/${roles[0].id}`);
  const token = await cloud.login('alice', 'secret-1', 'other');
  const ask = (method: string, path: string, rank: number, body?: object): Promise<Answer['body']> =>
    cloud.ok(method, `/compute/v2.1${path}`, body, { token, headers: { 'openstack-api-version': `compute ${textOf(rank)}` } });
  const wanted = { name: 'hers', imageRef: id('image'), flavorRef: 'small', networks: 'none' };
  const { server: hers } = await ask('POST', '/servers', MAX, { server: wanted });
  await cloud.until('her server', async () => (await ask('GET', `/servers/${hers.id}`, MAX)).server.status === 'ACTIVE', 120_000);
  const findings = new Findings();
  for (const [title, path] of [
    ['GET /v2.1/servers/{}', `/servers/${hers.id}`],
    ['GET /v2.1/servers/detail', '/servers/detail'],
  ] as const)
    for (let rank = MIN; rank <= MAX; rank += 1) {
      const schema = schemaFor(described(title).answers, rank);
      assert.ok(schema, textOf(rank));
      const body = await ask('GET', path, rank);
      findings.tell(title, rank, new AnswerReview('nova').differences(schema, body));
      const told = Object.keys(body.server ?? body.servers[0]).filter((name) => name.startsWith('OS-EXT-SRV-ATTR:') || name === 'host_status');
      if (told.join() !== (minorOf(rank) >= 90 ? 'OS-EXT-SRV-ATTR:hostname' : '')) findings.tell(title, rank, [`a member is told ${told.join()}`]);
    }
  assert.deepEqual(findings.wrong, []);
});

test('what is made and changed is answered as upstream does at each microversion', { skip }, async (t) => {
  const findings = new Findings();
  for (const [title, { path, body, afterwards, until }] of Object.entries(CHANGES)) {
    const one = described(title);
    for (const rank of edgesOf(one, until === undefined ? MAX : rankOf(until))) {
      const schema = schemaFor(one.answers, rank);
      if (schema === undefined) continue;
      findings.pairs += 1;
      const review = new AnswerReview('nova');
      const [method = ''] = title.split(' ');
      const answer = await call(method, path(), body(rank), textOf(rank));
      findings.tell(title, rank, answer.status < 300 ? review.differences(schema, answer.body) : [`${answer.status} ${JSON.stringify(answer.body)}`]);
      findings.tell(title, rank, review.unseen());
      if (answer.status < 300) await afterwards?.(answer.body);
    }
  }
  t.diagnostic(`${findings.pairs} pairs of operation and microversion`);
  assert.deepEqual(findings.wrong, []);
  assert.ok(findings.pairs > 100, String(findings.pairs));
});

test('the microversion is asked for by two headers, and both are answered', { skip }, async () => {
  const ask = (headers: Record<string, string>): Promise<Answer> => cloud.call('GET', '/compute/v2.1/flavors', undefined, { headers });
  const told = ({ status, headers }: Answer): readonly unknown[] => [
    status,
    headers.get('openstack-api-version'),
    headers.get('x-openstack-nova-api-version'),
    headers.get('vary'),
  ];
  const VARY = 'OpenStack-API-Version, X-OpenStack-Nova-API-Version';
  const answered = (version: string): readonly unknown[] => [200, `compute ${version}`, version, VARY];
  assert.deepEqual(told(await ask({})), answered('2.1'));
  assert.deepEqual(told(await ask({ 'openstack-api-version': 'compute 2.60' })), answered('2.60'));
  assert.deepEqual(told(await ask({ 'openstack-api-version': 'compute latest' })), answered('2.104'));
  assert.deepEqual(told(await ask({ 'x-openstack-nova-api-version': '2.20' })), answered('2.20'));
  assert.deepEqual(told(await ask({ 'x-openstack-nova-api-version': '2.20', 'openstack-api-version': 'compute 2.60' })), answered('2.60'));
  assert.deepEqual(told(await ask({ 'openstack-api-version': 'volume 3.50, compute 2.61' })), answered('2.61'));
  assert.deepEqual(told(await ask({ 'openstack-api-version': 'volume 3.50' })), answered('2.1'));
  for (const version of ['2.105', '2.0', '3.0', '1.1']) {
    const { status, body } = await ask({ 'openstack-api-version': `compute ${version}` });
    assert.deepEqual(
      [status, body.computeFault?.message ?? body.errors?.[0].detail ?? JSON.stringify(body)],
      [406, `Version ${version} is not supported by the API. Minimum is 2.1 and maximum is 2.104.`],
      version,
    );
  }
  for (const version of ['2', '2.x', '02.1', '2.01', 'two', '2.1.1']) {
    const { status, body } = await ask({ 'openstack-api-version': `compute ${version}` });
    assert.deepEqual(
      [status, body.badRequest?.message],
      [400, `API Version String ${version} is of invalid format. Must be of format MajorNum.MinorNum.`],
      version,
    );
  }
});
