import { ADMIN, ADMIN_OR_MEMBER, ADMIN_OR_NETWORK_OWNER, ADMIN_OR_NETWORK_READER, ADMIN_OR_READER, ADMIN_OR_SERVICE, rules } from './base.ts';

const networkRules = rules({
  external: 'field:networks:router:external=True',
  create_network: ADMIN_OR_MEMBER,
  'create_network:shared': ADMIN,
  'create_network:router:external': ADMIN,
  'create_network:is_default': ADMIN,
  'create_network:port_security_enabled': ADMIN_OR_MEMBER,
  'create_network:segments': ADMIN,
  'create_network:provider:network_type': ADMIN,
  'create_network:provider:physical_network': ADMIN,
  'create_network:provider:segmentation_id': ADMIN,
  'create_network:tags': ADMIN_OR_MEMBER,
  get_network: `${ADMIN_OR_READER} or rule:service_api or rule:shared or rule:external or rule:context_is_advsvc`,
  'get_network:segments': ADMIN,
  'get_network:provider:network_type': ADMIN,
  'get_network:provider:physical_network': ADMIN,
  'get_network:provider:segmentation_id': ADMIN,
  'get_network:tags': `${ADMIN_OR_READER} or rule:shared or rule:external or rule:context_is_advsvc`,
  update_network: ADMIN_OR_MEMBER,
  'update_network:segments': ADMIN,
  'update_network:shared': ADMIN,
  'update_network:provider:network_type': ADMIN,
  'update_network:provider:physical_network': ADMIN,
  'update_network:provider:segmentation_id': ADMIN,
  'update_network:router:external': ADMIN,
  'update_network:is_default': ADMIN,
  'update_network:port_security_enabled': ADMIN_OR_MEMBER,
  'update_network:tags': ADMIN_OR_MEMBER,
  delete_network: ADMIN_OR_MEMBER,
  'delete_network:tags': ADMIN_OR_MEMBER,
});

const segmentRules = rules({
  create_segment: ADMIN,
  get_segment: ADMIN,
  update_segment: ADMIN,
  delete_segment: ADMIN,
  create_network_segment_range: ADMIN,
  'create_network_segment_range:tags': ADMIN,
  get_network_segment_range: ADMIN,
  'get_network_segment_range:tags': ADMIN,
  update_network_segment_range: ADMIN,
  'update_network_segment_range:tags': ADMIN,
  delete_network_segment_range: ADMIN,
  'delete_network_segment_range:tags': ADMIN,
});

const autoTopologyRules = rules({
  get_auto_allocated_topology: ADMIN_OR_READER,
  delete_auto_allocated_topology: ADMIN_OR_MEMBER,
});

const subnetRules = rules({
  external_network: 'field:subnets:router:external=True',
  create_subnet: ADMIN_OR_NETWORK_OWNER,
  'create_subnet:segment_id': ADMIN,
  'create_subnet:service_types': ADMIN,
  'create_subnet:tags': `role:member and project_id:%(project_id)s or ${ADMIN_OR_NETWORK_OWNER}`,
  get_subnet: `role:reader and project_id:%(project_id)s or rule:shared or rule:external_network or ${ADMIN_OR_NETWORK_READER} or rule:service_api`,
  'get_subnet:segment_id': ADMIN,
  'get_subnet:tags': `role:reader and project_id:%(project_id)s or rule:shared or rule:external_network or ${ADMIN_OR_NETWORK_READER}`,
  update_subnet: `role:member and project_id:%(project_id)s or ${ADMIN_OR_NETWORK_OWNER}`,
  'update_subnet:segment_id': ADMIN,
  'update_subnet:service_types': ADMIN,
  'update_subnet:tags': `role:member and project_id:%(project_id)s or ${ADMIN_OR_NETWORK_OWNER}`,
  delete_subnet: `role:member and project_id:%(project_id)s or ${ADMIN_OR_NETWORK_OWNER}`,
  'delete_subnet:tags': `role:member and project_id:%(project_id)s or ${ADMIN_OR_NETWORK_OWNER}`,
});

const subnetpoolRules = rules({
  shared_subnetpools: 'field:subnetpools:shared=True',
  create_subnetpool: ADMIN_OR_MEMBER,
  'create_subnetpool:shared': ADMIN,
  'create_subnetpool:is_default': ADMIN,
  'create_subnetpool:tags': ADMIN_OR_MEMBER,
  get_subnetpool: `${ADMIN_OR_READER} or rule:shared_subnetpools`,
  'get_subnetpool:tags': `${ADMIN_OR_READER} or rule:shared_subnetpools`,
  update_subnetpool: ADMIN_OR_MEMBER,
  'update_subnetpool:is_default': ADMIN,
  'update_subnetpool:tags': ADMIN_OR_MEMBER,
  delete_subnetpool: ADMIN_OR_MEMBER,
  'delete_subnetpool:tags': ADMIN_OR_MEMBER,
  onboard_network_subnets: ADMIN_OR_MEMBER,
  add_prefixes: ADMIN_OR_MEMBER,
  remove_prefixes: ADMIN_OR_MEMBER,
});

const addressScopeRules = rules({
  shared_address_scopes: 'field:address_scopes:shared=True',
  create_address_scope: ADMIN_OR_MEMBER,
  'create_address_scope:shared': ADMIN,
  get_address_scope: 'rule:admin_only or role:reader and project_id:%(project_id)s or rule:shared_address_scopes',
  update_address_scope: ADMIN_OR_MEMBER,
  'update_address_scope:shared': ADMIN,
  delete_address_scope: ADMIN_OR_MEMBER,
});

const networkIpAvailabilityRules = rules({
  get_network_ip_availability: ADMIN_OR_SERVICE,
});

const availabilityZoneRules = rules({
  get_availability_zone: 'role:reader',
});

const rbacRules = rules({
  restrict_wildcard: '(not field:rbac_policy:target_tenant=* and not field:rbac_policy:target_project=*) or rule:admin_only',
  create_rbac_policy: ADMIN_OR_MEMBER,
  'create_rbac_policy:target_tenant': 'rule:admin_only or (not field:rbac_policy:target_tenant=* and not field:rbac_policy:target_project=*)',
  'create_rbac_policy:target_project': 'rule:admin_only or not field:rbac_policy:target_project=*',
  update_rbac_policy: ADMIN_OR_MEMBER,
  'update_rbac_policy:target_tenant': 'rule:admin_only or (not field:rbac_policy:target_tenant=* and not field:rbac_policy:target_project=*)',
  'update_rbac_policy:target_project': 'rule:admin_only or not field:rbac_policy:target_project=*',
  get_rbac_policy: ADMIN_OR_READER,
  delete_rbac_policy: ADMIN_OR_MEMBER,
});

/** Networks, subnets and what belongs to them: upstream's rules and present defaults (neutron/conf/policies). */
export const networksPolicies = [
  ...autoTopologyRules,
  ...segmentRules,
  ...networkRules,
  ...subnetRules,
  ...subnetpoolRules,
  ...addressScopeRules,
  ...networkIpAvailabilityRules,
  ...availabilityZoneRules,
  ...rbacRules,
];
