import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageOf } from './errors.ts';

test('the words are found in every service’s envelope', () => {
  assert.equal(messageOf({ badRequest: { code: 400, message: 'nova says' } }, 400), 'nova says');
  assert.equal(messageOf({ error: { code: 401, title: 'x', message: 'keystone says' } }, 401), 'keystone says');
  assert.equal(messageOf({ NeutronError: { type: 'T', message: 'neutron says', detail: '' } }, 404), 'neutron says');
  assert.equal(messageOf({ errors: [{ status: 409, title: 'Conflict', detail: 'placement says' }] }, 409), 'placement says');
  assert.equal(messageOf('plain', 500), 'plain');
  for (const odd of [undefined, null, 7, {}, [], { message: 5 }, { a: { b: { c: { d: { e: { message: 'too deep' } } } } } }])
    assert.equal(messageOf(odd, 502), 'HTTP 502');
});
