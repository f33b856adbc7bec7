import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Filter, filtered, filterOf, filterText, NO_FILTER, optionsOf, sorted, sortingOf, sortingText } from './table-model.ts';

interface Row {
  readonly name: string;
  readonly size: number;
}
const columns = [
  { id: 'name', value: ({ name }: Row) => name },
  { id: 'size', value: ({ size }: Row) => size },
];
const rows: readonly Row[] = [
  { name: 'web-10', size: 3 },
  { name: 'Web-2', size: 20 },
  { name: 'db', size: 100 },
];
const names = (filter: Filter): string[] => filtered(rows, columns, filter).map(({ name }) => name);
const all = (...tokens: Filter['tokens']): Filter => ({ operation: 'and', tokens });

test('a filter comes back from the address as it was written, whatever is in it', () => {
  for (const value of ['web', 'a&b|c', '\\', '\\&', 'x:y=z', '名', '!', ' ', '<b>', '%26']) {
    for (const operation of ['and', 'or'] as const) {
      const filter: Filter = {
        operation,
        tokens: [
          { propertyKey: 'name', operator: '!:', value },
          { operator: ':', value },
        ],
      };
      assert.deepEqual(filterOf(filterText(filter), columns), filter, value);
    }
  }
  assert.deepEqual(filterOf('', columns), NO_FILTER);
});

test('what the address says of columns that do not exist, or nonsense, is left out', () => {
  assert.deepEqual(filterOf('colour:red&name:a&&=&name', columns), all({ propertyKey: 'name', operator: ':', value: 'a' }));
  assert.equal(sortingOf('colour', columns), undefined);
  assert.deepEqual(sortingOf('-name', columns), { column: 'name', descending: true });
  assert.equal(sortingText(sortingOf('-name', columns)), '-name');
  assert.equal(sortingText(undefined), '');
});

test('conditions: contains, is, is not, compared as numbers, in any column', () => {
  assert.deepEqual(names(NO_FILTER), ['web-10', 'Web-2', 'db']);
  assert.deepEqual(names(all({ propertyKey: 'name', operator: ':', value: 'WEB' })), ['web-10', 'Web-2']);
  assert.deepEqual(names(all({ propertyKey: 'name', operator: '=', value: 'web-2' })), ['Web-2']);
  assert.deepEqual(names(all({ propertyKey: 'size', operator: '>', value: '9' })), ['Web-2', 'db']);
  assert.deepEqual(names(all({ propertyKey: 'size', operator: '<=', value: '20' })), ['web-10', 'Web-2']);
  assert.deepEqual(names(all({ operator: ':', value: '0' })), ['web-10', 'Web-2', 'db']);
  assert.deepEqual(names(all({ operator: '!:', value: '2' })), ['web-10', 'db']);
  assert.deepEqual(
    names({
      operation: 'or',
      tokens: [
        { propertyKey: 'name', operator: '=', value: 'db' },
        { propertyKey: 'size', operator: '=', value: '3' },
      ],
    }),
    ['web-10', 'db'],
  );
});

test('numbers sort as numbers, also within names', () => {
  const by = (text: string): string[] => sorted(rows, columns, sortingOf(text, columns)).map(({ name }) => name);
  assert.deepEqual(by('name'), ['db', 'Web-2', 'web-10']);
  assert.deepEqual(by('-size'), ['db', 'Web-2', 'web-10']);
  assert.deepEqual(by(''), ['web-10', 'Web-2', 'db']);
});

test('a column with very many values offers none', () => {
  const many = Array.from({ length: 10_000 }, (_, index) => ({ name: `n${index}`, size: index % 3 }));
  assert.deepEqual(optionsOf(many, columns), [
    { propertyKey: 'size', value: '0' },
    { propertyKey: 'size', value: '1' },
    { propertyKey: 'size', value: '2' },
  ]);
});
