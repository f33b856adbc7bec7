import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ForwardingForm, forwardingOf, sideText } from './forwarding.ts';

const FORM: ForwardingForm = { protocol: 'tcp', outer: '2222', inner: '22', portId: 'p', address: '10.0.0.5', description: '' };
const common = { protocol: 'tcp', internal_port_id: 'p', internal_ip_address: '10.0.0.5' };

test('one port is a number, several are a range, and both sides fit each other', () => {
  assert.deepEqual(forwardingOf(FORM), { ...common, external_port: 2222, internal_port: 22 });
  assert.deepEqual(forwardingOf({ ...FORM, inner: '', description: 'ssh' }), { ...common, external_port: 2222, internal_port: 2222, description: 'ssh' });
  assert.deepEqual(forwardingOf({ ...FORM, outer: '8000-8010', inner: '9000-9010' }), {
    ...common,
    external_port_range: '8000:8010',
    internal_port_range: '9000:9010',
  });
  assert.deepEqual(forwardingOf({ ...FORM, outer: '8000-8010', inner: '80' }), { ...common, external_port_range: '8000:8010', internal_port_range: '80' });
  for (const change of [{ outer: '' }, { outer: 'x' }, { inner: '1-5' }, { portId: '' }, { outer: '80-82', inner: '80-81' }])
    assert.equal(forwardingOf({ ...FORM, ...change }), undefined, JSON.stringify(change));
});

test('ports read the same, one or many', () => {
  const forwarding = {
    id: 'f',
    description: '',
    ...common,
    protocol: 'tcp',
    internal_port: 22,
    internal_port_range: '22:22',
    external_port_range: '80:90',
  } as const;
  assert.deepEqual([sideText(forwarding, 'internal'), sideText(forwarding, 'external')], ['22', '80-90']);
});
