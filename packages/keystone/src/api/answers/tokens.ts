import Type from 'typebox';
import { catalog } from './catalog.ts';
import { flag, named, options, text, textOrNull } from './envelope.ts';

/** What a token says (keystone/common/render_token.py): of a project, of a domain, of the system, or of nothing but its user. */

const inDomain = Type.Object({ id: text, name: text, domain: named });
const byId = Type.Object({ id: text });
export const accessRuleProperties = { id: text, service: text, path: text, method: text };

const token = Type.Object(
  {
    methods: Type.Array(text),
    user: Type.Object({
      id: text,
      name: text,
      domain: named,
      password_expires_at: Type.Optional(textOrNull),
      'OS-FEDERATION': Type.Optional(Type.Object({ groups: Type.Array(byId), identity_provider: byId, protocol: byId })),
    }),
    audit_ids: Type.Array(text),
    issued_at: text,
    expires_at: text,
    project: Type.Optional(inDomain),
    is_domain: Type.Optional(flag),
    domain: Type.Optional(named),
    system: Type.Optional(Type.Object({ all: Type.Literal(true) })),
    roles: Type.Optional(
      Type.Array(
        Type.Object({ id: text, name: text, domain_id: Type.Optional(textOrNull), description: Type.Optional(textOrNull), options: Type.Optional(options) }),
      ),
    ),
    catalog: Type.Optional(catalog),
    service_providers: Type.Optional(Type.Array(Type.Object({ id: text, auth_url: text, sp_url: text }))),
    'OS-TRUST:trust': Type.Optional(Type.Object({ id: text, trustor_user: byId, trustee_user: byId, impersonation: flag })),
    'OS-OAUTH1': Type.Optional(Type.Object({ access_token_id: text, consumer_id: text })),
    application_credential: Type.Optional(
      Type.Object({
        id: text,
        name: text,
        restricted: flag,
        access_rules: Type.Optional(Type.Array(Type.Object(accessRuleProperties))),
      }),
    ),
  },
  { title: 'Token' },
);
export const tokenBody = Type.Object({ token });
