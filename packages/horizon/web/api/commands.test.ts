import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { launchBody } from '../servers/launch-request.ts';
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
  assert.equal(cli('PATCH', 'identity', '/v3/OS-FEDERATION/mappings/m'), undefined);
});

test('a launch has the command that does the same', () => {
  const form = {
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
});
