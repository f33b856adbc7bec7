import type { MetadataReply, MetadataRequest } from '@cairn/host/interface/agent';
import type { NovaDeps } from '../app/deps.ts';
import { setPasswordOnce } from '../store/server.ts';
import { findServerPort } from '../store/server-port.ts';
import { EC2_VERSIONS, ec2Tree, findEc2, printEc2 } from './ec2.ts';
import { type GuestFacts, guestFacts } from './facts.ts';
import { type Item, openstackItem } from './openstack.ts';

/** Upstream's limit of a posted password: four chunks of 255. */
const PASSWORD_BYTES = 1_020;

const text = (status: number, body: string | Buffer, json = false): MetadataReply => ({
  status,
  contentType: `${json ? 'application/json' : 'text/plain'}; charset=UTF-8`,
  body,
});
const NOT_FOUND = text(404, '404 Not Found\n\nThe resource could not be found.\n');

/**
 * Answers a guest's request to 169.254.169.254. The guest is known by the port that the host found the request's address on; nothing that
 * the guest writes into the request has a say in it.
 */
export async function answerMetadata(deps: NovaDeps, request: MetadataRequest): Promise<MetadataReply> {
  const path = pathOf(request.path);
  if (path === undefined) return NOT_FOUND;
  const db = deps.env.store.read;
  const serverId = (await findServerPort(db, request.portId))?.server_id ?? (await deps.faces.neutron.port(db, request.portId))?.deviceId;
  const facts = serverId === undefined || serverId === '' ? undefined : await guestFacts(deps, db, serverId);
  if (facts === undefined) return NOT_FOUND;
  if (path[0] !== 'openstack') return ec2Reply(facts, path[0] === 'ec2' ? path.slice(1) : path);
  const item = openstackItem(facts, path.slice(1), deps.env.ids);
  if (item === undefined) return NOT_FOUND;
  return item.kind === 'password' ? await password(deps, facts, request) : itemReply(item);
}

/** The parts of a path without its query; undefined where it leaves the tree. */
function pathOf(path: string): string[] | undefined {
  const parts: string[] = [];
  for (const part of (path.split('?')[0] as string).split('/')) {
    let name: string;
    try {
      name = decodeURIComponent(part);
    } catch {
      return undefined;
    }
    if (name === '' || name === '.') continue;
    if (name === '..') parts.pop();
    else parts.push(name);
  }
  return parts;
}

function ec2Reply(facts: GuestFacts, path: readonly string[]): MetadataReply {
  const [version, ...rest] = path;
  if (version === undefined) return text(200, [...EC2_VERSIONS, 'latest'].join('\n'));
  const tree = ec2Tree(facts, version);
  const node = tree === undefined ? undefined : findEc2(tree, rest);
  return node === undefined ? NOT_FOUND : text(200, printEc2(node));
}

const itemReply = (item: Exclude<Item, { readonly kind: 'password' }>): MetadataReply =>
  item.kind === 'list' ? text(200, item.entries.join('\n')) : text(200, item.body, item.json);

/** A guest posts its encrypted password once; only the server's owner may clear it. */
async function password(deps: NovaDeps, facts: GuestFacts, request: MetadataRequest): Promise<MetadataReply> {
  const { row } = facts;
  if (request.method === 'GET' || request.method === 'HEAD') return text(200, row.password);
  if (request.method !== 'POST') return text(400, '400 Bad Request\n\nGET and POST only are supported.\n');
  const body = request.body ?? '';
  if (Buffer.byteLength(body) > PASSWORD_BYTES) return text(400, '400 Bad Request\n\nRequest is too large.\n');
  const taken = await deps.env.store.write((tx) => setPasswordOnce(tx, row.id, body));
  return taken ? text(200, '') : text(409, '409 Conflict\n\nThere was a conflict when trying to complete your request.\n');
}
