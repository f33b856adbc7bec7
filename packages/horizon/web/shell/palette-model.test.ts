import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Entry, isId, literally, matching, placeOf, withEarlier } from './palette-model.ts';

const entry = (kind: string, text: string, detail?: string): Entry => ({ id: text, kind, text, detail, go: () => undefined });
const entries = [entry('Page', 'Servers'), entry('Action', 'Launch a server'), entry('Server', 'observer', 'abc-1'), entry('Volume', 'data', 'abc-2')];
const found = (typed: string): string[] => matching(entries, typed).map(({ text }) => text);

test('every word has to be found; what begins with it comes first', () => {
  assert.deepEqual(found(''), ['Servers', 'Launch a server', 'observer', 'data']);
  assert.deepEqual(found('SERVER'), ['Servers', 'Launch a server', 'observer']);
  assert.deepEqual(found('server launch'), ['Launch a server']);
  assert.deepEqual(found('abc'), ['observer', 'data']);
  assert.deepEqual(found('volume da'), ['data']);
  assert.deepEqual(found('nothing'), []);
});

test('the entry that was gone to stays the one, wherever things that are found later push it', () => {
  assert.equal(placeOf(entries, undefined), 0);
  assert.equal(placeOf(entries, 'observer'), 2);
  assert.equal(placeOf([entry('Server', 'obs', 'new'), ...entries], 'observer'), 3);
  assert.equal(placeOf(entries, 'gone'), 0);
});

test('what was found before stays behind what is found now, once', () => {
  const [a, b, c] = [{ id: 'a' }, { id: 'b' }, { id: 'c' }];
  assert.deepEqual(withEarlier([], [a, b]), [a, b]);
  assert.deepEqual(withEarlier([b, c], [a, b]), [b, c, a]);
});

test('an id is known as one; a name is searched for literally', () => {
  assert.ok(isId(' 6f70656e-7374-6163-6b20-342065766572 '));
  assert.ok(!isId('web'));
  assert.equal(literally('a.b(c)*'), 'a\\.b\\(c\\)\\*');
});
