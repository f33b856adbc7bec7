import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { help as english } from './en.ts';
import { topicOf } from './topic.ts';
import { help as chinese } from './zh.ts';

test('every text is there in both languages', () => {
  assert.deepEqual(Object.keys(chinese), Object.keys(english));
  for (const [topic, words] of Object.entries(chinese)) assert.match(words[1], /\p{Script=Han}/u, topic);
});

test('a page is helped by the text of its list; the launch and the overview have their own', () => {
  assert.equal(topicOf([], english), 'overview');
  assert.equal(topicOf(['servers', 'some-id'], english), 'servers');
  assert.equal(topicOf(['servers', 'new'], english), 'launch');
  assert.equal(topicOf(['all-volumes'], english), 'all');
  assert.equal(topicOf(['something-else'], english), 'general');
});

test('every page has a text of its own', () => {
  const router = readFileSync(join(import.meta.dirname, '../router.tsx'), 'utf8');
  const pages = new Set([...router.matchAll(/^ {2,4}(?:path: )?'\/([a-z-]*)/gm)].map(([, page = '']) => page));
  assert.ok(pages.size > 30);
  const general = [...pages].filter((page) => topicOf(page === '' ? [] : [page], english) === 'general');
  assert.deepEqual(general, []);
});
