import type { MigrationSet } from '@cairn/kit/store/store';
import { first } from './0001_first.ts';
import { domainConfigEndpointFilter } from './0002_domain_config_endpoint_filter.ts';
import { federation } from './0003_federation.ts';
import { authMethods } from './0004_auth_methods.ts';
import { accessRuleOrder } from './0005_access_rule_order.ts';

/** keystone's schema, step by step. */
export const migrations: MigrationSet = {
  service: 'keystone',
  migrations: {
    '0001_first': first,
    '0002_domain_config_endpoint_filter': domainConfigEndpointFilter,
    '0003_federation': federation,
    '0004_auth_methods': authMethods,
    '0005_access_rule_order': accessRuleOrder,
  },
};
