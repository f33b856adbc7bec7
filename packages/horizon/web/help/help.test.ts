import assert from 'node:assert/strict';
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
  assert.equal(topicOf(['something-else'], english), 'general');
});
