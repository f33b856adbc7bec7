/** keystone's tables. Booleans are 0 or 1, JSON is text, times are epoch milliseconds unless the name says otherwise. */

type Bit = number;

/** Stands for "no domain" in unique keys, where null would not be compared; never shown (upstream: NULL_DOMAIN_ID). */
export const ROOT_DOMAIN = '<<keystone.domain.root>>';

export interface ProjectTable {
  id: string;
  name: string;
  /** ROOT_DOMAIN for a project that acts as domain. */
  domain_id: string;
  parent_id: string | null;
  description: string | null;
  enabled: Bit;
  is_domain: Bit;
  options: string;
  /** Attributes that the API takes and gives back without knowing them. */
  extra: string;
}

export interface ProjectTagTable {
  project_id: string;
  name: string;
}

export interface UserTable {
  id: string;
  domain_id: string;
  name: string;
  enabled: Bit;
  default_project_id: string | null;
  options: string;
  extra: string;
  created_at_ms: number;
  last_active_at_ms: number | null;
  failed_auth_count: number;
  failed_auth_at_ms: number | null;
  /** 1: known by an identity provider alone, so the name is for show and need not be unique. 0 where it is not said. */
  federated?: Bit | undefined;
}

export interface IdentityProviderTable {
  id: string;
  domain_id: string;
  enabled: Bit;
  description: string | null;
  authorization_ttl_min: number | null;
}

/** By which name an identity provider calls itself in its assertions. */
export interface RemoteIdTable {
  remote_id: string;
  idp_id: string;
}

export interface FederationProtocolTable {
  idp_id: string;
  id: string;
  mapping_id: string;
  remote_id_attribute: string | null;
}

export interface MappingTable {
  id: string;
  /** JSON. */
  rules: string;
  schema_version: string;
}

export interface ServiceProviderTable {
  id: string;
  enabled: Bit;
  description: string | null;
  auth_url: string;
  sp_url: string;
  relay_state_prefix: string;
}

/** Which user here somebody of an identity provider is. */
export interface FederatedUserTable {
  idp_id: string;
  protocol_id: string;
  unique_id: string;
  user_id: string;
  display_name: string | null;
}

/** A membership that a mapping gave and that ends unless a log-in renews it. */
export interface ExpiringMembershipTable {
  user_id: string;
  group_id: string;
  idp_id: string;
  last_verified_at_ms: number;
  expires_at_ms: number;
}

/** Proofs that must not be shown twice: assertion ids, states. */
export interface FederationUsedTable {
  id: string;
  expires_at_ms: number;
}

/** A verified assertion, until the request that fetches the token. */
export interface FederationSessionTable {
  /** SHA-256 of what the client holds. */
  id: string;
  idp_id: string;
  protocol_id: string;
  /** JSON. */
  assertion: string;
  expires_at_ms: number;
}

/** A user's passwords, the newest last; the ones before are its history. */
export interface PasswordTable {
  user_id: string;
  /** Counts up per user. */
  ordinal: number;
  /** bcrypt; null for a user without password. */
  password_hash: string | null;
  created_at_ms: number;
  expires_at_ms: number | null;
  self_service: Bit;
}

export interface GroupTable {
  id: string;
  domain_id: string;
  name: string;
  description: string | null;
  extra: string;
}

export interface MembershipTable {
  user_id: string;
  group_id: string;
}

export interface RoleTable {
  id: string;
  name: string;
  /** ROOT_DOMAIN for a role of no domain. */
  domain_id: string;
  description: string | null;
  options: string;
  extra: string;
}

export interface ImpliedRoleTable {
  prior_role_id: string;
  implied_role_id: string;
}

export type AssignmentType = 'UserProject' | 'GroupProject' | 'UserDomain' | 'GroupDomain' | 'UserSystem' | 'GroupSystem';

export interface AssignmentTable {
  type: AssignmentType;
  actor_id: string;
  /** Project, domain, or `system`. */
  target_id: string;
  role_id: string;
  inherited: Bit;
}

export interface RegionTable {
  id: string;
  description: string;
  parent_region_id: string | null;
  extra: string;
}

export interface ServiceTable {
  id: string;
  type: string;
  /** Null where the API was never told one. */
  name: string | null;
  enabled: Bit;
  extra: string;
}

export interface EndpointTable {
  id: string;
  service_id: string;
  region_id: string | null;
  interface: string;
  url: string;
  enabled: Bit;
  extra: string;
}

export interface CredentialTable {
  id: string;
  user_id: string;
  project_id: string | null;
  type: string;
  encrypted_blob: string;
  /** SHA-1 of the key that encrypted it: tells what a rotation has left to do. */
  key_hash: string;
  extra: string;
}

export interface PolicyTable {
  id: string;
  type: string;
  blob: string;
  extra: string;
}

export interface ApplicationCredentialTable {
  id: string;
  user_id: string;
  project_id: string | null;
  name: string;
  description: string | null;
  secret_hash: string;
  /** Microseconds since the epoch: the API gives back what it was given. */
  expires_at_us: number | null;
  unrestricted: Bit;
}

export interface ApplicationCredentialRoleTable {
  application_credential_id: string;
  role_id: string;
}

export interface AccessRuleTable {
  id: string;
  user_id: string;
  service: string;
  path: string;
  method: string;
  /** Rules of a user are told in the order they were made in: 1, 2, 3 ... (0 where they are older than this column). */
  sequence: number;
}

export interface ApplicationCredentialAccessRuleTable {
  application_credential_id: string;
  access_rule_id: string;
}

export interface TrustTable {
  id: string;
  trustor_user_id: string;
  trustee_user_id: string;
  project_id: string | null;
  impersonation: Bit;
  expires_at_ms: number | null;
  remaining_uses: number | null;
  redelegated_trust_id: string | null;
  redelegation_count: number;
  deleted_at_ms: number | null;
  extra: string;
}

export interface TrustRoleTable {
  trust_id: string;
  role_id: string;
}

/** Tokens issued up to `issued_before_ms` that match all that is set here are revoked. */
export interface RevocationEventTable {
  id: number;
  audit_id: string | null;
  audit_chain_id: string | null;
  user_id: string | null;
  project_id: string | null;
  domain_id: string | null;
  role_id: string | null;
  trust_id: string | null;
  consumer_id: string | null;
  access_token_id: string | null;
  issued_before_ms: number;
  expires_at_ms: number | null;
  revoked_at_ms: number;
}

export interface RegisteredLimitTable {
  id: string;
  service_id: string;
  /** '' for no region, so that the unique key compares it. */
  region_id: string;
  resource_name: string;
  default_limit: number;
  description: string | null;
}

export interface LimitTable {
  id: string;
  registered_limit_id: string;
  project_id: string | null;
  domain_id: string | null;
  resource_limit: number;
  description: string | null;
}

/** Endpoints chosen by their attributes: `filters` holds interface, service_id, region_id, enabled. */
export interface EndpointGroupTable {
  id: string;
  name: string;
  description: string | null;
  filters: string;
}

export interface ProjectEndpointTable {
  project_id: string;
  endpoint_id: string;
}

export interface ProjectEndpointGroupTable {
  project_id: string;
  endpoint_group_id: string;
}

/** Which policy holds for an endpoint, a service, or a service in a region; '' where a column does not count. */
export interface PolicyAssociationTable {
  endpoint_id: string;
  service_id: string;
  region_id: string;
  policy_id: string;
}

/** One option of a domain's own configuration. */
export interface DomainOptionTable {
  domain_id: string;
  option_group: string;
  option_name: string;
  /** JSON. */
  value: string;
  sensitive: Bit;
}

/** The public id of a user or group that another program keeps. */
export interface IdMappingTable {
  public_id: string;
  domain_id: string;
  entity_type: 'user' | 'group';
  local_id: string;
}

/** A user of another program who has logged in here. */
export interface NonlocalUserTable {
  user_id: string;
  domain_id: string;
  name: string;
  created_at_ms: number;
  last_active_at_ms: number | null;
}

/** One row: the number of the newest change. */
export interface RevisionTable {
  id: number;
  seq: number;
}

/** Which facts each change touched, for the caches of other processes; kept for a while. */
export interface ChangeTable {
  seq: number;
  keys: string;
  at_ms: number;
}

/** A program that may ask users for access (OAuth1). */
export interface ConsumerTable {
  id: string;
  description: string | null;
  secret: string;
  extra: string;
}

export interface RequestTokenTable {
  id: string;
  secret: string;
  /** Set together with the user and the roles when the user authorises. */
  verifier: string | null;
  authorizing_user_id: string | null;
  requested_project_id: string;
  role_ids: string | null;
  consumer_id: string;
  expires_at_ms: number | null;
}

export interface AccessTokenTable {
  id: string;
  secret: string;
  authorizing_user_id: string;
  project_id: string;
  role_ids: string;
  consumer_id: string;
  expires_at_ms: number | null;
}

export interface KeystoneTables {
  keystone_consumer: ConsumerTable;
  keystone_request_token: RequestTokenTable;
  keystone_access_token: AccessTokenTable;
  keystone_project: ProjectTable;
  keystone_project_tag: ProjectTagTable;
  keystone_user: UserTable;
  keystone_password: PasswordTable;
  keystone_group: GroupTable;
  keystone_membership: MembershipTable;
  keystone_role: RoleTable;
  keystone_implied_role: ImpliedRoleTable;
  keystone_assignment: AssignmentTable;
  keystone_region: RegionTable;
  keystone_service: ServiceTable;
  keystone_endpoint: EndpointTable;
  keystone_credential: CredentialTable;
  keystone_policy: PolicyTable;
  keystone_application_credential: ApplicationCredentialTable;
  keystone_application_credential_role: ApplicationCredentialRoleTable;
  keystone_access_rule: AccessRuleTable;
  keystone_application_credential_access_rule: ApplicationCredentialAccessRuleTable;
  keystone_trust: TrustTable;
  keystone_trust_role: TrustRoleTable;
  keystone_revocation_event: RevocationEventTable;
  keystone_registered_limit: RegisteredLimitTable;
  keystone_limit: LimitTable;
  keystone_endpoint_group: EndpointGroupTable;
  keystone_project_endpoint: ProjectEndpointTable;
  keystone_project_endpoint_group: ProjectEndpointGroupTable;
  keystone_policy_association: PolicyAssociationTable;
  keystone_domain_option: DomainOptionTable;
  keystone_id_mapping: IdMappingTable;
  keystone_nonlocal_user: NonlocalUserTable;
  keystone_identity_provider: IdentityProviderTable;
  keystone_remote_id: RemoteIdTable;
  keystone_federation_protocol: FederationProtocolTable;
  keystone_mapping: MappingTable;
  keystone_service_provider: ServiceProviderTable;
  keystone_federated_user: FederatedUserTable;
  keystone_expiring_membership: ExpiringMembershipTable;
  keystone_federation_used: FederationUsedTable;
  keystone_federation_session: FederationSessionTable;
  keystone_revision: RevisionTable;
  keystone_change: ChangeTable;
}
