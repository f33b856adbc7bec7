import { ADMIN, ADMIN_OR_MANAGER, ADMIN_OR_MEMBER, ADMIN_OR_PARENT_MEMBER, ADMIN_OR_PARENT_READER, ADMIN_OR_READER, rules } from './base.ts';

const routerRules = rules({
  create_router: ADMIN_OR_MEMBER,
  'create_router:distributed': ADMIN,
  'create_router:ha': ADMIN,
  'create_router:external_gateway_info': ADMIN_OR_MEMBER,
  'create_router:external_gateway_info:network_id': ADMIN_OR_MEMBER,
  'create_router:external_gateway_info:enable_snat': ADMIN,
  'create_router:external_gateway_info:external_fixed_ips': ADMIN,
  'create_router:enable_default_route_bfd': ADMIN,
  'create_router:enable_default_route_ecmp': ADMIN,
  'create_router:tags': ADMIN_OR_MEMBER,
  get_router: ADMIN_OR_READER,
  'get_router:distributed': ADMIN,
  'get_router:ha': ADMIN,
  'get_router:tags': ADMIN_OR_READER,
  update_router: ADMIN_OR_MEMBER,
  'update_router:distributed': ADMIN,
  'update_router:ha': ADMIN,
  'update_router:external_gateway_info': ADMIN_OR_MEMBER,
  'update_router:external_gateway_info:network_id': ADMIN_OR_MEMBER,
  'update_router:external_gateway_info:enable_snat': ADMIN,
  'update_router:external_gateway_info:external_fixed_ips': ADMIN,
  'update_router:enable_default_route_bfd': ADMIN,
  'update_router:enable_default_route_ecmp': ADMIN,
  'update_router:tags': ADMIN_OR_MEMBER,
  delete_router: ADMIN_OR_MEMBER,
  'delete_router:tags': ADMIN_OR_MEMBER,
  add_router_interface: ADMIN_OR_MEMBER,
  remove_router_interface: ADMIN_OR_MEMBER,
  add_extraroutes: ADMIN_OR_MEMBER,
  remove_extraroutes: ADMIN_OR_MEMBER,
  add_external_gateways: ADMIN_OR_MEMBER,
  'add_external_gateways:external_gateways': ADMIN_OR_MEMBER,
  'add_external_gateways:external_gateways:network_id': ADMIN_OR_MEMBER,
  'add_external_gateways:external_gateways:enable_snat': ADMIN,
  'add_external_gateways:external_gateways:external_fixed_ips': ADMIN,
  update_external_gateways: ADMIN_OR_MEMBER,
  'update_external_gateways:external_gateways': ADMIN_OR_MEMBER,
  'update_external_gateways:external_gateways:network_id': ADMIN_OR_MEMBER,
  'update_external_gateways:external_gateways:enable_snat': ADMIN,
  'update_external_gateways:external_gateways:external_fixed_ips': ADMIN,
  remove_external_gateways: ADMIN_OR_MEMBER,
  'remove_external_gateways:external_gateways': ADMIN_OR_MEMBER,
});

const floatingipRules = rules({
  create_floatingip: ADMIN_OR_MEMBER,
  'create_floatingip:floating_ip_address': ADMIN_OR_MANAGER,
  'create_floatingip:tags': ADMIN_OR_MEMBER,
  get_floatingip: ADMIN_OR_READER,
  'get_floatingip:tags': ADMIN_OR_READER,
  update_floatingip: ADMIN_OR_MEMBER,
  'update_floatingip:tags': ADMIN_OR_MEMBER,
  delete_floatingip: ADMIN_OR_MEMBER,
  'delete_floatingip:tags': ADMIN_OR_MEMBER,
});

const portForwardingRules = rules({
  create_floatingip_port_forwarding: ADMIN_OR_PARENT_MEMBER,
  get_floatingip_port_forwarding: ADMIN_OR_PARENT_READER,
  update_floatingip_port_forwarding: ADMIN_OR_PARENT_MEMBER,
  delete_floatingip_port_forwarding: ADMIN_OR_PARENT_MEMBER,
});

const floatingipPoolsRules = rules({
  get_floatingip_pool: ADMIN_OR_READER,
});

/** Routers and floating IPs: upstream's rules and present defaults (neutron/conf/policies). */
export const routersPolicies = [...routerRules, ...floatingipRules, ...floatingipPoolsRules, ...portForwardingRules];
