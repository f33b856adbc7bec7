import { createReadStream } from 'node:fs';
import type { GlanceFace } from '@cairn/glance/face';
import type { Context } from '@cairn/kit/context/context';
import type { HttpServer } from '@cairn/kit/http/server';
import type { Store } from '@cairn/kit/store/store';
import type { CloudConfig } from '../config.ts';

/** The flavors of a new cloud: upstream's classic sizes, with the small ones that tests use. */
const FLAVORS = [
  { id: '42', name: 'm1.nano', ram: 192, vcpus: 1, disk: 1 },
  { id: '84', name: 'm1.micro', ram: 256, vcpus: 1, disk: 1 },
  { id: '1', name: 'm1.tiny', ram: 512, vcpus: 1, disk: 1 },
  { id: '2', name: 'm1.small', ram: 2_048, vcpus: 1, disk: 20 },
  { id: '3', name: 'm1.medium', ram: 4_096, vcpus: 2, disk: 40 },
  { id: '4', name: 'm1.large', ram: 8_192, vcpus: 4, disk: 80 },
  { id: '5', name: 'm1.xlarge', ram: 16_384, vcpus: 8, disk: 160 },
];

/** How large subnets of the default pool are where nothing is said. */
const SUBNET_PREFIX_LENGTH = 24;

export interface SeedOptions {
  readonly server: HttpServer;
  readonly glance: GlanceFace;
  readonly store: Store;
  readonly config: CloudConfig;
  /** The admin in the project admin. */
  readonly ctx: Context;
  /** The demo image's file; absent where none is wanted. */
  readonly image: { readonly path: string; readonly format: 'qcow2' | 'raw' } | undefined;
  readonly mintId: () => string;
  progress(text: string): void;
}

/** Makes what a new cloud needs to be useful, through the same operations that users call. Finds what is there already. */
export async function seed(options: SeedOptions): Promise<void> {
  await flavors(options);
  await networks(options);
  if (options.image) await demoImage(options, options.image);
}

async function call(options: SeedOptions, service: string, method: string, url: string, body?: unknown): Promise<Record<string, unknown>> {
  const answer = await options.server.dispatch({ service, method, url, ctx: options.ctx, ...(body !== undefined && { body }) });
  if (answer.status >= 400) throw new Error(`seeding: ${method} ${url} of ${service} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body as Record<string, unknown>;
}

async function flavors(options: SeedOptions): Promise<void> {
  const { flavors: there } = (await call(options, 'nova', 'GET', '/v2.1/flavors?is_public=None')) as { flavors: { name: string }[] };
  const names = new Set(there.map((f) => f.name));
  // an operator who removed a flavor does not want it back: only an empty cloud is seeded
  if (names.size > 0) return;
  for (const flavor of FLAVORS) await call(options, 'nova', 'POST', '/v2.1/flavors', { flavor });
}

async function networks(options: SeedOptions): Promise<void> {
  const { networks: there } = (await call(options, 'neutron', 'GET', '/v2.0/networks?router:external=true')) as { networks: { id: string }[] };
  if (there.length > 0) return;
  await defaultSubnetPool(options);
  await publicNetwork(options);
}

async function publicNetwork(options: SeedOptions): Promise<void> {
  const { network } = options.config;
  const made = (await call(options, 'neutron', 'POST', '/v2.0/networks', {
    network: {
      name: 'public',
      'router:external': true,
      shared: false,
      is_default: true,
      'provider:network_type': 'flat',
      'provider:physical_network': 'public',
    },
  })) as { network: { id: string } };
  const pool = network.poolStart || network.poolEnd ? { allocation_pools: [poolOf(network)] } : {};
  await call(options, 'neutron', 'POST', '/v2.0/subnets', {
    subnet: {
      name: 'public-subnet',
      network_id: made.network.id,
      ip_version: 4,
      cidr: network.publicCidr,
      gateway_ip: network.publicGateway,
      enable_dhcp: false,
      ...pool,
    },
  });
}

/** What networks that are made without being described (`networks: auto`, `--use-default-subnet-pool`) take their addresses from. */
async function defaultSubnetPool(options: SeedOptions): Promise<void> {
  const { subnetPool } = options.config.network;
  if (subnetPool === '') return;
  const { subnetpools } = (await call(options, 'neutron', 'GET', '/v2.0/subnetpools')) as { subnetpools: object[] };
  if (subnetpools.length > 0) return;
  await call(options, 'neutron', 'POST', '/v2.0/subnetpools', {
    subnetpool: { name: 'default', prefixes: [subnetPool], default_prefixlen: SUBNET_PREFIX_LENGTH, is_default: true, shared: true },
  });
}

/** The pool of floating addresses, with the end that was left empty taken from the network. */
export function poolOf(network: Pick<CloudConfig['network'], 'publicCidr' | 'publicGateway' | 'poolStart' | 'poolEnd'>): { start: string; end: string } {
  const [address = '', prefix = '32'] = network.publicCidr.split('/');
  const hostMask = 2 ** (32 - Number(prefix)) - 1;
  const last = ((ipv4Number(address) | hostMask) >>> 0) - 1;
  return { start: network.poolStart || ipv4Text(ipv4Number(network.publicGateway) + 1), end: network.poolEnd || ipv4Text(last) };
}

function ipv4Number(text: string): number {
  return text.split('.').reduce((value, part) => value * 256 + Number(part), 0);
}

function ipv4Text(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
}

async function demoImage(options: SeedOptions, image: { path: string; format: 'qcow2' | 'raw' }): Promise<void> {
  const { images } = (await call(options, 'glance', 'GET', '/v2/images?name=cirros')) as { images: { id: string; status: string }[] };
  if (images.some((i) => i.status === 'active')) return;
  options.progress('loading the demo image');
  for (const broken of images) await options.glance.discard(broken.id);
  const id = options.mintId();
  await options.store.write((tx) =>
    options.glance.create(tx, options.ctx, {
      id,
      name: 'cirros',
      diskFormat: image.format,
      containerFormat: 'bare',
      minDiskGb: 0,
      minRamMb: 128,
      visibility: 'public',
      properties: { hw_rng_model: 'virtio', os_distro: 'cirros', os_type: 'linux' },
    }),
  );
  await options.glance.upload(id, createReadStream(image.path));
}
