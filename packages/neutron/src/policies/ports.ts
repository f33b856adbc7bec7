import { ADMIN, ADMIN_OR_MEMBER, ADMIN_OR_NETWORK_OWNER, ADMIN_OR_NETWORK_READER, ADMIN_OR_SERVICE, SERVICE, rules } from './base.ts';

const portRules = rules({
  network_device: 'field:port:device_owner=~^network:',
  admin_or_data_plane_int: 'rule:context_is_admin or role:data_plane_integrator',
  create_port: `${ADMIN_OR_SERVICE} or role:member and rule:network_owner or rule:shared`,
  'create_port:device_id': `${ADMIN_OR_MEMBER} or rule:service_api`,
  'create_port:device_owner': `not rule:network_device or ${ADMIN_OR_SERVICE} or role:member and rule:network_owner`,
  'create_port:mac_address': `${ADMIN_OR_SERVICE} or role:member and rule:network_owner`,
  'create_port:fixed_ips': `${ADMIN_OR_SERVICE} or role:member and rule:network_owner or rule:shared`,
  'create_port:fixed_ips:ip_address': `${ADMIN_OR_SERVICE} or role:member and rule:network_owner`,
  'create_port:fixed_ips:subnet_id': `${ADMIN_OR_SERVICE} or role:member and rule:network_owner or rule:shared`,
  'create_port:port_security_enabled': `${ADMIN_OR_SERVICE} or role:member and rule:network_owner`,
  'create_port:binding:host_id': ADMIN_OR_SERVICE,
  'create_port:binding:profile': SERVICE,
  'create_port:binding:vnic_type': `${ADMIN_OR_MEMBER} or rule:service_api`,
  'create_port:allowed_address_pairs': `${ADMIN_OR_NETWORK_OWNER} or rule:service_api`,
  'create_port:allowed_address_pairs:mac_address': `${ADMIN_OR_NETWORK_OWNER} or rule:service_api`,
  'create_port:allowed_address_pairs:ip_address': `${ADMIN_OR_NETWORK_OWNER} or rule:service_api`,
  'create_port:hints': ADMIN,
  'create_port:trusted': ADMIN,
  'create_port:tags': `${ADMIN_OR_MEMBER} or rule:context_is_advsvc`,
  get_port: `${ADMIN_OR_SERVICE} or role:reader and rule:network_owner or role:reader and project_id:%(project_id)s`,
  'get_port:binding:vif_type': ADMIN_OR_SERVICE,
  'get_port:binding:vif_details': ADMIN_OR_SERVICE,
  'get_port:binding:host_id': ADMIN_OR_SERVICE,
  'get_port:binding:profile': ADMIN_OR_SERVICE,
  'get_port:resource_request': ADMIN,
  'get_port:hints': ADMIN,
  'get_port:trusted': ADMIN,
  'get_port:tags': `rule:context_is_advsvc or ${ADMIN_OR_NETWORK_READER} or role:reader and project_id:%(project_id)s`,
  update_port: `${ADMIN_OR_SERVICE} or role:member and project_id:%(project_id)s`,
  'update_port:device_id': `${ADMIN_OR_MEMBER} or rule:service_api`,
  'update_port:device_owner': `not rule:network_device or ${ADMIN_OR_SERVICE} or role:member and rule:network_owner`,
  'update_port:mac_address': `${ADMIN_OR_SERVICE} or role:manager and rule:network_owner`,
  'update_port:fixed_ips': `${ADMIN_OR_SERVICE} or role:member and rule:network_owner`,
  'update_port:fixed_ips:ip_address': `${ADMIN_OR_SERVICE} or role:member and rule:network_owner`,
  'update_port:fixed_ips:subnet_id': `${ADMIN_OR_SERVICE} or role:member and rule:network_owner or rule:shared`,
  'update_port:port_security_enabled': `${ADMIN_OR_SERVICE} or role:member and rule:network_owner`,
  'update_port:binding:host_id': ADMIN_OR_SERVICE,
  'update_port:binding:profile': SERVICE,
  'update_port:binding:vnic_type': `${ADMIN_OR_SERVICE} or role:member and project_id:%(project_id)s`,
  'update_port:allowed_address_pairs': `${ADMIN_OR_NETWORK_OWNER} or rule:service_api`,
  'update_port:allowed_address_pairs:mac_address': `${ADMIN_OR_NETWORK_OWNER} or rule:service_api`,
  'update_port:allowed_address_pairs:ip_address': `${ADMIN_OR_NETWORK_OWNER} or rule:service_api`,
  'update_port:data_plane_status': 'rule:admin_only or role:data_plane_integrator',
  'update_port:hints': ADMIN,
  'update_port:trusted': ADMIN,
  'update_port:tags': `${ADMIN_OR_MEMBER} or rule:context_is_advsvc`,
  delete_port: `${ADMIN_OR_SERVICE} or role:member and rule:network_owner or role:member and project_id:%(project_id)s`,
  'delete_port:tags': `rule:context_is_advsvc or role:member and project_id:%(project_id)s or ${ADMIN_OR_NETWORK_OWNER}`,
});

const portBindingsRules = rules({
  get_port_binding: ADMIN_OR_SERVICE,
  create_port_binding: SERVICE,
  delete_port_binding: SERVICE,
  activate: SERVICE,
});

const OWNER_READS = `${ADMIN_OR_SERVICE} or role:reader and project_id:%(project_id)s`;
/** Our own: why packets of a port, or to a floating IP or an NDP proxy, pass or do not. */
const pathRules = rules({ get_port_path: OWNER_READS, get_floatingip_path: OWNER_READS, get_ndp_proxy_path: OWNER_READS });

/** Ports and their bindings: upstream's rules and present defaults (neutron/conf/policies). */
export const portsPolicies = [...portRules, ...portBindingsRules, ...pathRules];
