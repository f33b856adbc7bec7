import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { BEGINNING, launchBody } from '../servers/launch/request.ts';
import { cliOf, curlOf, quoted } from './commands.ts';

const HOSTILE = ["it's", '$(reboot)', '`reboot`', 'a b', '"; rm -rf /', '\\', 'new\nline', '', '-rf', '<script>', '名称'];

test('a shell reads quoted words as they were, whatever is in them', () => {
  for (const word of HOSTILE) assert.equal(execFileSync('/bin/sh', ['-c', `printf %s ${quoted(word)}`], { encoding: 'utf8' }), word);
});

test('curl names the token by its variable, the version and the body', () => {
  const call = { service: 'compute', method: 'POST', path: '/v2.1/servers/s1/action', body: { reboot: { type: 'HARD' } } } as const;
  assert.equal(
    curlOf({ ...call, headers: { 'content-type': 'application/json', 'openstack-api-version': 'compute 2.96' } }, 'http://cloud'),
    `curl -sS -X POST -H "X-Auth-Token: $OS_TOKEN" -H 'OpenStack-API-Version: compute 2.96' -H 'Content-Type: application/json' -d '{"reboot":{"type":"HARD"}}' http://cloud/compute/v2.1/servers/s1/action`,
  );
});

test('no password goes into a command', () => {
  const body = { rebuild: { adminPass: 'geheim', nested: [{ secret: 'geheim' }] }, user: { password: 'geheim' } };
  assert.doesNotMatch(curlOf({ service: 'compute', method: 'POST', path: '/x', body }, 'http://cloud'), /geheim/);
});

const cli = (method: string, service: 'compute' | 'network' | 'volume' | 'image' | 'identity', path: string, body?: unknown) =>
  cliOf({ service, method, path, body });

test('calls have the command of the openstack client', () => {
  assert.equal(cli('GET', 'compute', '/v2.1/servers/detail?limit=500'), 'openstack server list');
  assert.equal(cli('GET', 'compute', '/v2.1/servers/s1'), 'openstack server show s1');
  assert.equal(cli('DELETE', 'volume', '/v3/volumes/v1'), 'openstack volume delete v1');
  assert.equal(cli('POST', 'compute', '/v2.1/servers/s1/action', { 'os-stop': null }), 'openstack server stop s1');
  assert.equal(cli('POST', 'compute', '/v2.1/servers/s1/action', { reboot: { type: 'SOFT' } }), 'openstack server reboot --soft s1');
  assert.equal(cli('POST', 'compute', '/v2.1/servers/s1/action', { 'os-getConsoleOutput': { length: 9 } }), 'openstack console log show --lines 9 s1');
  assert.equal(cli('GET', 'compute', '/v2.1/servers/s1/os-instance-actions/req-1'), 'openstack server event show s1 req-1');
  const remote = (protocol: string) => cli('POST', 'compute', '/v2.1/servers/s1/remote-consoles', { remote_console: { protocol, type: 'x' } });
  assert.deepEqual([remote('vnc'), remote('serial')], ['openstack console url show --novnc s1', 'openstack console url show --serial s1']);
  assert.equal(cli('DELETE', 'compute', '/v2.1/os-keypairs/my%20key'), "openstack keypair delete 'my key'");
  assert.equal(
    cli('POST', 'network', '/v2.0/security-group-rules', {
      security_group_rule: { direction: 'ingress', protocol: 'tcp', port_range_min: 80, port_range_max: 90, security_group_id: 'g' },
    }),
    'openstack security group rule create --ingress --protocol tcp --dst-port 80:90 g',
  );
  assert.equal(
    cli('POST', 'network', '/v2.0/subnets', {
      subnet: {
        name: 's',
        network_id: 'n',
        ip_version: 4,
        cidr: '10.0.0.0/24',
        gateway_ip: null,
        dns_nameservers: ['9.9.9.9'],
        allocation_pools: [{ start: '10.0.0.2', end: '10.0.0.9' }],
      },
    }),
    'openstack subnet create --network n --subnet-range 10.0.0.0/24 --gateway none --dns-nameserver 9.9.9.9 --allocation-pool start=10.0.0.2,end=10.0.0.9 s',
  );
  assert.equal(
    cli('PUT', 'network', '/v2.0/ports/p', {
      port: { port_security_enabled: false, security_groups: [], fixed_ips: [{ subnet_id: 's', ip_address: '10.0.0.5' }] },
    }),
    'openstack port set --fixed-ip subnet=s,ip-address=10.0.0.5 --disable-port-security --no-security-group p',
  );
  assert.equal(cli('PUT', 'network', '/v2.0/routers/r', { router: { external_gateway_info: null } }), 'openstack router unset --external-gateway r');
  assert.equal(
    cli('PUT', 'network', '/v2.0/routers/r', { router: { external_gateway_info: { network_id: 'out', enable_snat: false } } }),
    'openstack router set --external-gateway out --disable-snat r',
  );
  assert.equal(
    cli('PUT', 'network', '/v2.0/routers/r/add_external_gateways', { router: { external_gateways: [{ network_id: 'out' }] } }),
    'openstack router add gateway r out',
  );
  assert.equal(
    cli('PUT', 'network', '/v2.0/routers/r/remove_external_gateways', {
      router: { external_gateways: [{ network_id: 'out', external_fixed_ips: [{ ip_address: '198.51.100.7' }] }] },
    }),
    'openstack router remove gateway --fixed-ip ip-address=198.51.100.7 r out',
  );
  assert.equal(cli('PUT', 'network', '/v2.0/routers/r/add_router_interface', { subnet_id: 's' }), 'openstack router add subnet r s');
  assert.equal(
    cli('PUT', 'network', '/v2.0/routers/r/remove_extraroutes', { router: { routes: [{ destination: '10.1.0.0/16', nexthop: '10.0.0.9' }] } }),
    'openstack router remove route --route destination=10.1.0.0/16,gateway=10.0.0.9 r',
  );
  assert.equal(cli('PUT', 'network', '/v2.0/floatingips/f', { floatingip: { port_id: null } }), 'openstack floating ip unset --port f');
  assert.equal(
    cli('POST', 'network', '/v2.0/floatingips/f/port_forwardings', {
      port_forwarding: { protocol: 'tcp', internal_port_id: 'p', internal_ip_address: '10.0.0.5', external_port: 2222, internal_port: 22 },
    }),
    'openstack floating ip port forwarding create --internal-ip-address 10.0.0.5 --port p --internal-protocol-port 22 --external-protocol-port 2222 --protocol tcp f',
  );
  assert.equal(
    cli('PUT', 'network', '/v2.0/trunks/t/add_subports', { sub_ports: [{ port_id: 'p', segmentation_type: 'vlan', segmentation_id: 5 }] }),
    'openstack network trunk set --subport port=p,segmentation-type=vlan,segmentation-id=5 t',
  );
  assert.equal(
    cli('POST', 'network', '/v2.0/qos/policies/q/bandwidth_limit_rules', {
      bandwidth_limit_rule: { max_kbps: 1000, max_burst_kbps: 80, direction: 'ingress' },
    }),
    'openstack network qos rule create --type bandwidth-limit --max-kbps 1000 --max-burst-kbits 80 --ingress q',
  );
  assert.equal(
    cli('PUT', 'network', '/v2.0/address-groups/a/add_addresses', { address_group: { addresses: ['192.0.2.0/24'] } }),
    'openstack address group set --address 192.0.2.0/24 a',
  );
  assert.equal(cli('PUT', 'network', '/v2.0/networks/n/tags', { tags: ['a', 'b'] }), 'openstack network set --no-tag --tag a --tag b n');
  assert.equal(
    cli('POST', 'network', '/v2.0/security-group-rules', {
      security_group_rule: {
        direction: 'ingress',
        ethertype: 'IPv4',
        protocol: 'icmp',
        port_range_min: 8,
        port_range_max: 0,
        remote_group_id: 'o',
        security_group_id: 'g',
      },
    }),
    'openstack security group rule create --ingress --ethertype IPv4 --protocol icmp --icmp-type 8 --icmp-code 0 --remote-group o g',
  );
  assert.equal(
    cli('POST', 'network', '/v2.0/rbac-policies', { rbac_policy: { object_type: 'network', object_id: 'n', action: 'access_as_shared', target_tenant: '*' } }),
    'openstack network rbac create --type network --action access_as_shared --target-all-projects n',
  );
  assert.equal(cli('PATCH', 'identity', '/v3/OS-FEDERATION/mappings/m'), undefined);
});

test('what is done to a server has its command, and no password in it', () => {
  const act = (body: unknown) => cli('POST', 'compute', '/v2.1/servers/s1/action', body);
  assert.equal(act({ resize: { flavorRef: 'f' } }), 'openstack server resize --flavor f s1');
  assert.equal(act({ rebuild: { imageRef: 'i', key_name: null } }), 'openstack server rebuild --image i --no-key-name s1');
  assert.equal(act({ rescue: null }), 'openstack server rescue s1');
  assert.equal(act({ lock: { locked_reason: 'do not' } }), "openstack server lock --reason 'do not' s1");
  assert.equal(act({ 'os-migrateLive': { host: null, block_migration: 'auto' } }), 'openstack server migrate --live-migration s1');
  assert.equal(act({ createBackup: { name: 'n', backup_type: 'daily', rotation: 0 } }), 'openstack server backup create --name n --type daily --rotate 0 s1');
  assert.equal(act({ changePassword: { adminPass: 'geheim' } }), "openstack server set --password '***' s1");
  assert.equal(cli('PUT', 'compute', '/v2.1/servers/s1/tags', { tags: ['a', 'b'] }), 'openstack server set --tag a --tag b s1');
  assert.equal(cli('PUT', 'compute', '/v2.1/servers/s1/metadata', { metadata: { a: '1 2' } }), "openstack server set --property 'a=1 2' s1");
  assert.equal(cli('POST', 'compute', '/v2.1/servers/s1/os-interface', { interfaceAttachment: { net_id: 'n' } }), 'openstack server add network s1 n');
  assert.equal(cli('DELETE', 'compute', '/v2.1/servers/s1/os-volume_attachments/v'), 'openstack server remove volume s1 v');
});

test('a launch has the command that does the same', () => {
  const form = {
    ...BEGINNING,
    name: "ann's",
    count: 3,
    imageId: 'i',
    flavorId: 'f',
    networkIds: ['n1', 'n2'],
    securityGroups: ['web'],
    keyName: 'k',
    userData: '#!/bin/sh',
    volumeGb: undefined,
  };
  assert.equal(
    cli('POST', 'compute', '/v2.1/servers', launchBody(form)),
    `openstack server create --image i --flavor f --network n1 --network n2 --security-group web --key-name k --user-data user-data.txt --min 3 --max 3 'ann'\\''s'`,
  );
  assert.equal(
    cli(
      'POST',
      'compute',
      '/v2.1/servers',
      launchBody({ ...form, name: 'a', count: 1, networkIds: [], securityGroups: [], keyName: '', userData: '', volumeGb: 5 }),
    ),
    'openstack server create --image i --flavor f --nic auto --boot-from-volume 5 a',
  );
  assert.equal(
    cli(
      'POST',
      'compute',
      '/v2.1/servers',
      launchBody({ ...BEGINNING, name: 'a', source: 'volume', volumeId: 'v', flavorId: 'f', metadata: [{ key: 'k', value: 'v w' }], tags: 't', groupId: 'g' }),
    ),
    "openstack server create --volume v --flavor f --nic auto --property 'k=v w' --tag t --hint group=g a",
  );
});
