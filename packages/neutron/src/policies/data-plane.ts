import { ADMIN_OR_MANAGER, ADMIN_OR_MEMBER, ADMIN_OR_PARENT_MEMBER, ADMIN_OR_PARENT_READER, ADMIN_OR_READER, rules } from './base.ts';

/** What service plugins bring: upstream's rules and present defaults (neutron/conf/policies/l3_conntrack_helper.py, metering.py, logging.py, ndp_proxy.py). */
export const dataPlanePolicies = rules({
  create_router_conntrack_helper: ADMIN_OR_PARENT_MEMBER,
  get_router_conntrack_helper: ADMIN_OR_PARENT_READER,
  update_router_conntrack_helper: ADMIN_OR_PARENT_MEMBER,
  delete_router_conntrack_helper: ADMIN_OR_PARENT_MEMBER,
  create_metering_label: ADMIN_OR_MANAGER,
  get_metering_label: ADMIN_OR_READER,
  delete_metering_label: ADMIN_OR_MANAGER,
  create_metering_label_rule: ADMIN_OR_MANAGER,
  get_metering_label_rule: ADMIN_OR_READER,
  delete_metering_label_rule: ADMIN_OR_MANAGER,
  create_ndp_proxy: ADMIN_OR_MEMBER,
  get_ndp_proxy: ADMIN_OR_READER,
  update_ndp_proxy: ADMIN_OR_MEMBER,
  delete_ndp_proxy: ADMIN_OR_MEMBER,
  get_loggable_resource: ADMIN_OR_MANAGER,
  create_log: ADMIN_OR_MANAGER,
  get_log: ADMIN_OR_MANAGER,
  update_log: ADMIN_OR_MANAGER,
  delete_log: ADMIN_OR_MANAGER,
});
