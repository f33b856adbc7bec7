import { ADMIN, ADMIN_OR_MANAGER, ADMIN_OR_READER, rules } from './base.ts';

const agentRules = rules({
  create_agent: ADMIN,
  get_agent: ADMIN,
  update_agent: ADMIN,
  delete_agent: ADMIN,
  'create_dhcp-network': ADMIN,
  'get_dhcp-networks': ADMIN,
  'delete_dhcp-network': ADMIN,
  'create_l3-router': ADMIN,
  'get_l3-routers': ADMIN,
  'update_l3-router': ADMIN,
  'delete_l3-router': ADMIN,
  'get_dhcp-agents': ADMIN,
  'get_l3-agents': ADMIN,
});

const quotasRules = rules({
  get_quota: ADMIN_OR_MANAGER,
  update_quota: ADMIN,
  delete_quota: ADMIN,
});

const serviceTypeRules = rules({
  get_service_provider: 'role:reader',
});

const flavorRules = rules({
  create_flavor: ADMIN,
  get_flavor: 'role:reader',
  update_flavor: ADMIN,
  delete_flavor: ADMIN,
  create_service_profile: ADMIN,
  get_service_profile: ADMIN,
  update_service_profile: ADMIN,
  delete_service_profile: ADMIN,
  get_flavor_service_profile: ADMIN_OR_READER,
  create_flavor_service_profile: ADMIN,
  delete_flavor_service_profile: ADMIN,
});

/** Agents, quotas, service providers: upstream's rules and present defaults (neutron/conf/policies). */
export const agentsPolicies = [...agentRules, ...quotasRules, ...serviceTypeRules, ...flavorRules];
