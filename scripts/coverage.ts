/**
 * Which calls of upstream's API descriptions have a route here: `node scripts/coverage.ts [SERVICE ...]` (identity, image, placement,
 * compute, block-storage, network, object-store; all without names). A call that is left out on purpose stands in coverage-left-out.yaml with
 * its reason; an entry there that is not needed any more is an error. With `--strict` a call that is neither there nor explained fails.
 * The descriptions are read from CAIRN_OPENAPI, or else from ../shared/openapi beside the project. Before that, for every service, how many of its
 * operations say what they answer.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { readTable } from '../packages/cairn/src/cloud/compose.ts';
import { configOf } from '../packages/cairn/src/config.ts';

type Schema = { readonly $ref?: string; readonly oneOf?: readonly Schema[]; readonly properties?: Readonly<Record<string, unknown>> };
interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Call>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
}
interface Call {
  readonly requestBody?: {
    readonly content?: Readonly<Record<string, { readonly schema?: Schema & { readonly 'x-openstack'?: { discriminator?: string } } }>>;
  };
}

/** Where each description's paths begin in the cloud, and whether HEAD is answered wherever GET is. */
const SERVICES: Readonly<Record<string, { readonly prefix: string; readonly headTwins?: true }>> = {
  identity: { prefix: '/identity', headTwins: true },
  image: { prefix: '/image' },
  placement: { prefix: '/placement' },
  compute: { prefix: '/compute' },
  'block-storage': { prefix: '/volume' },
  network: { prefix: '/network' },
  'object-store': { prefix: '/object-store' },
};
const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options'];

const root = join(import.meta.dirname, '..');
const folder = process.env.CAIRN_OPENAPI ?? join(root, '..', 'shared', 'openapi');
const args = process.argv.slice(2);
const strict = args.includes('--strict');
const names = args.filter((a) => !a.startsWith('--'));
for (const name of names) {
  if (!SERVICES[name]) {
    process.stderr.write(`there is no description of ${name}; there are: ${Object.keys(SERVICES).join(', ')}\n`);
    process.exit(2);
  }
}
const table = await readTable(configOf({}));
for (const { name, operations } of table.services()) {
  const described = operations.filter((operation) => operation.answer !== undefined).length;
  process.stdout.write(
    `${name.padEnd(14)} ${described} of ${operations.length} operations (${((described * 100) / operations.length).toFixed(1)} %) say what they answer\n`,
  );
}
if (!existsSync(folder)) {
  process.stdout.write(`no API descriptions at ${folder}: coverage was not looked at\n`);
  process.exit(0);
}

const plain = (path: string): string => path.replace(/\{[^}]*\}/g, '{}').replace(/(.)\/$/, '$1');
const leftOut: Readonly<Record<string, Readonly<Record<string, string>> | null>> = parse(
  readFileSync(join(import.meta.dirname, 'coverage-left-out.yaml'), 'utf8'),
);
const routes = table.routes();
const known = new Set(routes.map((r) => `${r.method} ${plain(r.path)}${r.action ? ` {${r.action}}` : ''}`));

let bad = 0;
for (const name of names.length > 0 ? names : Object.keys(SERVICES)) {
  const service = SERVICES[name] as (typeof SERVICES)[string];
  const reasons = new Map(Object.entries(leftOut[name] ?? {}));
  const missing: string[] = [];
  const explained: string[] = [];
  const calls = callsOf(parse(readFileSync(join(folder, `${name}.yaml`), 'utf8')) as Description);
  for (const call of calls) {
    const [method = '', path = '', action = ''] = call.split(' ');
    const at = (m: string): string => `${m} ${plain(service.prefix + path)}${action && ` ${action}`}`;
    if (known.has(at(method)) || (method === 'HEAD' && service.headTwins && known.has(at('GET')))) continue;
    const reason = reasons.get(call);
    reasons.delete(call);
    if (reason === undefined) missing.push(call);
    else explained.push(`${call}: ${reason}`);
  }
  const there = calls.length - missing.length - explained.length;
  const percent = ((there * 100) / calls.length).toFixed(1);
  process.stdout.write(
    `${name.padEnd(14)} ${there} of ${calls.length} calls (${percent} %), ${explained.length} left out with a reason, ${missing.length} missing\n`,
  );
  for (const line of explained) process.stdout.write(`  left out  ${line}\n`);
  for (const line of missing) process.stdout.write(`  missing   ${line}\n`);
  for (const line of reasons.keys()) process.stdout.write(`  there is no such gap any more: ${line}\n`);
  bad += missing.length + reasons.size;
}
process.exit(strict && bad > 0 ? 1 : 0);

/** `GET /v3/users/{user_id}`, and one line per action where a body's only key chooses it: `POST /v2.1/servers/{id}/action {reboot}`. */
function callsOf(description: Description): string[] {
  const resolve = (schema: Schema): Schema => (schema.$ref ? resolve(description.components?.schemas?.[schema.$ref.split('/').at(-1) ?? ''] ?? {}) : schema);
  const actions = (schema: Schema): string[] => {
    const at = resolve(schema);
    return at.oneOf ? at.oneOf.flatMap(actions) : Object.keys(at.properties ?? {}).slice(0, 1);
  };
  return Object.entries(description.paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => METHODS.includes(method))
      .flatMap(([method, call]) => {
        const schema = call.requestBody?.content?.['application/json']?.schema;
        const line = `${method.toUpperCase()} ${path}`;
        return schema?.['x-openstack']?.discriminator === 'action' ? [...new Set(actions(schema))].map((a) => `${line} {${a}}`) : [line];
      }),
  );
}
