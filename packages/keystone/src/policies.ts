import type { PolicyRule } from '@cairn/kit/policy/policy';

/** upstream's rules with their present defaults (keystone/common/policies). */

type Scope = 'project' | 'domain' | 'system';
const ALL: readonly Scope[] = ['system', 'domain', 'project'];
const SYSTEM_OR_PROJECT: readonly Scope[] = ['system', 'project'];
const PROJECT: readonly Scope[] = ['project'];

const ADMIN = 'rule:admin_required';
const SYSTEM_READER = '(role:reader and system_scope:all)';
const ADMIN_OR_READER = `${ADMIN} or ${SYSTEM_READER}`;
const ADMIN_OR_SERVICE = 'rule:service_or_admin';
const CREDENTIAL_OWNER = 'user_id:%(target.credential.user_id)s';
const TRUSTOR = 'user_id:%(target.trust.trustor_user_id)s';
const TRUSTEE = 'user_id:%(target.trust.trustee_user_id)s';

/** `role:x` held on the domain of the grant's actor and of its target. */
const grantsInDomain = (role: string): string =>
  ['user', 'group']
    .flatMap((actor) =>
      ['project.domain_id', 'domain.id'].map((target) => `(role:${role} and domain_id:%(target.${actor}.domain_id)s and domain_id:%(target.${target})s)`),
    )
    .join(' or ');
const ROLE_OF_DOMAIN = '(domain_id:%(target.role.domain_id)s or None:%(target.role.domain_id)s)';
const GRANT_CHANGE = `(${ADMIN}) or (${grantsInDomain('admin')}) and ${ROLE_OF_DOMAIN} or (${grantsInDomain('manager')}) and rule:domain_managed_target_role`;

const inProjectDomain = (role: string): string => `(role:${role} and domain_id:%(target.project.domain_id)s and not None:%(target.project.domain_id)s)`;
const PROJECT_READ = `(${ADMIN}) or ${SYSTEM_READER} or ${inProjectDomain('reader')} or project_id:%(target.project.id)s`;
const PROJECT_CHANGE = `(${ADMIN}) or ${inProjectDomain('manager')}`;
const DOMAIN_LIST = `(${ADMIN}) or ${SYSTEM_READER} or (role:reader and domain_id:%(target.domain_id)s)`;
const GROUP_READ = `(${ADMIN}) or ${SYSTEM_READER} or (role:reader and domain_id:%(target.group.domain_id)s)`;
const GROUP_CHANGE = `(${ADMIN}) or (role:manager and domain_id:%(target.group.domain_id)s)`;
const MEMBER_CHANGE = `(${ADMIN}) or (role:manager and domain_id:%(target.group.domain_id)s and domain_id:%(target.user.domain_id)s)`;
const USER_CHANGE = `(${ADMIN}) or (role:manager and token.domain.id:%(target.user.domain_id)s)`;

const rule = (name: string, check: string, scopes?: readonly Scope[]): PolicyRule => ({ name, check, ...(scopes && { scopes }) });
const identity = (scopes: readonly Scope[] | undefined, checks: Readonly<Record<string, string>>): PolicyRule[] =>
  Object.entries(checks).map(([name, check]) => rule(`identity:${name}`, check, scopes));

const base: readonly PolicyRule[] = [
  rule('admin_required', 'role:admin or is_admin:1'),
  rule('service_role', 'role:service'),
  rule('service_or_admin', 'rule:admin_required or rule:service_role'),
  rule('owner', 'user_id:%(user_id)s'),
  rule('admin_or_owner', 'rule:admin_required or rule:owner'),
  rule('token_subject', 'user_id:%(target.token.user_id)s'),
  rule('admin_or_token_subject', 'rule:admin_required or rule:token_subject'),
  rule('service_admin_or_token_subject', 'rule:service_or_admin or rule:token_subject'),
  rule('domain_managed_target_role', "'manager':%(target.role.name)s or 'member':%(target.role.name)s or 'reader':%(target.role.name)s"),
];

export const policies: readonly PolicyRule[] = [
  ...base,
  // access rule
  ...identity(SYSTEM_OR_PROJECT, {
    get_access_rule: `${SYSTEM_READER} or user_id:%(target.user.id)s`,
    list_access_rules: `${SYSTEM_READER} or user_id:%(target.user.id)s`,
    delete_access_rule: '(role:admin and system_scope:all) or user_id:%(target.user.id)s',
  }),
  // access token
  ...identity(PROJECT, {
    authorize_request_token: ADMIN,
    get_access_token: ADMIN,
    get_access_token_role: ADMIN,
    list_access_tokens: ADMIN,
    list_access_token_roles: ADMIN,
    delete_access_token: ADMIN,
  }),
  // application credential
  ...identity(SYSTEM_OR_PROJECT, {
    get_application_credential: `(${ADMIN}) or ${SYSTEM_READER} or rule:owner`,
    list_application_credentials: `(${ADMIN}) or ${SYSTEM_READER} or rule:owner`,
    delete_application_credential: 'rule:admin_or_owner',
  }),
  // application credential
  ...identity(PROJECT, {
    create_application_credential: 'user_id:%(user_id)s',
  }),
  // auth
  ...identity(undefined, {
    get_auth_catalog: '',
    get_auth_projects: '',
    get_auth_domains: '',
    get_auth_system: '',
  }),
  // consumer
  ...identity(SYSTEM_OR_PROJECT, {
    get_consumer: ADMIN_OR_READER,
    list_consumers: ADMIN_OR_READER,
    create_consumer: ADMIN,
    update_consumer: ADMIN,
    delete_consumer: ADMIN,
  }),
  // credential
  ...identity(ALL, {
    get_credential: `(${ADMIN}) or ${SYSTEM_READER} or ${CREDENTIAL_OWNER}`,
    list_credentials: `(${ADMIN}) or ${SYSTEM_READER} or ${CREDENTIAL_OWNER}`,
    create_credential: `(${ADMIN}) or ${CREDENTIAL_OWNER}`,
    update_credential: `(${ADMIN}) or ${CREDENTIAL_OWNER}`,
    delete_credential: `(${ADMIN}) or ${CREDENTIAL_OWNER}`,
  }),
  // domain
  ...identity(ALL, {
    get_domain: `${ADMIN} or ${SYSTEM_READER} or token.domain.id:%(target.domain.id)s or token.project.domain.id:%(target.domain.id)s`,
    list_domains: `${ADMIN} or ${SYSTEM_READER} or (role:reader and domain_id:%(target.domain.id)s)`,
  }),
  // domain
  ...identity(SYSTEM_OR_PROJECT, {
    create_domain: ADMIN,
    update_domain: ADMIN,
    delete_domain: ADMIN,
  }),
  // domain config
  ...identity(SYSTEM_OR_PROJECT, {
    create_domain_config: ADMIN,
    get_domain_config: ADMIN_OR_READER,
    update_domain_config: ADMIN,
    delete_domain_config: ADMIN,
    get_domain_config_default: ADMIN_OR_READER,
  }),
  // domain config
  ...identity(ALL, {
    get_security_compliance_domain_config: '',
  }),
  // ec2 credential
  ...identity(SYSTEM_OR_PROJECT, {
    ec2_get_credential: `(${ADMIN}) or ${SYSTEM_READER} or ${CREDENTIAL_OWNER}`,
    ec2_list_credentials: `(${ADMIN}) or ${SYSTEM_READER} or rule:owner`,
    ec2_create_credential: `(${ADMIN}) or (role:member and ${CREDENTIAL_OWNER})`,
    ec2_delete_credential: `(${ADMIN}) or (role:member and ${CREDENTIAL_OWNER})`,
  }),
  // ec2tokens
  ...identity(ALL, {
    ec2tokens_validate: ADMIN_OR_SERVICE,
  }),
  // endpoint
  ...identity(SYSTEM_OR_PROJECT, {
    get_endpoint: ADMIN_OR_READER,
    list_endpoints: ADMIN_OR_READER,
    create_endpoint: ADMIN,
    update_endpoint: ADMIN,
    delete_endpoint: ADMIN,
  }),
  // endpoint group
  ...identity(SYSTEM_OR_PROJECT, {
    create_endpoint_group: ADMIN,
    list_endpoint_groups: ADMIN_OR_READER,
    get_endpoint_group: ADMIN_OR_READER,
    update_endpoint_group: ADMIN,
    delete_endpoint_group: ADMIN,
    list_projects_associated_with_endpoint_group: ADMIN_OR_READER,
    list_endpoints_associated_with_endpoint_group: ADMIN_OR_READER,
    get_endpoint_group_in_project: ADMIN_OR_READER,
    list_endpoint_groups_for_project: ADMIN_OR_READER,
    add_endpoint_group_to_project: ADMIN,
    remove_endpoint_group_from_project: ADMIN,
  }),
  // grant
  ...identity(ALL, {
    check_grant: `(${ADMIN}) or (${SYSTEM_READER} or (${grantsInDomain('reader')}) and ${ROLE_OF_DOMAIN})`,
    list_grants: `(${ADMIN}) or (${SYSTEM_READER} or ${grantsInDomain('reader')})`,
    create_grant: GRANT_CHANGE,
    revoke_grant: GRANT_CHANGE,
  }),
  // grant
  ...identity(SYSTEM_OR_PROJECT, {
    list_system_grants_for_user: ADMIN_OR_READER,
    check_system_grant_for_user: ADMIN_OR_READER,
    create_system_grant_for_user: ADMIN,
    revoke_system_grant_for_user: ADMIN,
    list_system_grants_for_group: ADMIN_OR_READER,
    check_system_grant_for_group: ADMIN_OR_READER,
    create_system_grant_for_group: ADMIN,
    revoke_system_grant_for_group: ADMIN,
  }),
  // group
  ...identity(ALL, {
    get_group: GROUP_READ,
    list_groups: GROUP_READ,
    list_groups_for_user: `(${ADMIN}) or ${SYSTEM_READER} or (role:reader and domain_id:%(target.user.domain_id)s) or user_id:%(user_id)s`,
    create_group: GROUP_CHANGE,
    update_group: GROUP_CHANGE,
    delete_group: GROUP_CHANGE,
    list_users_in_group: GROUP_READ,
    remove_user_from_group: MEMBER_CHANGE,
    check_user_in_group: `(${ADMIN}) or ${SYSTEM_READER} or (role:reader and domain_id:%(target.group.domain_id)s and domain_id:%(target.user.domain_id)s)`,
    add_user_to_group: MEMBER_CHANGE,
  }),
  // identity provider
  ...identity(SYSTEM_OR_PROJECT, {
    create_identity_provider: ADMIN,
    list_identity_providers: ADMIN_OR_READER,
    get_identity_provider: ADMIN_OR_READER,
    update_identity_provider: ADMIN,
    delete_identity_provider: ADMIN,
  }),
  // implied role
  ...identity(SYSTEM_OR_PROJECT, {
    get_implied_role: ADMIN_OR_READER,
    list_implied_roles: ADMIN_OR_READER,
    create_implied_role: ADMIN,
    delete_implied_role: ADMIN,
    list_role_inference_rules: ADMIN_OR_READER,
    check_implied_role: ADMIN_OR_READER,
  }),
  // limit
  ...identity(ALL, {
    get_limit_model: '',
    get_limit: `${ADMIN} or ${SYSTEM_READER} or (domain_id:%(target.limit.domain.id)s or domain_id:%(target.limit.project.domain_id)s) or (project_id:%(target.limit.project_id)s and not None:%(target.limit.project_id)s)`,
    list_limits: '',
  }),
  // limit
  ...identity(SYSTEM_OR_PROJECT, {
    create_limits: ADMIN,
    update_limit: ADMIN,
    delete_limit: ADMIN,
  }),
  // mapping
  ...identity(SYSTEM_OR_PROJECT, {
    create_mapping: ADMIN,
    get_mapping: ADMIN_OR_READER,
    list_mappings: ADMIN_OR_READER,
    delete_mapping: ADMIN,
    update_mapping: ADMIN,
  }),
  // policy
  ...identity(SYSTEM_OR_PROJECT, {
    get_policy: ADMIN_OR_READER,
    list_policies: ADMIN_OR_READER,
    create_policy: ADMIN,
    update_policy: ADMIN,
    delete_policy: ADMIN,
  }),
  // policy association
  ...identity(SYSTEM_OR_PROJECT, {
    create_policy_association_for_endpoint: ADMIN,
    check_policy_association_for_endpoint: ADMIN_OR_READER,
    delete_policy_association_for_endpoint: ADMIN,
    create_policy_association_for_service: ADMIN,
    check_policy_association_for_service: ADMIN_OR_READER,
    delete_policy_association_for_service: ADMIN,
    create_policy_association_for_region_and_service: ADMIN,
    check_policy_association_for_region_and_service: ADMIN_OR_READER,
    delete_policy_association_for_region_and_service: ADMIN,
    get_policy_for_endpoint: ADMIN_OR_READER,
    list_endpoints_for_policy: ADMIN_OR_READER,
  }),
  // project
  ...identity(ALL, {
    get_project: PROJECT_READ,
    list_projects: DOMAIN_LIST,
    list_user_projects: `(${ADMIN}) or ${SYSTEM_READER} or (role:reader and domain_id:%(target.user.domain_id)s) or user_id:%(target.user.id)s`,
    create_project: PROJECT_CHANGE,
    update_project: PROJECT_CHANGE,
    delete_project: PROJECT_CHANGE,
    list_project_tags: PROJECT_READ,
    get_project_tag: PROJECT_READ,
    update_project_tags: PROJECT_CHANGE,
    create_project_tag: PROJECT_CHANGE,
    delete_project_tags: PROJECT_CHANGE,
    delete_project_tag: PROJECT_CHANGE,
  }),
  // project endpoint
  ...identity(SYSTEM_OR_PROJECT, {
    list_projects_for_endpoint: ADMIN_OR_READER,
    add_endpoint_to_project: ADMIN,
    check_endpoint_in_project: ADMIN_OR_READER,
    list_endpoints_for_project: ADMIN_OR_READER,
    remove_endpoint_from_project: ADMIN,
  }),
  // protocol
  ...identity(SYSTEM_OR_PROJECT, {
    create_protocol: ADMIN,
    update_protocol: ADMIN,
    get_protocol: ADMIN_OR_READER,
    list_protocols: ADMIN_OR_READER,
    delete_protocol: ADMIN,
  }),
  // region
  ...identity(ALL, {
    get_region: '',
    list_regions: '',
  }),
  // region
  ...identity(SYSTEM_OR_PROJECT, {
    create_region: ADMIN,
    update_region: ADMIN,
    delete_region: ADMIN,
  }),
  // registered limit
  ...identity(ALL, {
    get_registered_limit: '',
    list_registered_limits: '',
  }),
  // registered limit
  ...identity(SYSTEM_OR_PROJECT, {
    create_registered_limits: ADMIN,
    update_registered_limit: ADMIN,
    delete_registered_limit: ADMIN,
  }),
  // revoke event
  ...identity(SYSTEM_OR_PROJECT, {
    list_revoke_events: ADMIN_OR_SERVICE,
    // of no call any more; upstream still defines it
    revocation_list: ADMIN_OR_SERVICE,
  }),
  // role
  ...identity(ALL, {
    get_role: `(${ADMIN} or ${SYSTEM_READER}) or (role:manager and rule:domain_managed_target_role)`,
    list_roles: `(${ADMIN} or ${SYSTEM_READER}) or (role:manager and not domain_id:None)`,
  }),
  // role
  ...identity(SYSTEM_OR_PROJECT, {
    create_role: ADMIN,
    update_role: ADMIN,
    delete_role: ADMIN,
    get_domain_role: ADMIN_OR_READER,
    list_domain_roles: ADMIN_OR_READER,
    create_domain_role: ADMIN,
    update_domain_role: ADMIN,
    delete_domain_role: ADMIN,
  }),
  // role assignment
  ...identity(ALL, {
    list_role_assignments: DOMAIN_LIST,
    list_role_assignments_for_tree: DOMAIN_LIST,
  }),
  // s3tokens
  ...identity(ALL, {
    s3tokens_validate: ADMIN_OR_SERVICE,
  }),
  // service
  ...identity(SYSTEM_OR_PROJECT, {
    get_service: ADMIN_OR_READER,
    list_services: ADMIN_OR_READER,
    create_service: ADMIN,
    update_service: ADMIN,
    delete_service: ADMIN,
  }),
  // service provider
  ...identity(SYSTEM_OR_PROJECT, {
    create_service_provider: ADMIN,
    list_service_providers: ADMIN_OR_READER,
    get_service_provider: ADMIN_OR_READER,
    update_service_provider: ADMIN,
    delete_service_provider: ADMIN,
  }),
  // token
  ...identity(ALL, {
    check_token: `${ADMIN} or ${SYSTEM_READER} or rule:token_subject`,
    validate_token: `${ADMIN} or ${SYSTEM_READER} or rule:service_role or rule:token_subject`,
    revoke_token: `${ADMIN} or rule:token_subject`,
  }),
  // trust
  ...identity(PROJECT, {
    create_trust: `${TRUSTOR}`,
  }),
  // trust
  ...identity(SYSTEM_OR_PROJECT, {
    list_trusts: ADMIN_OR_READER,
    list_trusts_for_trustor: `(${ADMIN}) or (role:reader and system_scope:all or ${TRUSTOR})`,
    list_trusts_for_trustee: `(${ADMIN}) or (role:reader and system_scope:all or ${TRUSTEE})`,
    list_roles_for_trust: `(${ADMIN}) or (role:reader and system_scope:all or ${TRUSTOR} or ${TRUSTEE})`,
    get_role_for_trust: `(${ADMIN}) or (role:reader and system_scope:all or ${TRUSTOR} or ${TRUSTEE})`,
    delete_trust: `${ADMIN} or ${TRUSTOR}`,
    get_trust: `(${ADMIN}) or (role:reader and system_scope:all or ${TRUSTOR} or ${TRUSTEE})`,
  }),
  // user
  ...identity(ALL, {
    get_user: `(${ADMIN}) or ${SYSTEM_READER} or (role:reader and token.domain.id:%(target.user.domain_id)s) or user_id:%(target.user.id)s`,
    list_users: DOMAIN_LIST,
    create_user: USER_CHANGE,
    update_user: USER_CHANGE,
    delete_user: USER_CHANGE,
  }),
  // user
  ...identity(undefined, {
    list_projects_for_user: '',
    list_domains_for_user: '',
  }),
];
