import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rankOf, Version } from '@cairn/kit/http/microversion';
import type { AnyOperation } from '@cairn/kit/http/operation';
import { schemaAt, validate } from '@cairn/kit/http/validation';
import { readTable } from '../../packages/cairn/src/cloud/compose.ts';
import { configOf } from '../../packages/cairn/src/config.ts';
import { fits, probesOf, type Service } from '../support/schema-probes.ts';
import { shapeDifferences } from '../support/schema-shape.ts';
import { plainPath, type Schema, schemaFor, upstreamCalls, withoutDescriptions } from '../support/upstream.ts';

/*
 * Which requests are taken at which microversion: at every one, every schema of a body here has the names, types and requirements of upstream's, and what
 * it is tried with is taken here and there, or refused here and there.
 */

/** Known differences, and why each is one of the description and not of the service. */
type Known = readonly (readonly [call: RegExp, difference: RegExp, reason: string])[];

const COMPUTE: Known = [
  [/os-baremetal-nodes\/\{\}\/action/, /./, 'upstream has removed what these did: any body is a 400 up to 2.35, and the description has no end'],
  [/os-(fixed-ips|networks)\/\{\}\/action/, /^is not there/, 'gone upstream at every microversion (410)'],
  [/os-volumes_boot/, /^from 2.1 to 2.104 upstream/, 'the description lost the end that its parts have'],
  [/\{os-getRDPConsole\}/, /^from 2.1 to 2.104 upstream/, 'the same: remote consoles took its place with 2.6'],
  [/\{unlock\}/, /^from 2.1 to 2.72 upstream/, 'without a schema from 2.73 on, and there all the same'],
  [/\{migrate\}/, /^from 2.56 to 2.104 upstream/, 'without a schema before 2.56, and there all the same'],
  [/os-snapshots/, /snapshot\.force = /, 'its words are judged by the handler, which says 400 too'],
];
const VOLUME: Known = [
  [/\/groups\/\{\}$/, /^is not there/, 'upstream routes it to a method that is not there'],
  [/types\/\{\}\/action \{(create|update|delete)\}/, /./, 'these are methods of the collection; the description takes them for actions'],
  [
    /\/volume-transfers/,
    /^from 3.55 to 3.71 upstream/,
    'upstream routes it at every microversion, and does not look at it before 3.55 (api/v3/volume_transfer.py)',
  ],
  [/\/manageable_(volumes|snapshots)/, /^from 3.0 to 3.71 upstream, from 3.8/, 'upstream asks for 3.8 within the handler'],
  [/backups/, /(backup|restore): null or object upstream|(backup|restore) = null/, 'upstream fails over null with a 500'],
  [/cgsnapshots|consistencygroups/, /a\\u0007"/, 'no control characters come into queries'],
  [/consistencygroups/, /(volume_types|availability_zone) = /, 'upstream fails over what is no text with a 500, or finds no such zone'],
  [/os-hosts/, /status = /, 'its words are judged by the handler, which says 400 too'],
  [/os-quota-class-sets/, /quota_class_set/, 'its numbers are judged by the handler, which says 400 too'],
  [/default-types/, /./, 'upstream fails over a body without default_type with a 500'],
];

const textOf = (rank: number): string => (rank === Number.POSITIVE_INFINITY ? 'ever' : `${Math.floor(rank / 10_000)}.${rank % 10_000}`);

function check(description: string, name: Service, min: string, max: string, known: Known, atLeast: number): void {
  test(`${name}: what is asked is taken at each microversion as upstream takes it`, { skip: withoutDescriptions }, async (t) => {
    const service = (await readTable(configOf({}))).services().find((one) => one.name === name);
    assert.ok(service);
    const [first, last] = [rankOf(min), rankOf(max)];
    const wrong: string[] = [];
    const used = new Set<Known[number]>();
    // one pair of schemas may serve several paths and microversions
    const tried = new Map<Schema, Map<Schema, readonly string[]>>();
    let pairs = 0;
    for (const call of upstreamCalls(description)) {
      const title = `${call.method} ${call.path}${call.action === undefined ? '' : ` {${call.action}}`}`;
      const tell = (difference: string): void => {
        const reason = known.find(([at, what]) => at.test(title) && what.test(difference));
        if (reason === undefined) wrong.push(`${title}: ${difference}`);
        else used.add(reason);
      };
      const mine = service.operations.filter((one) => one.method === call.method && plainPath(one.path) === call.path && one.action === call.action);
      const [head] = mine;
      if (head === undefined) {
        tell('is not there');
        continue;
      }
      const theirs = [Math.max(call.from, first), Math.min(call.to, last)] as const;
      const until = mine.at(-1)?.until;
      const ours = [Math.max(head.since === undefined ? 0 : rankOf(head.since), first), Math.min(until === undefined ? last : rankOf(until), last)] as const;
      if (theirs.join() !== ours.join()) tell(`from ${textOf(theirs[0])} to ${textOf(theirs[1])} upstream, from ${textOf(ours[0])} to ${textOf(ours[1])} here`);
      const told = new Set<string>();
      for (let rank = Math.max(theirs[0], ours[0]); rank <= Math.min(theirs[1], ours[1]); rank += 1) {
        const [upstream, here] = [schemaFor(call.bodies, rank), bodyAt(mine, rank)];
        if (upstream === undefined || here === undefined) continue;
        pairs += 1;
        const before = tried.get(upstream) ?? new Map<Schema, readonly string[]>();
        tried.set(upstream, before);
        const differences = before.get(here) ?? [...shapeDifferences(upstream, here), ...differencesOf(name, upstream, here)];
        before.set(here, differences);
        for (const one of differences.filter((difference) => !told.has(difference))) {
          told.add(one);
          tell(`at ${textOf(rank)}, ${one}`);
        }
      }
    }
    t.diagnostic(`${pairs} pairs of operation and microversion`);
    assert.deepEqual(wrong, []);
    assert.deepEqual(known.filter((one) => !used.has(one)).map(String), [], 'these are no differences any more');
    assert.ok(pairs >= atLeast, String(pairs));
  });
}

/** Values that are taken here and refused upstream, or the other way around. */
function* differencesOf(service: Service, upstream: Schema, here: Schema): Generator<string> {
  for (const [what, value] of probesOf(service, upstream)) {
    const [there, refusal] = [fits(service, upstream, value), refusalOf(here, value)];
    if (there !== (refusal === undefined)) yield `${what}: ${there ? `taken upstream, here: ${refusal}` : 'refused upstream'}`;
  }
}

function bodyAt(operations: readonly AnyOperation[], rank: number): Schema | undefined {
  const one = operations.find(({ since, until }) => (since === undefined || rankOf(since) <= rank) && (until === undefined || rank <= rankOf(until)));
  return one?.body === undefined ? undefined : (schemaAt(one.body, new Version(textOf(rank))) as Schema | undefined);
}

function refusalOf(schema: Schema, value: unknown): string | undefined {
  try {
    validate(schema as Parameters<typeof validate>[0], value, 'body');
    return undefined;
  } catch (error) {
    return (error as Error).message.slice(0, 150);
  }
}

check('compute', 'nova', '2.1', '2.104', COMPUTE, 7_000);
check('block-storage', 'cinder', '3.0', '3.71', VOLUME, 6_000);
