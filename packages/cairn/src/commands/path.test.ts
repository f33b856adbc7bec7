import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { pathsOf } from '../daemon/paths.ts';
import { cloudClient, loginOf } from './cloud-client.ts';
import { type PathAnswer, pathText } from './path.ts';

const packet = { source_ip: '10.0.0.5', source_port: 49152, destination_ip: '10.0.1.7', destination_port: 80 };
const answer: PathAnswer = {
  verdict: 'drop',
  summary: 'None of the 2 ingress rules lets it in.',
  remedy: 'Allow it: openstack security group rule create',
  packet,
  mtu: 1442,
  hops: [
    { leg: 'request', kind: 'anti_spoofing', object: { type: 'port', id: 'p1', name: 'web' }, host: null, verdict: 'pass', reason: 'Its own.', packet },
    {
      leg: 'request',
      kind: 'nat',
      object: { type: 'router', id: 'r1', name: '' },
      host: 'vm',
      verdict: 'nat',
      reason: 'The router hides it.',
      packet: { ...packet, source_ip: 'fd00::1' },
    },
    { leg: 'request', kind: 'other_side', object: null, host: null, verdict: 'drop', reason: 'The other side refuses.', packet: null },
  ],
  dhcp: [{ ip_address: '10.0.0.5', reason: 'The DHCP server keeps it.' }],
};

test('a path is told station by station, with what stops it and what to do', () => {
  assert.equal(
    pathText(answer),
    [
      'the packet  10.0.0.5:49152 -> 10.0.1.7:80',
      '  pass  anti-spoofing of port web',
      '        Its own.',
      '  turn  address translation of router r1 on vm',
      '        The router hides it.',
      '        it is now [fd00::1]:49152 -> 10.0.1.7:80',
      '  STOP  another project',
      '        The other side refuses.',
      '',
      'IT IS STOPPED: None of the 2 ingress rules lets it in.',
      'What to do: Allow it: openstack security group rule create',
      'Largest packet on the way: 1442 bytes.',
      'DHCP: The DHCP server keeps it.',
    ].join('\n'),
  );
});

test('who asks is said by OS_* variables', () => {
  const variables = { OS_USERNAME: 'u', OS_PASSWORD: 'p', OS_PROJECT_NAME: 'demo', OS_USER_DOMAIN_NAME: 'Users' };
  assert.deepEqual(loginOf(variables), {
    auth: {
      identity: { methods: ['password'], password: { user: { name: 'u', password: 'p', domain: { name: 'Users' } } } },
      scope: { project: { name: 'demo', domain: { id: 'default' } } },
    },
  });
  assert.deepEqual(loginOf({ OS_APPLICATION_CREDENTIAL_ID: 'i', OS_APPLICATION_CREDENTIAL_SECRET: 's' }), {
    auth: { identity: { methods: ['application_credential'], application_credential: { id: 'i', secret: 's' } } },
  });
  assert.throws(() => loginOf({ OS_USERNAME: 'u' }), /OS_PASSWORD/);
  assert.throws(() => loginOf({ OS_USERNAME: 'u', OS_PASSWORD: 'p' }), /OS_PROJECT_NAME/);
});

test("requests go to the public endpoint of the region in the cloud's catalog, with its token; faults come with their words", async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers['x-auth-token'] ?? ''}`);
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const endpoint = (region: string, kind: string) => ({ interface: kind, region, url: `${url}/${region}-${kind}` });
    if (request.url?.startsWith('/v3')) {
      response.writeHead(201, { 'x-subject-token': 'secret' });
      const endpoints = [endpoint('one', 'public'), endpoint('two', 'internal'), endpoint('two', 'public')];
      response.end(JSON.stringify({ token: { catalog: [{ type: 'network', endpoints }] } }));
    } else if (request.url?.endsWith('/none')) response.writeHead(404).end(JSON.stringify({ NeutronError: { message: 'No such port' } }));
    else response.end('{"ports":[]}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const OS_AUTH_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v3/`;
    const variables = { OS_AUTH_URL, OS_USERNAME: 'u', OS_PASSWORD: 'p', OS_PROJECT_ID: 'x', OS_REGION_NAME: 'two' };
    const client = await cloudClient(pathsOf('/nowhere'), variables);
    assert.deepEqual(await client.get('network', '/v2.0/ports'), { ports: [] });
    assert.deepEqual(asked, ['POST /v3/auth/tokens ', 'GET /two-public/v2.0/ports secret']);
    await assert.rejects(client.get('network', '/none'), /^Error: 404: No such port$/);
    await assert.rejects(client.get('compute', '/servers'), /no public compute endpoint/);
  } finally {
    server.close();
  }
});
