import type { AnyOperation } from '@cairn/kit/http/operation';
import { Type } from 'typebox';
import type { IdentityProvider, Protocol } from '../app/federation/identity-providers.ts';
import { invalid } from '../errors.ts';
import { many, one } from './answers/envelope.ts';
import { identityProvider, listedProtocol, protocol } from './answers/federation.ts';
import { type AnyRequest, filtersOf, listing, noTarget, op, pagingOf, param, v3, who } from './common.ts';
import { bodyOf, flagValue, id64OrNull, object, queryFlag, queryOf, text, textOrNull } from './schemas.ts';

interface IdpBody {
  readonly enabled?: boolean;
  readonly description?: string | null;
  readonly authorization_ttl?: number | null;
  readonly remote_ids?: readonly string[] | null;
  readonly domain_id?: string | null;
}

const properties = {
  enabled: flagValue,
  description: textOrNull,
  authorization_ttl: { type: ['integer', 'null'], minimum: 0, maximum: 1_000_000_000 },
  remote_ids: { type: ['array', 'null'], items: { type: 'string', maxLength: 64 }, uniqueItems: true },
};
const createBody = Type.Unsafe<{ readonly identity_provider?: IdpBody }>(
  object({ identity_provider: object({ ...properties, domain_id: id64OrNull }, { closed: true }) }, { closed: true }),
);
const updateBody = bodyOf<IdpBody>()('identity_provider', properties, { minProperties: 1, closed: true, openRoot: true });
const mappingId = { type: 'string', minLength: 1, maxLength: 64 };
const remoteIdAttribute = { type: 'string', maxLength: 64 };

interface ProtocolBody {
  readonly mapping_id: string;
  readonly remote_id_attribute?: string | null;
}
const createProtocolBody = bodyOf<ProtocolBody>()(
  'protocol',
  { mapping_id: mappingId, remote_id_attribute: { ...remoteIdAttribute, type: ['string', 'null'] } },
  { required: ['mapping_id'], closed: true },
);
const updateProtocolBody = bodyOf<ProtocolBody>()(
  'protocol',
  { mapping_id: mappingId, remote_id_attribute: remoteIdAttribute },
  { required: ['mapping_id'], minProperties: 1, closed: true },
);

const PATH = 'OS-FEDERATION/identity_providers';
const idpUrl = (req: AnyRequest, id: string): string => `${v3(req)}/${PATH}/${id}`;

/** Ids that come by the path are kept in columns of 64 characters. */
export function pathId(req: AnyRequest, name: string): string {
  const id = param(req, name);
  if (id.length > 64) throw invalid(`Invalid input for field ${name}: it is longer than 64 characters.`, name);
  return id;
}

const idpView = (req: AnyRequest, idp: IdentityProvider) => ({
  id: idp.id,
  domain_id: idp.domainId,
  enabled: idp.enabled,
  description: idp.description,
  remote_ids: idp.remoteIds,
  authorization_ttl: idp.authorizationTtlMin,
  links: { self: idpUrl(req, idp.id), protocols: `${idpUrl(req, idp.id)}/protocols` },
});

const protocolLinks = (req: AnyRequest, protocol: Protocol) => ({
  self: `${idpUrl(req, protocol.idpId)}/protocols/${protocol.id}`,
  identity_provider: idpUrl(req, protocol.idpId),
});
const protocolView = (req: AnyRequest, protocol: Protocol) => ({
  protocol: { id: protocol.id, mapping_id: protocol.mappingId, links: protocolLinks(req, protocol) },
});

const changeOf = (body: IdpBody) => ({
  ...(body.enabled !== undefined && { enabled: body.enabled }),
  ...(body.description !== undefined && { description: body.description }),
  ...(body.authorization_ttl !== undefined && { authorizationTtlMin: body.authorization_ttl }),
  ...(body.remote_ids !== undefined && { remoteIds: body.remote_ids ?? [] }),
});

/** /v3/OS-FEDERATION/identity_providers and the protocols below (keystone/api/os_federation.py). */
export const identityProviderOperations: readonly AnyOperation[] = [
  op({
    id: 'keystone.identity_provider.list',
    method: 'GET',
    path: `/v3/${PATH}`,
    answer: many('identity_providers', identityProvider),
    summary: 'List identity providers',
    policy: 'identity:list_identity_providers',
    target: noTarget,
    query: queryOf({ id: text, enabled: queryFlag }),
    handle: async (app, req) => {
      const page = pagingOf(req);
      const { providers, hasMore } = await app.identityProviders.list(filtersOf(req, ['id', 'enabled'], ['enabled']), page);
      return listing(
        req,
        'identity_providers',
        providers.map((idp) => idpView(req, idp)),
        providers.at(-1)?.id,
        { hasMore, ...page },
      );
    },
  }),
  op({
    id: 'keystone.identity_provider.show',
    method: 'GET',
    path: `/v3/${PATH}/{idp_id}`,
    answer: one('identity_provider', identityProvider),
    summary: 'Show an identity provider',
    policy: 'identity:get_identity_provider',
    target: noTarget,
    handle: async (app, req) => ({ identity_provider: idpView(req, await app.identityProviders.get(param(req, 'idp_id'))) }),
  }),
  op({
    id: 'keystone.identity_provider.create',
    method: 'PUT',
    path: `/v3/${PATH}/{idp_id}`,
    answer: one('identity_provider', identityProvider),
    summary: 'Register an identity provider',
    policy: 'identity:create_identity_provider',
    target: noTarget,
    success: 201,
    body: createBody,
    bodyOptional: true,
    handle: async (app, req) => {
      const body = req.body?.identity_provider ?? {};
      const wanted = { ...changeOf(body), ...(body.domain_id !== undefined && { domainId: body.domain_id }) };
      return { identity_provider: idpView(req, await app.identityProviders.create(pathId(req, 'idp_id'), wanted, who(req))) };
    },
  }),
  op({
    id: 'keystone.identity_provider.update',
    method: 'PATCH',
    path: `/v3/${PATH}/{idp_id}`,
    answer: one('identity_provider', identityProvider),
    summary: 'Update an identity provider',
    policy: 'identity:update_identity_provider',
    target: noTarget,
    body: updateBody,
    handle: async (app, req) => ({
      identity_provider: idpView(req, await app.identityProviders.update(param(req, 'idp_id'), changeOf(req.body.identity_provider))),
    }),
  }),
  op({
    id: 'keystone.identity_provider.delete',
    method: 'DELETE',
    path: `/v3/${PATH}/{idp_id}`,
    summary: 'Remove an identity provider with its protocols and users',
    policy: 'identity:delete_identity_provider',
    target: noTarget,
    success: 204,
    answer: 'none',
    handle: (app, req) => app.identityProviders.remove(param(req, 'idp_id'), who(req)),
  }),
  op({
    id: 'keystone.federation_protocol.list',
    method: 'GET',
    path: `/v3/${PATH}/{idp_id}/protocols`,
    answer: many('protocols', listedProtocol),
    summary: 'List the protocols of an identity provider',
    policy: 'identity:list_protocols',
    target: noTarget,
    handle: async (app, req) => {
      const protocols = await app.identityProviders.listProtocols(param(req, 'idp_id'));
      const entries = protocols.map((protocol) => ({
        id: protocol.id,
        idp_id: protocol.idpId,
        mapping_id: protocol.mappingId,
        remote_id_attribute: protocol.remoteIdAttribute,
        links: protocolLinks(req, protocol),
      }));
      return listing(req, 'protocols', entries);
    },
  }),
  op({
    id: 'keystone.federation_protocol.show',
    method: 'GET',
    path: `/v3/${PATH}/{idp_id}/protocols/{protocol_id}`,
    answer: one('protocol', protocol),
    summary: 'Show a protocol of an identity provider',
    policy: 'identity:get_protocol',
    target: noTarget,
    handle: async (app, req) => protocolView(req, await app.identityProviders.getProtocol(param(req, 'idp_id'), param(req, 'protocol_id'))),
  }),
  op({
    id: 'keystone.federation_protocol.create',
    method: 'PUT',
    path: `/v3/${PATH}/{idp_id}/protocols/{protocol_id}`,
    answer: one('protocol', protocol),
    summary: 'Add a protocol to an identity provider',
    policy: 'identity:create_protocol',
    target: noTarget,
    success: 201,
    body: createProtocolBody,
    handle: async (app, req) => {
      const { mapping_id, remote_id_attribute } = req.body.protocol;
      const protocol = { id: pathId(req, 'protocol_id'), idpId: param(req, 'idp_id'), mappingId: mapping_id, remoteIdAttribute: remote_id_attribute ?? null };
      return protocolView(req, await app.identityProviders.createProtocol(protocol));
    },
  }),
  op({
    id: 'keystone.federation_protocol.update',
    method: 'PATCH',
    path: `/v3/${PATH}/{idp_id}/protocols/{protocol_id}`,
    answer: one('protocol', protocol),
    summary: 'Change the mapping of a protocol',
    policy: 'identity:update_protocol',
    target: noTarget,
    body: updateProtocolBody,
    handle: async (app, req) => {
      const { mapping_id, remote_id_attribute } = req.body.protocol;
      const change = { mappingId: mapping_id, ...(remote_id_attribute !== undefined && { remoteIdAttribute: remote_id_attribute }) };
      return protocolView(req, await app.identityProviders.updateProtocol(param(req, 'idp_id'), param(req, 'protocol_id'), change));
    },
  }),
  op({
    id: 'keystone.federation_protocol.delete',
    method: 'DELETE',
    path: `/v3/${PATH}/{idp_id}/protocols/{protocol_id}`,
    summary: 'Remove a protocol with the users that came by it alone',
    policy: 'identity:delete_protocol',
    target: noTarget,
    success: 204,
    answer: 'none',
    handle: (app, req) => app.identityProviders.removeProtocol(param(req, 'idp_id'), param(req, 'protocol_id'), who(req)),
  }),
];
