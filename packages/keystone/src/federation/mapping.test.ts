import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCairnError } from '@cairn/kit/errors/errors';
import { applyMapping, type Assertion, type Mapped, type Rule } from './mapping.ts';
import { mappingFaults, type SchemaVersion } from './mapping-schema.ts';
import { literalList, pythonFormat, pythonRegex, pythonRepr } from './python.ts';

const apply = (rules: readonly Rule[], assertion: Assertion, schemaVersion: SchemaVersion = '1.0'): Mapped => {
  assert.deepEqual(mappingFaults(schemaVersion, { rules }), [], 'the rules of a test are valid');
  return applyMapping({ id: 'm', rules, schemaVersion }, assertion);
};
const refused = (rules: readonly Rule[], assertion: Assertion, kind: 'InvalidInput' | 'Internal', text: RegExp, version?: SchemaVersion): void =>
  assert.throws(
    () => apply(rules, assertion, version),
    (error) => isCairnError(error, kind) && text.test(`${error.message} ${JSON.stringify(error.detail ?? '')}`),
  );

const NAME = { type: 'UserName' };
const user = (more: object = {}) => ({ user: { name: '{0}', ...more } });
const bo = { UserName: 'tbo', Email: 'tbo@example.com', FirstName: 'Tim', LastName: 'Bo', orgPersonType: 'Tester', groups: 'a;b;c' };

test('direct maps fill places in the order of the requirements, and a place may be used again', () => {
  const rules = [{ local: [{ user: { name: '{0} {1}', email: '{2}', id: '{2}' } }], remote: [{ type: 'FirstName' }, { type: 'LastName' }, { type: 'Email' }] }];
  assert.deepEqual(apply(rules, bo).user, { name: 'Tim Bo', email: 'tbo@example.com', id: 'tbo@example.com', type: 'ephemeral' });
});

test('a requirement with any_one_of or not_any_of takes no place', () => {
  const rules = [{ local: [{ user: { name: '{0}', email: '{1}' } }], remote: [NAME, { type: 'orgPersonType', any_one_of: ['Tester'] }, { type: 'Email' }] }];
  assert.equal(apply(rules, bo).user.email, 'tbo@example.com');
});

test('any_one_of holds where one value is among the given, not_any_of where none is', () => {
  const rule = (requirement: object) => [{ local: [user()], remote: [NAME, { type: 'groups', ...requirement }] }];
  const holds = (requirement: object): boolean => {
    try {
      apply(rule(requirement), bo);
      return true;
    } catch {
      return false;
    }
  };
  assert.deepEqual(
    [{ any_one_of: ['b', 'x'] }, { any_one_of: ['x'] }, { not_any_of: ['x'] }, { not_any_of: ['c'] }, { any_one_of: [] }, { not_any_of: [] }].map(holds),
    [true, false, true, false, false, true],
  );
  assert.deepEqual(
    [
      { any_one_of: ['^[bB]$'], regex: true },
      { any_one_of: ['^x'], regex: true },
      { not_any_of: ['.'], regex: true },
      { not_any_of: ['z$'], regex: true },
    ].map(holds),
    [true, false, false, true],
  );
});

test('regular expressions are Python’s, search anywhere, and see each value apart', () => {
  const email = (pattern: string) => [{ local: [user()], remote: [NAME, { type: 'Email', any_one_of: [pattern], regex: true }] }];
  for (const pattern of ['.*@example.com$', 'example', '(?i)TBO@', '(?P<who>t)bo', '\\Atbo@.*com\\Z', 'tbo\\@example'])
    assert.equal(apply(email(pattern), bo).user.name, 'tbo');
  refused(email('\\Abo@'), bo, 'InvalidInput', /Could not map/);
  refused(email('('), bo, 'Internal', /not a regular expression/);
  assert.ok(!pythonRegex('\\Ab').test('a\nb'));
});

test('of several rules each that fits adds its part, and the first user counts', () => {
  const rules = [
    { local: [user()], remote: [NAME] },
    { local: [{ user: { name: 'second' } }, { group: { id: 'testers' } }], remote: [{ type: 'orgPersonType', any_one_of: ['Tester'] }] },
    { local: [{ group: { id: 'employees' } }], remote: [{ type: 'orgPersonType', not_any_of: ['Tester'] }] },
    { local: [{ group: { id: 'testers' } }], remote: [{ type: 'Email' }] },
  ];
  assert.deepEqual(apply(rules, bo), { user: { name: 'tbo', type: 'ephemeral' }, groupIds: ['testers'], groups: [], projects: [] });
});

test('an assertion that no rule fits is refused', () => {
  refused([{ local: [user()], remote: [{ type: 'Missing' }] }], bo, 'InvalidInput', /Could not map any federated user properties to identity values/);
  refused([{ local: [user()], remote: [NAME] }], {}, 'InvalidInput', /Could not map/);
  refused([{ local: [user()], remote: [NAME] }], { UserName: [] }, 'InvalidInput', /Could not map/);
});

test('groups by name keep the domain that they are given with', () => {
  const rules = [
    { local: [user()], remote: [NAME] },
    { local: [{ group: { name: 'Developer', domain: { name: 'outsourcing' } } }], remote: [{ type: 'orgPersonType', any_one_of: ['Tester'] }] },
    { local: [{ group: { name: 'tester', domain: { id: '5abc43' } } }], remote: [{ type: 'Email' }] },
    { local: [{ group: { name: 'tester', domain: { id: '5abc43' } } }], remote: [NAME] },
  ];
  assert.deepEqual(apply(rules, bo).groups, [
    { name: 'Developer', domain: { name: 'outsourcing' } },
    { name: 'tester', domain: { id: '5abc43' } },
  ]);
});

test('groups takes all values of an attribute, with the domain beside it', () => {
  const rules = (requirement: object) => [{ local: [user(), { groups: '{1}', domain: { id: 'd' } }], remote: [NAME, { type: 'groups', ...requirement }] }];
  const names = (requirement: object, assertion: Assertion = bo) =>
    apply(rules(requirement), assertion).groups.map((group) => `${group.domain.id}/${group.name}`);
  assert.deepEqual(names({}), ['d/a', 'd/b', 'd/c']);
  assert.deepEqual(names({ whitelist: ['b', 'x'] }), ['d/b']);
  assert.deepEqual(names({ whitelist: ['x'] }), []);
  assert.deepEqual(names({ whitelist: [] }), []);
  assert.deepEqual(names({ blacklist: ['b'] }), ['d/a', 'd/c']);
  assert.deepEqual(names({ blacklist: ['a', 'b', 'c'] }), []);
  assert.deepEqual(names({ blacklist: [] }), ['d/a', 'd/b', 'd/c']);
  assert.deepEqual(names({ whitelist: ['^[ab]$'], regex: true }), ['d/a', 'd/b']);
  assert.deepEqual(names({ blacklist: ['^[ab]$'], regex: true }), ['d/c']);
  assert.deepEqual(names({}, { ...bo, groups: 'only' }), ['d/only']);
});

test('groups without a domain is refused', () => {
  refused(
    [{ local: [user(), { groups: '{1}' }], remote: [NAME, { type: 'groups' }] }],
    bo,
    'InvalidInput',
    /Both 'groups' and 'domain' keywords must be specified/,
  );
});

test('groups as JSON bring their own domains, as a keystone that is the identity provider says them', () => {
  const rules = [{ local: [user(), { groups: '{1}' }], remote: [NAME, { type: 'openstack_groups' }] }];
  const one = 'JSON:{"name":"group1","domain":{"name":"Default"}}';
  const two = 'JSON:{"name":"it\'s","domain":{"id":"d2"}}';
  const groups = [
    { name: 'group1', domain: { name: 'Default' } },
    { name: "it's", domain: { id: 'd2' } },
  ];
  assert.deepEqual(apply(rules, { UserName: 'u', openstack_groups: `${one};${two}` }).groups, groups);
  assert.deepEqual(apply(rules, { UserName: 'u', openstack_groups: one }).groups, groups.slice(0, 1));
  refused(rules, { UserName: 'u', openstack_groups: 'JSON:{"name":"nobody"}' }, 'InvalidInput', /Both 'groups' and 'domain'/);
  refused(rules, { UserName: 'u', openstack_groups: 'JSON:{"name":' }, 'InvalidInput', /not JSON/);
});

test('group_ids are one, several, or several of an attribute, each once', () => {
  const rules = (ids: string) => [{ local: [user(), { group: { id: 'abc' } }, { group_ids: ids }], remote: [NAME, { type: 'groups' }] }];
  assert.deepEqual(apply(rules('{1}'), { ...bo, groups: 'abc;def;abc' }).groupIds, ['abc', 'def']);
  assert.deepEqual(apply(rules('{1}'), { ...bo, groups: 'def' }).groupIds, ['abc', 'def']);
  assert.deepEqual(apply(rules("['x', 'y']"), bo).groupIds, ['abc', 'x', 'y']);
});

test('a user is ephemeral unless the mapping says local, and has the domain that the mapping names', () => {
  assert.deepEqual(apply([{ local: [user({ type: 'local', domain: { id: 'd' } })], remote: [NAME] }], bo).user, {
    name: 'tbo',
    type: 'local',
    domain: { id: 'd' },
  });
  assert.deepEqual(apply([{ local: [user({ domain: { name: '{1}' } })], remote: [NAME, { type: 'LastName' }] }], bo).user.domain, { name: 'Bo' });
  assert.deepEqual(apply([{ local: [{ group: { id: 'g' } }], remote: [NAME] }], bo).user, { type: 'ephemeral' });
});

test('schema 2.0 gives users and projects the domain beside them; 1.0 does not', () => {
  const projects = [{ name: 'p', roles: [{ name: 'member' }] }];
  const rules = [{ local: [{ ...user(), projects, domain: { id: 'beside' } }], remote: [NAME] }];
  assert.deepEqual(apply(rules, bo, '2.0'), {
    user: { name: 'tbo', type: 'ephemeral', domain: { id: 'beside' } },
    groupIds: [],
    groups: [],
    projects: [{ ...projects[0], domain: { id: 'beside' } }],
  });
  const first = apply(rules, bo, '1.0');
  assert.deepEqual([first.user.domain, first.projects], [undefined, projects]);
  const own = [
    { local: [{ ...user({ domain: { id: 'u' } }), projects: [{ ...projects[0], domain: { name: 'own' } }], domain: { id: 'beside' } }], remote: [NAME] },
  ];
  const second = apply(own, bo, '2.0');
  assert.deepEqual([second.user.domain, second.projects[0]?.domain], [{ id: 'u' }, { name: 'own' }]);
  assert.match(mappingFaults('1.0', { rules: own })[0] ?? '', /Additional properties are not allowed \('domain' was unexpected\)/);
});

test('projects and roles are filled from the assertion', () => {
  const rules = [
    { local: [user(), { projects: [{ name: 'project of {0}', roles: [{ name: 'member' }, { name: '{1}' }] }] }], remote: [NAME, { type: 'orgPersonType' }] },
  ];
  assert.deepEqual(apply(rules, bo).projects, [{ name: 'project of tbo', roles: [{ name: 'member' }, { name: 'Tester' }] }]);
});

test('schema 3.0 takes projects from an attribute that holds JSON', () => {
  const rules = [{ local: [{ ...user(), projects_json: '{1}', domain: { id: 'd' } }], remote: [NAME, { type: 'projects' }] }];
  const json = '[{"name":"one","roles":[{"name":"reader"}]},{"name":"two","domain":{"name":"x"},"roles":[]}]';
  assert.deepEqual(apply(rules, { UserName: ['u'], projects: [json] }, '3.0').projects, [
    { name: 'one', roles: [{ name: 'reader' }], domain: { id: 'd' } },
    { name: 'two', domain: { name: 'x' }, roles: [] },
  ]);
  refused(rules, { UserName: ['u'], projects: ['{"name":1}'] }, 'InvalidInput', /is not of type 'array'/, '3.0');
  refused(rules, { UserName: ['u'], projects: ['['] }, 'InvalidInput', /not JSON/, '3.0');
  refused([{ local: [{ ...user(), projects_json: 'x' }], remote: [NAME] }], bo, 'InvalidInput', /does not match the expected pattern/, '3.0');
  refused([{ local: [{ ...user(), projects_json: '{7}' }], remote: [NAME] }], bo, 'Internal', /remote match/, '3.0');
  assert.match(mappingFaults('2.0', { rules })[0] ?? '', /'projects_json' was unexpected/);
});

test('a place that is not there is the mapping’s fault, not the user’s', () => {
  refused([{ local: [user({ email: '{1}' })], remote: [NAME] }], bo, 'Internal', /remote match/);
  refused([{ local: [user()], remote: [{ type: 'UserName', any_one_of: ['tbo'] }] }], bo, 'Internal', /remote match/);
  refused([{ local: [{ user: { name: '{0.__class__}' } }], remote: [NAME] }], bo, 'Internal', /remote match/);
});

test('a semicolon separates values in upstream’s form alone: a verified value stays one', () => {
  const rules = [{ local: [user(), { groups: '{1}', domain: { id: 'd' } }], remote: [NAME, { type: 'groups' }] }];
  assert.deepEqual(
    apply(rules, { UserName: ['eve'], groups: ['guests;admins'] }).groups.map((group) => group.name),
    ['guests;admins'],
  );
  assert.deepEqual(
    apply(rules, { UserName: 'eve', groups: 'guests;admins' }).groups.map((group) => group.name),
    ['guests', 'admins'],
  );
});

test('names from prototypes are no attributes', () => {
  refused([{ local: [user()], remote: [{ type: 'constructor' }] }], bo, 'InvalidInput', /Could not map/);
});

const faulty: readonly (readonly [name: string, mapping: unknown, fault: RegExp])[] = [
  ['no rules', { rules: [] }, /^\[\] should be non-empty$/],
  ['rules missing', {}, /^'rules' is a required property$/],
  ['rules of another type', { rules: {} }, /^\{\} is not of type 'array'$/],
  ['local missing', { rules: [{ remote: [NAME] }] }, /^'local' is a required property$/],
  ['no remote', { rules: [{ local: [], remote: [] }] }, /^\[\] should be non-empty$/],
  ['user is text', { rules: [{ local: [{ user: '{0}' }], remote: [NAME] }] }, /^'\{0\}' is not of type 'object'$/],
  ['a requirement without type', { rules: [{ local: [], remote: [{}] }] }, /^\{\} is not valid under any of the given schemas$/],
  ['a requirement of an unknown kind', { rules: [{ local: [], remote: [{ type: 'x', bad: ['y'] }] }] }, /is not valid under any of the given schemas$/],
  ['two kinds at once', { rules: [{ local: [], remote: [{ type: 'x', any_one_of: [], whitelist: [] }] }] }, /is not valid under any/],
  ['a value in place of a list', { rules: [{ local: [], remote: [{ type: 'x', any_one_of: 'y' }] }] }, /is not valid under any/],
  ['regex that is no flag', { rules: [{ local: [], remote: [{ type: 'x', any_one_of: ['y'], regex: 'yes' }] }] }, /is not valid under any/],
  ['a rule with more', { rules: [{ local: [], remote: [NAME], extra: 1 }] }, /^Additional properties are not allowed \('extra' was unexpected\)$/],
  ['an unknown user type', { rules: [{ local: [{ user: { type: 'alien' } }], remote: [NAME] }] }, /^'alien' is not one of \['ephemeral', 'local'\]$/],
  ['a group without anything', { rules: [{ local: [{ group: {} }], remote: [NAME] }] }, /^\{\} is not valid under any of the given schemas$/],
  ['a group by name without domain', { rules: [{ local: [{ group: { name: 'g' } }], remote: [NAME] }] }, /is not valid under any/],
  ['a group by id with domain', { rules: [{ local: [{ group: { id: 'g', domain: { id: 'd' } } }], remote: [NAME] }] }, /is not valid under any/],
  ['a domain with more', { rules: [{ local: [{ domain: { id: 'd', bad: 1 } }], remote: [NAME] }] }, /'bad' was unexpected/],
  ['groups as a list', { rules: [{ local: [{ groups: ['g'] }], remote: [NAME] }] }, /^\['g'\] is not of type 'string'$/],
  ['a project without roles', { rules: [{ local: [{ projects: [{ name: 'p' }] }], remote: [NAME] }] }, /^'roles' is a required property$/],
];
for (const [name, mapping, fault] of faulty) {
  test(`a mapping is refused: ${name}`, () => {
    const faults = mappingFaults('1.0', mapping);
    assert.match(faults[0] ?? 'nothing', fault);
  });
}

test('several faults come sorted, a line each', () => {
  assert.deepEqual(mappingFaults('1.0', { rules: [{ extra: 1 }] }), [
    "'local' is a required property",
    "'remote' is a required property",
    "Additional properties are not allowed ('extra' was unexpected)",
  ]);
});

test('values are written as Python writes them, and read back the same', () => {
  assert.equal(pythonRepr({ a: [1, true, null, "it's"], b: 'x"y' }), `{'a': [1, True, None, "it's"], 'b': 'x"y'}`);
  for (const list of [[], ['a'], ["it's", 'x"y', `both ' and "`, 'back\\slash', 'line\nbreak', 'tab\t', '\u0001', 'ünï', '😀', ', ']]) {
    assert.deepEqual(literalList(pythonRepr(list)), list);
  }
  for (const none of ['plain', "'a'", "['a'", "['a' 'b']", '[__import__]', '1', `${'['.repeat(50)}${']'.repeat(50)}`, "['a'] x", ''])
    assert.equal(literalList(none), undefined);
  assert.deepEqual(literalList('[\'a\', "b", 3, ]'), ['a', 'b', '3']);
});

test('formats fill numbers, turns, indexes and doubled braces', () => {
  assert.equal(pythonFormat('{{{0}}} {1[1]} {1}', ['x', ['a', 'b']]), "{x} b ['a', 'b']");
  assert.equal(pythonFormat('{}-{}', ['x', 'y']), 'x-y');
  for (const bad of ['{2}', '{name}', '{0!r}', '{', '}', '{1[5]}']) assert.throws(() => pythonFormat(bad, ['x', ['a']]));
});
