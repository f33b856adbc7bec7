import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { parseSync } from 'vite';
import { en } from './en.ts';
import { zh } from './zh.ts';

type Tree = { readonly [key: string]: string | Tree };

function flat(tree: Tree, before = ''): Map<string, string> {
  const words = new Map<string, string>();
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === 'string') words.set(before + key, value);
    else for (const [inner, text] of flat(value, `${before}${key}.`)) words.set(inner, text);
  }
  return words;
}
const placeholders = (text: string): string[] => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1] as string).sort();
const [english, chinese] = [flat(en), flat(zh)];
const web = join(import.meta.dirname, '..');
const sources = readdirSync(web, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name) && !entry.name.endsWith('.test.ts'))
  .map((entry) => join(entry.parentPath, entry.name));

test('both catalogues have the same keys, none empty, with the same places to be filled in', () => {
  assert.deepEqual([...chinese.keys()].sort(), [...english.keys()].sort());
  for (const [key, text] of english) {
    const other = chinese.get(key) ?? '';
    assert.ok(text.trim() !== '' && other.trim() !== '', `${key} is empty`);
    // a singular may leave its number out
    if (!key.endsWith('_one')) assert.deepEqual(placeholders(other), placeholders(text), key);
  }
});

test('the Chinese catalogue is in Chinese but for names and abbreviations', () => {
  const same = new Set([
    'product',
    'fields.id',
    'fields.mtu',
    'lanes.api',
    'activity.cli',
    'activity.curl',
    'activity.terraform',
    'launch.defaultGroup',
    'launch.terraform',
    'flow.sentence',
    'servers.cpuNow',
  ]);
  for (const [key, text] of chinese) if (!same.has(key)) assert.match(text, /\p{Script=Han}|^[、，]$/u, key);
});

/** Attributes and fields that people read. */
const READ =
  /^(label|title|text|header|description|placeholder|alt|content|empty|errorText|constraintText|loadingText|ariaLabel|aria-label|info|value|children|[a-z]+Text|[a-z]+(Aria)?Label)$/;
/** Not words: examples of what is typed. */
const EXAMPLES = new Set([
  '#cloud-config',
  'ssh-ed25519 AAAA…',
  'https://',
  '0.0.0.0/0',
  '::/0',
  'IPv4',
  'IPv6',
  'TCP',
  'UDP',
  'ICMP',
  'fd00::1',
  'fa:16:3e:00:00:01',
  '10.0.0.20, fa:16:3e:00:00:01',
]);

interface Node {
  readonly type: string;
  readonly [key: string]: unknown;
}
const isNode = (value: unknown): value is Node => value !== null && typeof value === 'object' && typeof (value as Node).type === 'string';

/** Text that stands in the source and would be read. */
function* literals(node: Node): Generator<string> {
  const read = (value: unknown): string[] => {
    if (!isNode(value)) return [];
    if (value.type === 'JSXExpressionContainer') return read(value['expression']);
    if (value.type === 'ConditionalExpression') return [...read(value['consequent']), ...read(value['alternate'])];
    if (value.type === 'LogicalExpression') return read(value['right']);
    return value.type === 'Literal' && typeof value['value'] === 'string' ? [value['value']] : [];
  };
  if (node.type === 'JSXText') yield String(node['value']);
  if (node.type === 'JSXExpressionContainer') yield* read(node);
  if (node.type === 'JSXAttribute' && READ.test(String((node['name'] as Node)['name']))) yield* read(node['value']);
  if (node.type === 'Property' && READ.test(String((node['key'] as Node)['name']))) yield* read(node['value']);
  for (const [key, value] of Object.entries(node)) {
    // what an attribute holds was looked at by the attribute's name
    const children =
      node.type === 'JSXAttribute' && isNode(value) && value.type === 'JSXExpressionContainer' ? [value['expression']] : Array.isArray(value) ? value : [value];
    if (key !== 'parent') for (const child of children) if (isNode(child)) yield* literals(child);
  }
}

const wordsIn = (source: string): string[] => {
  const { program, errors } = parseSync('page.tsx', source, { lang: 'tsx' });
  assert.deepEqual(errors, []);
  return [...literals(program as unknown as Node)].map((text) => text.trim()).filter((text) => /\p{L}{2}/u.test(text) && !EXAMPLES.has(text));
};

test('no page has words of its own', () => {
  for (const file of sources.filter((path) => path.endsWith('.tsx'))) assert.deepEqual(wordsIn(readFileSync(file, 'utf8')), [], relative(web, file));
});

test('that is found out: text, attributes, choices, fields', () => {
  const source = 'const a = <B label="Name" size="large" title={ok ? "Yes" : t("no")} items={[{ text: "Delete", id: "delete" }]}>Hello {"there"} {t("x")}</B>;';
  assert.deepEqual(wordsIn(source).sort(), ['Delete', 'Hello', 'Name', 'Yes', 'there']);
});

test('every key is used somewhere', () => {
  const text = sources
    .filter((path) => !path.includes('/locales/'))
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');
  const whole = new Set([...text.matchAll(/['"`]([\w-]+(?:\.[\w-]+)*)['"`]/g)].map((match) => match[1] as string));
  // `actions.${action}`: all keys below are used
  const beginnings = [...text.matchAll(/`([\w.]+\.)\$\{/g)].map((match) => match[1] as string);
  const unused = [...english.keys()].filter(
    (key) => !whole.has(key.replace(/_(one|other)$/, '')) && !beginnings.some((beginning) => key.startsWith(beginning)),
  );
  assert.deepEqual(unused, []);
});
