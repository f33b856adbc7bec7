import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Cidr, parseCidr } from './address.ts';
import { macOf, network, port, subnet } from '../testing/objects.ts';
import { planAdvertiser, planDhcpServer } from './dnsmasq.ts';

const four = subnet('four', '10.0.0.0/23', {
  gatewayIp: '10.0.0.1',
  dhcp: { ip: '10.0.0.2', mac: macOf(2) },
  dnsServers: ['9.9.9.9'],
  hostRoutes: [{ destination: '192.168.0.0/16', nexthop: '10.0.0.9' }],
});
const six = subnet('six', 'fd00::/64', {
  gatewayIp: 'fd00::1',
  dhcp: { ip: 'fd00::2', mac: macOf(2) },
  ipv6AddressMode: 'dhcpv6-stateful',
  dnsServers: ['fd00::53'],
});
const slaac = subnet('slaac', 'fd01::/64', { dhcp: { ip: 'fd01::2', mac: macOf(2) }, ipv6AddressMode: 'slaac' });

test('the server of a network', () => {
  const net = network('n', [six, four, slaac], { dnsDomain: 'example.org.' });
  const plan = planDhcpServer(
    net,
    [
      port('p2', 'n', 11, [['four', '10.0.0.12']], {
        hostname: 'web.example.org',
        extraDhcpOptions: [
          { name: 'tag:ipxe,bootfile-name', value: 'a, b', ipVersion: 4 },
          { name: '66', value: 'x', ipVersion: 4 },
          { name: 'client-id', value: 'id-1', ipVersion: 4 },
          { name: 'domain-search', value: 'y', ipVersion: 6 },
        ],
      }),
      port('p1', 'n', 10, [
        ['four', '10.0.0.11'],
        ['six', 'FD00::0:11'],
        ['slaac', 'fd01::11'],
      ]),
    ],
    'ns-n',
  );
  assert.deepEqual(plan?.args.slice(-10), [
    '--quiet-ra',
    '--interface=ns-n',
    '--dhcp-authoritative',
    '--dhcp-match=set:ipxe,175',
    '--dhcp-userclass=set:ipxe6,iPXE',
    '--dhcp-range=set:subnet-four,10.0.0.0,static,255.255.254.0,86400s',
    '--dhcp-range=set:subnet-six,fd00::,static,64,86400s',
    '--dhcp-option-force=option:mtu,1450',
    '--dhcp-lease-max=16777216',
    '--domain=example.org',
  ]);
  assert.deepEqual(plan?.files.hosts.trimEnd().split('\n'), [
    'fa:16:3e:00:00:0a,host-10-0-0-11.example.org,10.0.0.11',
    'fa:16:3e:00:00:0a,tag:dhcpv6,host-fd00--11.example.org,[fd00::11]',
    'fa:16:3e:00:00:0b,id:id-1,web.example.org,10.0.0.12,set:port-p2',
  ]);
  assert.deepEqual(plan?.files.opts.trimEnd().split('\n'), [
    'tag:subnet-four,option:dns-server,9.9.9.9',
    'tag:subnet-four,option:classless-static-route,192.168.0.0/16,10.0.0.9,169.254.169.254/32,10.0.0.1,0.0.0.0/0,10.0.0.1',
    'tag:subnet-four,249,192.168.0.0/16,10.0.0.9,169.254.169.254/32,10.0.0.1,0.0.0.0/0,10.0.0.1',
    'tag:subnet-four,option:router,10.0.0.1',
    'tag:subnet-six,option6:dns-server,[fd00::53]',
    'tag:subnet-six,option6:domain-search,example.org',
    'tag:port-p2,tag:ipxe,option:bootfile-name,a, b',
    'tag:port-p2,66,x',
  ]);
  assert.deepEqual(plan?.files.addn.trimEnd().split('\n'), [
    '10.0.0.11\thost-10-0-0-11.example.org host-10-0-0-11',
    'fd00::11\thost-fd00--11.example.org host-fd00--11',
    'fd01::11\thost-fd01--11.example.org host-fd01--11',
    '10.0.0.12\tweb.example.org web',
  ]);
  assert.deepEqual(plan && [...plan.reservations], [
    ['10.0.0.11', macOf(10)],
    ['fd00::11', macOf(10)],
    ['10.0.0.12', macOf(11)],
  ]);
});

test('isolated, without a gateway, silent about name servers', () => {
  const lone = subnet('lone', '10.0.0.0/24', { dhcp: { ip: '10.0.0.2', mac: macOf(2) }, isolated: true, dnsServers: ['0.0.0.0'] });
  assert.deepEqual(
    planDhcpServer(network('n', [lone]), [], 'ns-n')
      ?.files.opts.trimEnd()
      .split('\n'),
    [
      'tag:subnet-lone,option:dns-server',
      'tag:subnet-lone,option:classless-static-route,169.254.169.254/32,10.0.0.2',
      'tag:subnet-lone,249,169.254.169.254/32,10.0.0.2',
      'tag:subnet-lone,option:router',
    ],
  );
});

test('a default route among the host routes is the gateway where there is none', () => {
  const own = { ...four, hostRoutes: [{ destination: '0.0.0.0/0', nexthop: '10.0.0.77' }], dnsServers: [] };
  const { gatewayIp: _, ...without } = own;
  assert.match(planDhcpServer(network('n', [without]), [], 'x')?.files.opts ?? '', /option:router,10\.0\.0\.77\n/);
  assert.match(planDhcpServer(network('n', [own]), [], 'x')?.files.opts ?? '', /option:router,10\.0\.0\.1\n/);
});

test('no DHCP, no server; the order of subnets and ports does not matter', () => {
  const { dhcp: _, ...off } = four;
  assert.equal(planDhcpServer(network('n', [off, slaac]), [], 'x'), undefined);
  const ports = [port('p1', 'n', 10, [['four', '10.0.0.11']]), port('p2', 'n', 11, [['four', '10.0.0.12']])];
  assert.deepEqual(planDhcpServer(network('n', [four, six]), ports, 'x'), planDhcpServer(network('n', [six, four]), [...ports].toReversed(), 'x'));
});

test('router advertisements say how addresses are made', () => {
  const stateless = { ...six, id: 'stateless', cidr: 'fd02::/64', ipv6AddressMode: 'dhcpv6-stateless' as const };
  const plan = planAdvertiser([
    { link: 'qr-a', subnet: six },
    { link: 'qr-a', subnet: slaac, replaced: [parseCidr('fd05::/64') as Cidr] },
    { link: 'qr-b', subnet: stateless },
    { link: 'qr-c', subnet: four },
  ]);
  assert.deepEqual(plan?.args.slice(-8), [
    '--port=0',
    '--enable-ra',
    '--interface=qr-a',
    '--interface=qr-b',
    '--dhcp-range=set:subnet-six,fd00::,static,64',
    '--dhcp-range=set:subnet-slaac,fd01::,ra-only,64',
    '--dhcp-range=fd05::,ra-only,64,deprecated',
    '--dhcp-range=set:subnet-stateless,fd02::,ra-stateless,64',
  ]);
  assert.equal(planAdvertiser([{ link: 'qr-c', subnet: four }]), undefined);
});
