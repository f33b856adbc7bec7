import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diffRules } from './diff.ts';
import { chainDigest, type Ruleset } from './model.ts';
import { readRules } from './read.ts';

const rules = ['tcp dport 22 accept', 'drop'];
const wanted: Ruleset = new Map([
  [
    'inet cairn',
    {
      family: 'inet' as const,
      name: 'cairn',
      sets: new Map([
        [
          'hosts',
          {
            kind: 'set' as const,
            declaration: 'type ipv4_addr; flags interval',
            elements: new Map([
              ['10.0.0.0/24', ''],
              ['10.1.0.1', ''],
            ]),
          },
        ],
        [
          'way',
          {
            kind: 'map' as const,
            declaration: 'type ifname : verdict',
            elements: new Map([
              ['tap1', 'goto there'],
              ['tap2', 'drop'],
            ]),
          },
        ],
      ]),
      chains: new Map([
        ['there', { rules }],
        ['base', { hook: { type: 'filter' as const, hook: 'forward' as const, priority: -1 }, rules: ['iifname vmap @way'] }],
        ['empty', { rules: [] }],
      ]),
    },
  ],
]);

/** What `nft -j list ruleset` prints of `wanted`, in the parts that are read. */
const listing = (more: readonly object[] = [], comment = chainDigest(rules)): string =>
  JSON.stringify({
    nftables: [
      { metainfo: { version: '1.0.6' } },
      { table: { family: 'inet', name: 'cairn', handle: 1 } },
      { table: { family: 'inet', name: 'docker', handle: 2 } },
      {
        set: {
          family: 'inet',
          name: 'hosts',
          table: 'cairn',
          type: 'ipv4_addr',
          flags: ['interval'],
          elem: [{ prefix: { addr: '10.0.0.0', len: 24 } }, '10.1.0.1'],
        },
      },
      {
        map: {
          family: 'inet',
          name: 'way',
          table: 'cairn',
          type: 'ifname',
          map: 'verdict',
          elem: [
            ['tap1', { goto: { target: 'there' } }],
            ['tap2', { drop: null }],
          ],
        },
      },
      { chain: { family: 'inet', table: 'cairn', name: 'there' } },
      { chain: { family: 'inet', table: 'cairn', name: 'base', type: 'filter', hook: 'forward', prio: -1, policy: 'accept' } },
      { chain: { family: 'inet', table: 'cairn', name: 'empty' } },
      { chain: { family: 'inet', table: 'docker', name: 'theirs' } },
      { rule: { family: 'inet', table: 'cairn', chain: 'there', comment, expr: [] } },
      { rule: { family: 'inet', table: 'cairn', chain: 'there', comment: 'a note', expr: [] } },
      { rule: { family: 'inet', table: 'cairn', chain: 'base', comment: chainDigest(['iifname vmap @way']), expr: [] } },
      ...more,
    ],
  });

test('what was loaded is recognised', () => {
  const read = readRules(listing());
  assert.equal(diffRules(read, wanted), '');
  assert.equal(read.get('inet cairn')?.chains.get('there')?.note, 'a note');
  assert.ok(!read.has('inet docker'));
});

test('rules that somebody added, removed or changed are seen', () => {
  const added = { rule: { family: 'inet', table: 'cairn', chain: 'there', expr: [] } };
  assert.match(
    diffRules(readRules(listing([added])), wanted),
    /^flush chain inet cairn there\nadd rule inet cairn there tcp dport 22 accept comment "[0-9a-f]{20}\.2"\nadd rule inet cairn there drop\n$/,
  );
  assert.match(diffRules(readRules(listing([], 'other.2')), wanted), /^flush chain inet cairn there/);
  assert.match(diffRules(readRules(listing([{ ...added, rule: { ...added.rule, chain: 'empty' } }])), wanted), /^flush chain inet cairn empty\n$/);
});

test('a table that cannot be changed in place is replaced within the same transaction', () => {
  const other = listing().replace('"prio":-1', '"prio":0');
  const script = diffRules(readRules(other), wanted).split('\n');
  assert.deepEqual(script.slice(0, 2), ['delete table inet cairn', 'add table inet cairn']);
  assert.ok(script.includes('add element inet cairn way { "tap1" : goto there, "tap2" : drop }'));
});

test('what leaves is taken apart in an order in which nothing refers to it', () => {
  const smaller: Ruleset = new Map([['inet cairn', { family: 'inet' as const, name: 'cairn', sets: new Map(), chains: new Map() }]]);
  assert.deepEqual(diffRules(readRules(listing()), smaller).trimEnd().split('\n'), [
    'flush chain inet cairn there',
    'flush chain inet cairn base',
    'flush chain inet cairn empty',
    'flush set inet cairn hosts',
    'flush map inet cairn way',
    'delete chain inet cairn there',
    'delete chain inet cairn base',
    'delete chain inet cairn empty',
    'delete set inet cairn hosts',
    'delete map inet cairn way',
  ]);
  assert.equal(diffRules(readRules(listing()), new Map()), 'delete table inet cairn\n');
});
