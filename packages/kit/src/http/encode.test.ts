import assert from 'node:assert/strict';
import { it } from 'node:test';
import { encode } from './encode.ts';
import { JsonText } from './operation.ts';

const bytes = (payload: string | Buffer): Buffer => Buffer.from(payload);

it('bodies are encoded as UTF-8, whatever their length and pieces', () => {
  for (const unit of ['a', 'é', '€', '\u{1F4A1}'])
    for (const length of [0, 10, 16_384, 16_385, 100_000, 1_400_000, 3_000_000]) {
      const text = unit.repeat(length / unit.length);
      for (const body of [text, new JsonText([text.slice(0, 1_000), text.slice(1_000)])]) {
        const { payload, sent } = encode(body);
        assert.equal(Buffer.compare(bytes(payload), Buffer.from(text)), 0, `${length} of ${unit}`);
        sent?.();
      }
    }
  const given = Buffer.from([0xff, 0]);
  assert.equal(encode(given).payload, given);
});

it('bytes that are not sent yet stay as they are', () => {
  const slow = encode('x'.repeat(20_000));
  const quick = encode('y'.repeat(20_000));
  quick.sent?.();
  const next = encode('z'.repeat(20_000));
  assert.equal(slow.payload.toString(), 'x'.repeat(20_000));
  assert.equal(next.payload.toString(), 'z'.repeat(20_000));
});
