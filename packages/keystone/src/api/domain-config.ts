import type { AnyOperation } from '@cairn/kit/http/operation';
import { Reply } from '@cairn/kit/http/operation';
import { Type } from 'typebox';
import { type AnyRequest, noTarget, op, param } from './common.ts';
import { object } from './schemas.ts';

/** Which options there are depends on the group, and upstream refuses wrong ones with 403, so the app looks at them. */
const configBody = Type.Unsafe<{ readonly config?: unknown }>(object({ config: {} }));

/** Groups of options; one of them; or one option's value, whatever that is. */
const configAnswer = Type.Object({ config: Type.Any() });

/** The depths of a path: all of a domain's options, one group, one option. What only reading is meant for is refused by the app. */
const DEPTHS = [
  { id: 'all', path: '', words: 'the configuration' },
  { id: 'group', path: '/{group}', words: 'a group of the configuration' },
  { id: 'option', path: '/{group}/{option}', words: 'an option of the configuration' },
] as const;

type Depth = (typeof DEPTHS)[number] | { readonly id: string; readonly path: `/${string}`; readonly words: string; readonly group: string };

const place = (req: AnyRequest, group?: string): [string, string | undefined, string | undefined] => [
  param(req, 'domain_id'),
  group ?? req.params.group,
  req.params.option,
];

const shownAt = ({ id, path, words }: (typeof DEPTHS)[number]): AnyOperation[] => [
  op({
    id: `keystone.domain_config.${id}.show`,
    method: 'GET',
    path: `/v3/domains/{domain_id}/config${path}`,
    answer: configAnswer,
    summary: `Show ${words} of a domain`,
    policy: 'identity:get_domain_config',
    target: noTarget,
    handle: async (app, req) => ({ config: await app.domainConfigs.get(...place(req)) }),
  }),
  op({
    id: `keystone.domain_config.${id}.default`,
    method: 'GET',
    path: `/v3/domains/config${path}/default`,
    answer: configAnswer,
    summary: `Show the default of ${words} of domains`,
    policy: 'identity:get_domain_config_default',
    target: noTarget,
    handle: (app, req) => ({ config: app.domainConfigs.defaults(req.params.group, req.params.option) }),
  }),
];

const changedAt = ({ id, path, words, ...rest }: Depth): AnyOperation[] => [
  op({
    id: `keystone.domain_config.${id}.update`,
    method: 'PATCH',
    path: `/v3/domains/{domain_id}/config${path}`,
    answer: configAnswer,
    summary: `Update ${words} of a domain`,
    policy: 'identity:update_domain_config',
    target: noTarget,
    body: configBody,
    handle: async (app, req) => {
      const [domainId, group, option] = place(req, 'group' in rest ? rest.group : undefined);
      return { config: await app.domainConfigs.update(domainId, req.body.config, group, option) };
    },
  }),
  op({
    id: `keystone.domain_config.${id}.delete`,
    method: 'DELETE',
    path: `/v3/domains/{domain_id}/config${path}`,
    summary: `Delete ${words} of a domain`,
    policy: 'identity:delete_domain_config',
    target: noTarget,
    success: 204,
    answer: 'none',
    handle: (app, req) => app.domainConfigs.remove(...place(req, 'group' in rest ? rest.group : undefined)),
  }),
];

/** These paths have a rule of their own for reading, so they hide the general ones for changing. */
const COMPLIANCE: readonly Depth[] = ['', '/{option}'].map((rest) => ({
  id: `security_compliance${rest === '' ? '' : '_option'}`,
  path: `/security_compliance${rest}`,
  words: 'the rules for passwords',
  group: 'security_compliance',
}));

const compliance = (path: '' | '/{option}'): AnyOperation =>
  op({
    id: `keystone.domain_config.security_compliance${path === '' ? '' : '.option'}`,
    method: 'GET',
    path: `/v3/domains/{domain_id}/config/security_compliance${path}`,
    answer: configAnswer,
    summary: path === '' ? 'Show the rules for passwords' : 'Show one of the rules for passwords',
    policy: 'identity:get_security_compliance_domain_config',
    target: noTarget,
    handle: (app, req) => ({ config: app.domainConfigs.securityCompliance(param(req, 'domain_id'), req.params.option) }),
  });

/** Configuration of domains. */
export const domainConfigOperations: readonly AnyOperation[] = [
  op({
    id: 'keystone.domain_config.create',
    method: 'PUT',
    path: '/v3/domains/{domain_id}/config',
    answer: configAnswer,
    summary: 'Set the configuration of a domain, in place of what it had',
    policy: 'identity:create_domain_config',
    target: noTarget,
    body: configBody,
    handle: async (app, req) => {
      const { config, created } = await app.domainConfigs.put(param(req, 'domain_id'), req.body.config);
      return new Reply({ config }, { status: created ? 201 : 200 });
    },
  }),
  ...DEPTHS.flatMap(shownAt),
  ...[...DEPTHS, ...COMPLIANCE].flatMap(changedAt),
  compliance(''),
  compliance('/{option}'),
];
