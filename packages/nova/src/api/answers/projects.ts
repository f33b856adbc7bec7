import { inside, named } from '@cairn/kit/http/answers';
import Type, { type TProperties, type TSchema } from 'typebox';
import { Links, page, Time, TimeOrNull } from './common.ts';

/** Key pairs, quotas, limits and use of projects. */

const keypair = { name: Type.String(), public_key: Type.String(), fingerprint: Type.String(), type: Type.String() };
const KeyPair = named('KeyPair', keypair);
export const KeyPairList = page('keypairs', inside('keypair', KeyPair));
/** The private key where the cloud made the pair, which it does until 2.91. */
export const CreatedKeyPair = inside('keypair', named('CreatedKeyPair', { ...keypair, user_id: Type.String(), private_key: Type.Optional(Type.String()) }));
export const OneKeyPair = inside(
  'keypair',
  named('KeyPairDetail', {
    ...keypair,
    user_id: Type.String(),
    id: Type.Integer(),
    created_at: Time,
    deleted: Type.Boolean(),
    deleted_at: TimeOrNull,
    updated_at: TimeOrNull,
  }),
);

const RESOURCES = ['instances', 'cores', 'ram', 'metadata_items', 'key_pairs', 'server_groups', 'server_group_members'] as const;
const each = <T extends TSchema>(schema: T) => Object.fromEntries(RESOURCES.map((name) => [name, schema])) as Record<(typeof RESOURCES)[number], T>;
const QuotaUse = named('ComputeQuotaUse', { in_use: Type.Integer(), limit: Type.Integer(), reserved: Type.Integer() });
const quotas = (title: string, more: TProperties = {}) => named(title, { ...more, ...each(Type.Integer()) });
export const QuotaSet = inside('quota_set', quotas('ComputeQuotaSet', { id: Type.String() }));
export const QuotaSetDetail = inside('quota_set', named('ComputeQuotaSetDetail', { id: Type.String(), ...each(QuotaUse) }));
export const ChangedQuotaSet = inside('quota_set', quotas('ComputeQuotas'));
export const QuotaClassSet = inside('quota_class_set', quotas('ComputeQuotaSet', { id: Type.String() }));
export const ChangedQuotaClassSet = inside('quota_class_set', quotas('ComputeQuotas'));

const LIMITS = [
  ...['maxTotalRAMSize', 'maxTotalInstances', 'maxTotalCores', 'maxTotalKeypairs', 'maxServerMeta', 'maxServerGroups', 'maxServerGroupMembers'],
  ...['totalRAMUsed', 'totalCoresUsed', 'totalInstancesUsed', 'totalServerGroupsUsed'],
] as const;
export const Limits = inside(
  'limits',
  named('ComputeLimits', {
    rate: Type.Array(Type.Unknown()),
    absolute: Type.Object(Object.fromEntries(LIMITS.map((name) => [name, Type.Integer()])) as Record<(typeof LIMITS)[number], ReturnType<typeof Type.Integer>>),
  }),
);

const ServerUsage = named('ServerUsage', {
  ended_at: TimeOrNull,
  flavor: Type.String(),
  hours: Type.Number(),
  instance_id: Type.String(),
  local_gb: Type.Integer(),
  memory_mb: Type.Integer(),
  name: Type.String(),
  started_at: Time,
  state: Type.String(),
  tenant_id: Type.String(),
  uptime: Type.Integer(),
  vcpus: Type.Integer(),
});
const usage = {
  server_usages: Type.Optional(Type.Array(ServerUsage)),
  start: Time,
  stop: Time,
  tenant_id: Type.String(),
  total_hours: Type.Number(),
  total_local_gb_usage: Type.Number(),
  total_memory_mb_usage: Type.Number(),
  total_vcpus_usage: Type.Number(),
};
export const UsageList = page('tenant_usages', named('ProjectUsage', usage));
/** Empty for a project that used nothing. */
export const OneUsage = Type.Object({ tenant_usage: Type.Partial(Type.Object(usage)), tenant_usage_links: Type.Optional(Links) });
