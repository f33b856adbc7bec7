import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propertiesOf, propertiesText, propertyChange } from './properties.ts';

test('properties are lines of name=value; a value may have anything in it', () => {
  assert.deepEqual(propertiesOf(' ssd = true \n\nhw:numa_nodes=2\nurl=http://x/?a=b\nempty='), {
    ssd: 'true',
    'hw:numa_nodes': '2',
    url: 'http://x/?a=b',
    empty: '',
  });
  assert.deepEqual(propertiesOf(''), {});
  for (const text of ['ssd', '=true', ' = x', 'a=1\na=2']) assert.equal(propertiesOf(text), undefined, text);
  assert.deepEqual(propertiesOf('__proto__=x'), Object.fromEntries([['__proto__', 'x']]));
});

test('as text and back they are the same', () => {
  const properties = { a: '1', 'b:c': 'd=e' };
  assert.deepEqual(propertiesOf(propertiesText(properties)), properties);
});

test('a change names what is new, what differs, and what is gone', () => {
  assert.deepEqual(propertyChange({ a: '1', b: '2', c: '3' }, { a: '1', b: '9', d: '4' }), { c: null, b: '9', d: '4' });
});
