import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TestNamespace } from './netns.ts';
import { Relay } from './relay.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'packages', 'cairn', 'src', 'main.ts');
const COMMAND_LIMIT_MS = 900_000;
const SSH = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR', 'BatchMode=yes', 'ConnectTimeout=10'].flatMap((option) => [
  '-o',
  option,
]);

/** A server of a test as it is reached. */
export interface RealServer {
  readonly id: string;
  readonly name: string;
  readonly fixedIp: string;
  readonly floatingIp: string;
}

/** A cloud with real guests in a network namespace of its own, brought up by `cairn up`, with a network behind a router that lets SSH in. */
export class RealCloud {
  readonly namespace: TestNamespace;
  /** Its data directory. */
  readonly data: string;
  /** What `before` made, once `up` has resolved. */
  networkId = '';
  routerId = '';
  groupId = '';
  imageId = '';
  #http: Relay | undefined;
  readonly #keys: string;
  readonly #env: NodeJS.ProcessEnv;
  #publicId = '';

  private constructor(name: string, env: NodeJS.ProcessEnv) {
    this.namespace = new TestNamespace(`cairn${name}${process.pid}`);
    this.data = mkdtempSync(`/var/tmp/cairn-${name}-`);
    // guests run as users of their own, who must be able to reach their disks
    chmodSync(this.data, 0o711);
    this.#keys = mkdtempSync(`/var/tmp/cairn-${name}-key-`);
    this.#env = { ...process.env, ...env };
  }

  /** @param name a short word for namespace and directories */
  static async up(name: string, options: { readonly args?: readonly string[]; readonly env?: NodeJS.ProcessEnv } = {}): Promise<RealCloud> {
    const cloud = new RealCloud(name, options.env ?? {});
    try {
      await cloud.cairn(['up', '--yes', ...(options.args ?? [])]);
      await cloud.#prepare();
      return cloud;
    } catch (error) {
      await cloud.remove();
      throw error;
    }
  }

  /** Its API, as administrator. */
  get http(): Relay {
    if (!this.#http) throw new Error('the cloud is not up');
    return this.#http;
  }

  /** A command of Cairn on this cloud, to its end. */
  async cairn(args: readonly string[]): Promise<void> {
    const { code, output } = await this.namespace.run(process.execPath, [MAIN, ...args, '--data', this.data], { timeoutMs: COMMAND_LIMIT_MS, env: this.#env });
    assert.equal(code, 0, output);
  }

  /** The arguments with which `ssh` runs a command in a guest. */
  ssh(address: string, command: string): readonly string[] {
    return ['-n', '-i', join(this.#keys, 'key'), ...SSH, `cirros@${address}`, command];
  }

  /** What a command in a guest says, as soon as the guest lets us in and the command succeeds. */
  async within(address: string, command: string, limitMs = 600_000): Promise<string> {
    for (const end = Date.now() + limitMs; ; await sleep(500)) {
      try {
        return this.namespace.sync('ssh', this.ssh(address, command), { timeoutMs: 60_000 }).trim();
      } catch (error) {
        if (Date.now() > end) throw error;
      }
    }
  }

  async server(id: string): Promise<Record<string, unknown>> {
    return (await this.http.ok('GET', `/compute/v2.1/servers/${id}`)).server;
  }

  /** Until a server has this status and nothing is being done with it. */
  async until(id: string, status: string, limitMs = 600_000): Promise<void> {
    for (const end = Date.now() + limitMs; ; await sleep(200)) {
      const server = await this.server(id);
      if (server['status'] === status && server['OS-EXT-STS:task_state'] === null) return;
      if (Date.now() > end || server['status'] === 'ERROR')
        assert.fail(`${id} is ${String(server['status'])}, not ${status}: ${JSON.stringify(server['fault'])}`);
    }
  }

  /** A server from the demo image in the network, with the key and a floating IP, as soon as it is active. */
  async launch(name: string, more: object = {}): Promise<RealServer> {
    const { server } = await this.http.ok('POST', '/compute/v2.1/servers', {
      server: { name, imageRef: this.imageId, flavorRef: '1', networks: [{ uuid: this.networkId }], key_name: 'k', ...more },
    });
    await this.until(server.id, 'ACTIVE');
    const { ports } = await this.http.ok('GET', `/network/v2.0/ports?device_id=${server.id}`);
    const { floatingip } = await this.http.ok('POST', '/network/v2.0/floatingips', {
      floatingip: { floating_network_id: this.#publicId, port_id: ports[0].id },
    });
    return { id: server.id, name, fixedIp: ports[0].fixed_ips[0].ip_address, floatingIp: floatingip.floating_ip_address };
  }

  /** Takes the cloud away with all that it had. */
  async remove(): Promise<void> {
    this.#http?.close();
    if (existsSync(this.data)) await this.cairn(['down', '--destroy']);
    this.namespace.remove();
    for (const dir of [this.data, this.#keys]) rmSync(dir, { recursive: true, force: true });
  }

  async #prepare(): Promise<void> {
    const http = new Relay(this.namespace, JSON.parse(readFileSync(join(this.data, 'run', 'cairn.json'), 'utf8')).url);
    this.#http = http;
    const openrc = readFileSync(join(this.data, 'openrc'), 'utf8');
    await http.login(Object.fromEntries([...openrc.matchAll(/^export (\w+)='(.*)'$/gm)].map((m) => [m[1], m[2]])));
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(this.#keys, 'key')]);
    await http.ok('POST', '/compute/v2.1/os-keypairs', { keypair: { name: 'k', public_key: readFileSync(join(this.#keys, 'key.pub'), 'utf8').trim() } });
    this.imageId = (await http.ok('GET', '/image/v2/images?name=cirros')).images[0].id;
    this.#publicId = (await http.ok('GET', '/network/v2.0/networks?router:external=true')).networks[0].id;
    this.networkId = (await http.ok('POST', '/network/v2.0/networks', { network: { name: 'n' } })).network.id;
    const { subnet } = await http.ok('POST', '/network/v2.0/subnets', { subnet: { network_id: this.networkId, ip_version: 4, cidr: '10.9.0.0/24' } });
    const { router } = await http.ok('POST', '/network/v2.0/routers', { router: { name: 'r', external_gateway_info: { network_id: this.#publicId } } });
    this.routerId = router.id;
    await http.ok('PUT', `/network/v2.0/routers/${router.id}/add_router_interface`, { subnet_id: subnet.id });
    this.groupId = (await http.ok('GET', '/network/v2.0/security-groups?name=default')).security_groups[0].id;
    await this.allow({ protocol: 'tcp', port_range_min: 22, port_range_max: 22 });
  }

  /** One more rule for what may come in to servers. */
  async allow(rule: object): Promise<void> {
    await this.http.ok('POST', '/network/v2.0/security-group-rules', {
      security_group_rule: { security_group_id: this.groupId, direction: 'ingress', ethertype: 'IPv4', ...rule },
    });
  }
}
