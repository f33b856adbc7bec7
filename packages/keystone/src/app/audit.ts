import { createHash } from 'node:crypto';
import { isCairnError } from '@cairn/kit/errors/errors';
import type { Tx } from '@cairn/kit/store/store';
import { CATALOG } from '../cache/changes.ts';
import { Facts } from '../cache/facts.ts';
import { auditReasonOf } from '../errors.ts';
import { listServices } from '../store/catalog.ts';
import { equals } from '../store/lists.ts';
import type { AuthCall, AuthMethod, AuthRequest, UserReference } from './auth-methods/method.ts';
import type { Core, Initiator, Resource } from './core.ts';
import type { Lookups } from './lookups.ts';

/** Audit records as upstream writes them (keystone/notifications.py with `notification_format = cadf`, its default): CADF, DMTF DSP0262. */

const EVENT = 'http://schemas.dmtf.org/cloud/audit/1.0/event';
const ACCOUNT_USER = 'service/security/account/user';
const OBSERVER = 'service/security';
/** CADF's taxonomy for what changes; upstream knows no more either. */
const TARGETS: Readonly<Partial<Record<Resource, string>>> = {
  group: 'data/security/group',
  project: 'data/security/project',
  role: 'data/security/role',
  user: 'data/security/account/user',
  domain: 'data/security/domain',
  region: 'data/security/region',
  endpoint: 'data/security/endpoint',
  service: 'data/security/service',
  policy: 'data/security/policy',
  'OS-TRUST:trust': 'data/security/trust',
  'OS-OAUTH1:access_token': 'data/security/credential',
  'OS-OAUTH1:request_token': 'data/security/credential',
  'OS-OAUTH1:consumer': 'data/security/account',
  application_credential: 'data/security/credential',
};

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const NAMESPACE = Buffer.from('4332ecab770b4288a680b9aca3b1b153', 'hex');

/** An id as CADF wants it, a UUID: the id itself, or else a UUID made from it (RFC 4122, version 5). */
export function cadfId(id: string): string {
  if (UUID.test(id)) return id.replaceAll('-', '').toLowerCase();
  const bytes = createHash('sha1').update(NAMESPACE).update(id).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  return bytes.toString('hex');
}

/** `2026-11-23T02:28:29.123000+0000`. */
const timeOf = (ms: number): string => `${new Date(ms).toISOString().slice(0, 23)}000+0000`;
const present = (object: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));

/** What an identity provider said of the initiator, as CADF's FederatedCredential. */
export interface FederatedCredential {
  readonly identityProvider: string;
  readonly userId?: string | undefined;
  readonly groupIds?: readonly string[] | undefined;
  /** Audit id of the token that was shown, if one was. */
  readonly token?: string | undefined;
}

const credentialView = (credential: FederatedCredential) => ({
  type: 'http://docs.oasis-open.org/security/saml/v2.0',
  token: credential.token ?? 'unknown',
  identity_provider: credential.identityProvider,
  user: credential.userId ?? 'unknown',
  groups: credential.groupIds ?? [],
});

function initiatorView(who: Initiator, newId: string, credential?: FederatedCredential): Record<string, unknown> {
  return present({
    typeURI: ACCOUNT_USER,
    id: who.userId === undefined ? newId : cadfId(who.userId),
    host: present({ address: who.remoteAddress, agent: who.userAgent }),
    user_id: who.userId,
    project_id: who.projectId,
    domain_id: who.domainId,
    request_id: who.requestId,
    // upstream keeps both
    username: who.userName,
    name: who.userName,
    credential: credential && credentialView(credential),
  });
}

interface Happening {
  readonly action: string;
  readonly outcome: 'success' | 'failure';
  readonly who: Initiator;
  readonly target: Readonly<Record<string, unknown>>;
  readonly reason?: { readonly reasonCode: string; readonly reasonType: string } | undefined;
  readonly credential?: FederatedCredential;
}

const observers = new WeakMap<Core, Facts<string>>();

/** The identity service's id in the catalog: who observed. */
async function observerId(core: Core): Promise<string | undefined> {
  let known = observers.get(core);
  if (!known) observers.set(core, (known = new Facts(core.changes, 1)));
  return await known.get('', async () => {
    const service = (await listServices(core.env.store.read, [equals('type', 'identity')]))[0];
    return service && { value: service.id, keys: [CATALOG] };
  });
}

async function eventOf(core: Core, happening: Happening): Promise<Record<string, unknown>> {
  const { ids, clock } = core.env;
  const id = await observerId(core);
  return present({
    typeURI: EVENT,
    eventType: 'activity',
    id: ids.hex(),
    eventTime: timeOf(clock.nowMs()),
    action: happening.action,
    outcome: happening.outcome,
    observer: present({ typeURI: OBSERVER, id }),
    initiator: initiatorView(happening.who, ids.hex(), happening.credential),
    target: happening.target,
    reason: happening.reason,
  });
}

/** The record of a change that is being made. */
export const changeRecord = (core: Core, who: Initiator, operation: string, resource: Resource, id: string): Promise<Record<string, unknown>> =>
  eventOf(core, {
    action: `${operation}.${resource}`,
    outcome: 'success',
    who,
    target: resource === 'role_assignment' ? { typeURI: ACCOUNT_USER, id: core.env.ids.hex() } : { typeURI: TARGETS[resource] ?? 'unknown', id },
  });

/** Writes what a login came to, unless the operator does not want to hear of it (`notification_opt_out`). */
async function loginRecord(core: Core, tx: Tx, who: Initiator, outcome: Happening['outcome'], more: Pick<Happening, 'reason' | 'credential'>): Promise<void> {
  const record = await eventOf(core, { action: 'authenticate', outcome, who, target: { typeURI: ACCOUNT_USER, id: core.env.ids.hex() }, ...more });
  await core.env.events.emit(tx, {
    type: 'identity.authenticate',
    requestId: who.requestId,
    userId: who.userId,
    projectId: who.projectId,
    resource: 'user',
    resourceId: who.userId ?? '',
    payload: record,
  });
}

/** A record of what a log-in at an identity provider came to here (keystone/notifications.py, send_saml_audit_notification). */
export async function recordFederated(core: Core, who: Initiator, outcome: Happening['outcome'], credential: FederatedCredential): Promise<void> {
  if (core.options.notificationOptOut.includes(`identity.authenticate.${outcome}`)) return;
  await core.env.store.write((tx) => loginRecord(core, tx, who, outcome, { credential }));
}

/** The method with a record of each of its logins. `given` finds the user that a request names. */
export function audited(core: Core, lookups: Lookups, method: AuthMethod, given: (request: AuthRequest) => UserReference | undefined): AuthMethod {
  const wanted = (outcome: Happening['outcome']): boolean => !core.options.notificationOptOut.includes(`identity.authenticate.${outcome}`);

  /** Who tried: the user, if there is one, or else what the request said. */
  async function initiatorOf(request: AuthRequest, call: AuthCall, userId: string | undefined): Promise<{ readonly who: Initiator; readonly known: boolean }> {
    const named = given(request);
    const domain = named?.domain;
    const domainId = domain?.name === undefined ? domain?.id : (await lookups.domainByName(domain.name))?.id;
    const found =
      userId !== undefined
        ? await lookups.userById(userId)
        : named?.name && domainId
          ? await lookups.userByName(named.name, domainId)
          : named?.id
            ? await lookups.userById(named.id)
            : undefined;
    const who = {
      requestId: call.requestId,
      remoteAddress: call.remoteAddress,
      userAgent: call.userAgent,
      userId: found?.user.id ?? named?.id,
      userName: found?.user.name ?? named?.name,
      domainId: found ? undefined : domainId,
    };
    return { who, known: found !== undefined };
  }

  async function write(request: AuthRequest, call: AuthCall, outcome: Happening['outcome'], userId?: string, reason?: Happening['reason']): Promise<void> {
    if (!wanted(outcome)) return;
    // one look-up, whoever it is: a second one for users who are there would tell them apart by time
    const { who, known } = await initiatorOf(request, call, userId);
    const why = !known ? { reasonCode: '404', reasonType: `Could not find user: ${who.userId ?? who.userName ?? ''}.` } : reason;
    await core.env.store.write((tx) => loginRecord(core, tx, who, outcome, { reason: outcome === 'success' ? undefined : why }));
  }

  return {
    name: method.name,
    async authenticate(request, call) {
      try {
        const proof = await method.authenticate(request, call);
        await write(request, call, 'success', proof.userId);
        return proof;
      } catch (error) {
        if (isCairnError(error, 'Unauthorized')) await write(request, call, 'failure', undefined, auditReasonOf(error));
        throw error;
      }
    },
  };
}
