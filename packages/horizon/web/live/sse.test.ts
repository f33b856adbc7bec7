import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventParser } from './sse.ts';

const STREAM = ': hello\n\nevent: open\nid: 3\ndata: {}\n\nid: 4\ndata: {"a":\ndata: 1}\n\n: here\n\ndata:x\r\n\r\nevent: nothing\n\n';
const EXPECTED = [
  { event: 'open', id: '3', data: '{}' },
  { event: 'message', id: '4', data: '{"a":\n1}' },
  { event: 'message', id: '4', data: 'x' },
];

test('events are read the same however the text is cut', () => {
  for (let size = 1; size <= STREAM.length; size += 1) {
    const parser = new EventParser();
    const events = [];
    for (let i = 0; i < STREAM.length; i += size) events.push(...parser.push(STREAM.slice(i, i + size)));
    assert.deepEqual(events, EXPECTED, `pieces of ${size}`);
  }
});

test('an event that has not ended is kept for later', () => {
  const parser = new EventParser();
  assert.deepEqual(parser.push('data: a\n'), []);
  assert.deepEqual(parser.push('\n'), [{ event: 'message', id: '', data: 'a' }]);
});
