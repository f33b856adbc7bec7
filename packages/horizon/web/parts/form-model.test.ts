import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askedFor, changesOf, type Fields, firstValues, problemsOf } from './form-model.ts';

const fields: Fields = {
  name: { kind: 'text', label: 'Name', initial: 'data', required: true },
  size: { kind: 'number', label: 'Size', initial: 2, least: 2, most: 10, required: true },
  source: { kind: 'choice', label: 'Source', options: [{ value: 'image', label: 'Image' }] },
  image: { kind: 'choice', label: 'Image', options: [], when: ({ source }) => source === 'image' },
  address: { kind: 'text', label: 'Address' },
  locked: { kind: 'check', label: 'Locked', initial: true },
  metadata: { kind: 'pairs', label: 'Metadata', initial: { a: '1' } },
  tags: { kind: 'words', label: 'Tags' },
  type: { kind: 'choice', label: 'Type', options: [], required: false },
};
const first = firstValues(fields);

test('fields begin with what is there, or with nothing of their kind', () => {
  assert.deepEqual(first, { name: 'data', size: 2, source: '', image: '', address: '', locked: true, metadata: { a: '1' }, tags: [], type: '' });
  assert.deepEqual(firstValues({ name: { kind: 'text', label: 'Name', initial: null } }), { name: '' });
});

test('what is missing, out of range or refused by its own check is a problem, once it is asked for', () => {
  assert.deepEqual([...problemsOf(fields, first)], [['source', { kind: 'missing' }]]);
  const values = { ...first, name: ' ', size: 1, source: 'image', address: 'ftp:' };
  assert.deepEqual(Object.fromEntries(problemsOf(fields, values, { address: 'not an address', name: 'missing comes first' })), {
    name: { kind: 'missing' },
    size: { kind: 'range', least: 2, most: 10 },
    image: { kind: 'missing' },
    address: { kind: 'words', words: 'not an address' },
  });
  assert.deepEqual(problemsOf(fields, { ...first, size: undefined }).get('size'), { kind: 'missing' });
  assert.deepEqual(problemsOf(fields, { ...first, size: 2.5 }).get('size'), { kind: 'range', least: 2, most: 10 });
});

test('what somebody else changes while the form is open is not changed back', () => {
  const newer: Fields = { ...fields, name: { kind: 'text', label: 'Name', initial: 'renamed meanwhile' } };
  assert.deepEqual(changesOf(newer, { ...first, size: 3 }, first), { size: 3 });
});

test('only what was changed is told, and only what is asked for', () => {
  assert.deepEqual(changesOf(fields, first, first), {});
  assert.deepEqual(changesOf(fields, { ...first, metadata: { a: '1' }, tags: [] }, first), {});
  assert.deepEqual(changesOf(fields, { ...first, metadata: { b: '1' }, locked: false, image: 'i' }, first), { metadata: { b: '1' }, locked: false });
  assert.deepEqual(
    askedFor(fields, { ...first, source: 'image' }).map(([name]) => name),
    Object.keys(fields),
  );
});
