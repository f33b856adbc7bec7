import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { silentLog } from '@cairn/kit/log/log';
import type { MetadataReply, MetadataRequest } from '../../interface/agent.ts';
import { metadataHandler } from './handler.ts';

async function ask(options: {
  readonly identify?: (ip: string) => string | undefined;
  readonly metadata?: (request: MetadataRequest) => Promise<MetadataReply>;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}) {
  const heard: MetadataRequest[] = [];
  const metadata = options.metadata ?? (async () => ({ status: 200, contentType: 'application/json', body: Buffer.from('{"é":1}') }));
  const callbacks = { metadata: async (r: MetadataRequest) => (heard.push(r), await metadata(r)) };
  const server = createServer(metadataHandler(options.identify ?? (() => 'port-1'), callbacks, silentLog));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const reply = await new Promise<{ status: number; headers: Record<string, unknown>; body: string }>((resolve, reject) => {
    const r = request({ host: '127.0.0.1', port, method: options.method ?? 'GET', path: options.path ?? '/x', headers: options.headers }, (response) => {
      let body = '';
      response
        .setEncoding('utf8')
        .on('data', (chunk: string) => (body += chunk))
        .on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    r.on('error', reject);
    r.end(options.body);
  });
  server.close();
  server.closeAllConnections();
  return { ...reply, heard };
}

test("a request is handed on with the port's id and nothing of its headers, and answered", async () => {
  const ips: string[] = [];
  const { status, headers, body, heard } = await ask({
    identify: (ip) => (ips.push(ip), 'port-1'),
    path: '/openstack/latest/meta_data.json?a=b',
    headers: { 'x-instance-id': 'lie', 'x-forwarded-for': '10.0.0.9' },
  });
  assert.deepEqual([status, headers['content-type'], headers['content-length'], body], [200, 'application/json', '8', '{"é":1}']);
  assert.deepEqual(heard, [{ portId: 'port-1', method: 'GET', path: '/openstack/latest/meta_data.json?a=b' }]);
  assert.deepEqual(ips, ['127.0.0.1']);
});

test('who is not known is not answered for', async () => {
  const { status, heard } = await ask({ identify: () => undefined });
  assert.deepEqual([status, heard], [404, []]);
});

test('HEAD is GET without a body; POST brings one; other methods are refused', async () => {
  const head = await ask({ method: 'HEAD' });
  assert.deepEqual([head.status, head.body, head.headers['content-length'], head.heard[0]?.method], [200, '', '8', 'GET']);
  assert.equal((await ask({ method: 'POST', body: 'secret' })).heard[0]?.body, 'secret');
  const refused = await ask({ method: 'PUT', body: 'x' });
  assert.deepEqual([refused.status, refused.headers.allow, refused.heard], [405, 'GET, HEAD, POST', []]);
});

test('a body that is too long is refused before it is read', async () => {
  const { status, heard } = await ask({ method: 'POST', headers: { 'content-length': String(65 * 1024) }, body: 'x'.repeat(65 * 1024) });
  assert.deepEqual([status, heard], [413, []]);
});

test('a failure tells the guest nothing', async () => {
  const { status, body } = await ask({ metadata: async () => await Promise.reject(new Error('database password is 12345')) });
  assert.equal(status, 500);
  assert.doesNotMatch(body, /12345/);
});
