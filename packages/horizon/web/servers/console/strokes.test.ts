import assert from 'node:assert/strict';
import { test } from 'node:test';
import { strokesOf } from './strokes.ts';

const brief = (text: string): string[] => strokesOf(text).map(({ keysym, code, shift }) => `${keysym.toString(16)} ${code} ${shift ? 'shift' : '-'}`);

test('letters, digits and signs are the keys of a US keyboard, with Shift where it takes one', () => {
  assert.deepEqual(brief('aZ0!|"'), ['61 KeyA -', '5a KeyZ shift', '30 Digit0 -', '21 Digit1 shift', '7c Backslash shift', '22 Quote shift']);
});

test('every character of ASCII that can be seen has a key', () => {
  const text = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('');
  const strokes = strokesOf(text);
  assert.equal(strokes.length, 95);
  assert.deepEqual(
    strokes.filter(({ code }) => code === null),
    [],
  );
  assert.equal(new Set(strokes.map(({ code, shift }) => `${code} ${shift}`)).size, 95);
});

test('ends of lines and tabs are keys, other control characters are none, and the rest goes by its meaning', () => {
  assert.deepEqual(brief('\r\n\t\u001b\u007f'), ['ff0d Enter -', 'ff09 Tab -']);
  assert.deepEqual(brief('é名'), ['e9 null -', '100540d null -']);
});
