import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dnKey, isBelow, parseDn } from './dn.ts';

test('a DN is read with its escapes', () => {
  assert.deepEqual(parseDn('cn=a\\,b, ou = Users ,dc=x'), [[{ type: 'cn', value: 'a,b' }], [{ type: 'ou', value: 'Users' }], [{ type: 'dc', value: 'x' }]]);
  assert.deepEqual(parseDn('cn=L\\C3\\A9on+uid=1'), [
    [
      { type: 'cn', value: 'Léon' },
      { type: 'uid', value: '1' },
    ],
  ]);
  assert.deepEqual(parseDn('cn="a,b"'), [[{ type: 'cn', value: 'a,b' }]]);
  assert.deepEqual(parseDn(''), []);
  assert.equal(parseDn('nonsense'), undefined);
});

test('spellings of the same DN are equal', () => {
  assert.equal(dnKey('CN=Ann  Lee,OU=users'), dnKey('cn=ann lee, ou=Users'));
  assert.equal(dnKey('cn=a+uid=1,dc=x'), dnKey('uid=1+cn=a,dc=x'));
  assert.notEqual(dnKey('cn=a\\,b'), dnKey('cn=a,b=c'));
});

test('what is below what', () => {
  assert.ok(isBelow('cn=a,ou=users,dc=x', 'OU=Users,DC=x'));
  assert.ok(!isBelow('ou=users,dc=x', 'ou=users,dc=x'));
  assert.ok(!isBelow('cn=a,ou=otherusers,dc=x', 'ou=users,dc=x'));
});
