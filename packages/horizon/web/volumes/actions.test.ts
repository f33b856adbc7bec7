import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isReadonly, volumeHindrance, type VolumeFacts } from './actions.ts';

const free: VolumeFacts = { status: 'available', multiattach: false, attachments: [], metadata: {} };
const used: VolumeFacts = { ...free, status: 'in-use', attachments: [{ server_id: 's', device: '/dev/vdb', attachment_id: 'a' }] };

test('a free volume can be attached, not detached; one in use the other way round', () => {
  assert.equal(volumeHindrance('attach', free), undefined);
  assert.deepEqual(volumeHindrance('detach', free), { why: 'notAttached' });
  assert.deepEqual(volumeHindrance('attach', used), { why: 'state', needs: ['available'] });
  assert.equal(volumeHindrance('detach', used), undefined);
  assert.equal(volumeHindrance('attach', { ...used, multiattach: true }), undefined);
});

test('what changes contents waits for the state that cinder asks for; words can be changed at any time', () => {
  for (const action of ['extend', 'snapshot', 'backup'] as const) {
    assert.equal(volumeHindrance(action, used), undefined);
    assert.equal(volumeHindrance(action, { ...free, status: 'creating' })?.why, 'state');
  }
  assert.equal(volumeHindrance('transfer', used)?.why, 'state');
  assert.equal(volumeHindrance('delete', { ...free, status: 'error' }), undefined);
  assert.equal(volumeHindrance('edit', { ...free, status: 'creating' }), undefined);
});

test('read-only is a word in the metadata', () => {
  assert.equal(isReadonly(free), false);
  assert.equal(isReadonly({ ...free, metadata: { readonly: 'True' } }), true);
});
