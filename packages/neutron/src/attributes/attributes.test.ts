import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { testAdmin, testContext } from '@cairn/kit/testing/world';
import Type from 'typebox';
import { readListQuery } from '../listing/query.ts';
import { NOT_SPECIFIED } from './attribute.ts';
import { toBoolean, toInt } from './converters.ts';
import { defineResource, prepareCreate, prepareUpdate } from './resource.ts';
import { tenantId } from './standard.ts';
import { fixedIps, hostRoutes, ipPools, nameservers, oneLine, string } from './validators.ts';

const text = Type.String();
const THING = defineResource({
  name: 'thing',
  attributes: {
    id: { filter: true, sort: true, schema: text },
    name: { post: true, put: true, default: '', validate: string(5), filter: true, sort: true, schema: text },
    size: { post: true, convert: toInt, filter: true, schema: text },
    flag: { post: true, put: true, default: NOT_SPECIFIED, convert: toBoolean, filter: true, schema: text },
    secret: { post: true, default: null, visible: false, schema: text },
    tenant_id: tenantId,
  },
});

const ctx = testContext();
const message = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('nothing was refused');
};

describe('bodies', () => {
  it('are filled with defaults and converted', () => {
    const { items, bulk } = prepareCreate(THING, ctx, { thing: { size: '7' } });
    assert.equal(bulk, false);
    assert.deepEqual(items, [{ size: 7, name: '', flag: NOT_SPECIFIED, secret: null, tenant_id: ctx.projectId, project_id: ctx.projectId }]);
    assert.equal(prepareCreate(THING, ctx, { things: [{ size: 1 }, { thing: { size: 2 } }] }).items.length, 2);
    assert.deepEqual(prepareUpdate(THING, ctx, { thing: { flag: 'yes' } }), { flag: true });
  });

  it('are refused in upstream words', () => {
    assert.equal(
      message(() => prepareCreate(THING, ctx, undefined)),
      "Unable to find 'thing' in request body",
    );
    assert.equal(
      message(() => prepareCreate(THING, ctx, { other: {} })),
      "Unable to find 'thing' in request body",
    );
    assert.equal(
      message(() => prepareCreate(THING, ctx, [])),
      'Body contains invalid data',
    );
    assert.equal(
      message(() => prepareCreate(THING, ctx, { thing: {} })),
      "Failed to parse request. Required attribute 'size' not specified",
    );
    assert.equal(
      message(() => prepareCreate(THING, ctx, { thing: { size: 1, id: 'x' } })),
      "Attribute 'id' not allowed in POST",
    );
    assert.equal(
      message(() => prepareCreate(THING, ctx, { thing: { size: 1, color: 'x' } })),
      "Unrecognized attribute(s) 'color'",
    );
    assert.equal(
      message(() => prepareCreate(THING, ctx, { thing: { size: 'big' } })),
      "Invalid input for operation: 'big' is not an integer.",
    );
    assert.equal(
      message(() => prepareCreate(THING, ctx, { thing: { size: 1, name: 'longer' } })),
      "Invalid input for name. Reason: 'longer' exceeds maximum length of 5.",
    );
    assert.equal(
      message(() => prepareUpdate(THING, ctx, { thing: { size: 1 } })),
      'Cannot update read-only attribute size',
    );
    assert.equal(
      message(() => prepareUpdate(THING, ctx, { things: [] })),
      'Bulk operation not supported',
    );
    // names of Object.prototype are attributes of nothing
    assert.equal(
      message(() => prepareCreate(THING, ctx, JSON.parse('{"thing": {"size": 1, "__proto__": 1, "constructor": 2}}'))),
      "Unrecognized attribute(s) '__proto__, constructor'",
    );
  });

  it('are for the own project but for admins', () => {
    const other = { thing: { size: 1, project_id: 'other' } };
    assert.match(
      message(() => prepareCreate(THING, ctx, other)),
      /^Specifying 'project_id' other than the authenticated project/,
    );
    assert.equal(prepareCreate(THING, testAdmin(), other).items[0]?.tenant_id, 'other');
    assert.equal(
      message(() => prepareCreate(THING, testAdmin(), { thing: { size: 1, project_id: 'a', tenant_id: 'b' } })),
      "'project_id' and 'tenant_id' do not match",
    );
  });
});

describe('queries of lists', () => {
  const read = (query: string) => readListQuery(THING, new URLSearchParams(query));

  it('are read', () => {
    const input = read('name=a&name=b&flag=true&fields=id&fields=&sort_key=name&sort_dir=desc&limit=5&marker=m&page_reverse=True');
    assert.deepEqual(
      [...input.filters],
      [
        ['name', ['a', 'b']],
        ['flag', [true]],
      ],
    );
    assert.deepEqual([input.fields, input.sorts, input.limit, input.marker, input.reverse], [['id'], [{ field: 'name', direction: 'desc' }], 5, 'm', true]);
    assert.equal(read('limit=0').limit, undefined);
  });

  it('are refused in upstream words', () => {
    assert.equal(
      message(() => read('secret=1')),
      "['secret'] is invalid attribute for filtering",
    );
    assert.equal(
      message(() => read('limit=-1')),
      "Bad limit request: Limit must be an integer 0 or greater and not '-1'.",
    );
    assert.equal(
      message(() => read('sort_key=name')),
      'The number of sort_keys and sort_dirs must be same',
    );
    assert.equal(
      message(() => read('sort_key=size&sort_dir=asc')),
      "['size'] is invalid attribute for sort_keys",
    );
    assert.equal(
      message(() => read('sort_key=name&sort_dir=up')),
      "['up'] is invalid value for sort_dirs, valid value is 'asc' and 'desc'",
    );
  });
});

describe('checks', () => {
  it('of addresses and routes', () => {
    assert.equal(fixedIps([{ ip_address: '10.0.0.1' }, { subnet_id: 'b0b0b0b0-0000-4000-8000-000000000000' }]), undefined);
    for (const wrong of [7, [7], [{ ip_address: 'x' }], [{ ip_address: '10.0.0.1' }, { ip_address: '10.0.0.1' }]])
      assert.ok(fixedIps(wrong), JSON.stringify(wrong));
    assert.equal(hostRoutes([{ destination: '10.0.0.0/8', nexthop: '10.1.1.1' }]), undefined);
    for (const wrong of [[{ destination: '10.0.0.0/8' }], [{ destination: 'x', nexthop: '10.1.1.1' }], 'x'])
      assert.ok(hostRoutes(wrong), JSON.stringify(wrong));
    assert.equal(ipPools([{ start: '10.0.0.1', end: '10.0.0.2' }]), undefined);
    for (const wrong of [[{ start: '10.0.0.1' }], [{ start: 'x', end: 'y' }], 'x']) assert.ok(ipPools(wrong), JSON.stringify(wrong));
    assert.equal(nameservers(['9.9.9.9', '2620:fe::fe']), undefined);
    for (const wrong of [['x'], ['9.9.9.9', '9.9.9.9'], 'x']) assert.ok(nameservers(wrong), JSON.stringify(wrong));
  });

  it('keep a second line out of what ends up in files', () => {
    assert.equal(oneLine(255)('pxelinux.0'), undefined);
    for (const wrong of ['a\nb', 'a\rb', 'a\u2028b', 'a\u0085b']) assert.match(String(oneLine(255)(wrong)), /^Multi-line string is not allowed/);
  });

  it('of booleans take what clients send', () => {
    for (const yes of [true, 'True', 'yes', '1', 1, 'ON']) assert.equal(toBoolean(yes), true);
    for (const no of [false, 'FALSE', 'no', '0', 0, 'off']) assert.equal(toBoolean(no), false);
    assert.equal(
      message(() => toBoolean('maybe')),
      "Invalid input for operation: 'maybe' cannot be converted to boolean.",
    );
    assert.equal(
      message(() => toBoolean(null)),
      "Invalid input for operation: 'None' cannot be converted to boolean.",
    );
  });
});
