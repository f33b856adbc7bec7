import assert from 'node:assert/strict';
import { test } from 'node:test';
import { socketUrlOf } from './link.ts';

const page = { protocol: 'http:', host: '127.0.0.1:8780' };
const display = (path: string) => ({ protocol: 'vnc', type: 'novnc', url: `http://cloud/compute/console/vnc_auto.html?path=${encodeURIComponent(path)}` });

test('a display and a serial line are reached at the page’s own origin, whatever host the cloud calls itself', () => {
  assert.equal(socketUrlOf(display('compute/console/websockify?token=a-1'), page), 'ws://127.0.0.1:8780/compute/console/websockify?token=a-1');
  const serial = { protocol: 'serial', type: 'serial', url: 'wss://cloud.example/compute/console/serial?token=b-2' };
  assert.equal(socketUrlOf(serial, { protocol: 'https:', host: 'dash' }), 'wss://dash/compute/console/serial?token=b-2');
});

test('an address that would lead the pass elsewhere is refused', () => {
  for (const path of ['/evil.example/x?token=a', '\\\\evil.example/x?token=a', '@evil.example/x?token=a', '', 'compute/console/websockify', 'a/b?token=a&x=/y'])
    assert.throws(() => socketUrlOf(display(path), page), /no console/, path);
});
