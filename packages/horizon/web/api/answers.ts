/** What the cloud answers: written by scripts/console-types.ts from the cloud's own OpenAPI document. Not to be edited. */

type AddressGroup = {
  readonly id: string;
  readonly name: string;
  readonly tenant_id: string;
  readonly addresses: readonly string[];
  readonly description: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly revision_number: number;
  readonly project_id: string;
};

type AddressScope = {
  readonly id: string;
  readonly name: string;
  readonly tenant_id: string;
  readonly shared: boolean;
  readonly ip_version: 4 | 6;
  readonly project_id: string;
};

type Aggregate = {
  readonly id: number;
  readonly uuid: string;
  readonly name: string;
  readonly availability_zone: string | null;
  readonly created_at: string;
  readonly updated_at: string | null;
  readonly deleted: boolean;
  readonly deleted_at: string | null;
  readonly hosts: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
};

type AllocationRequest = {
  readonly allocations: Readonly<Record<string, {
    readonly resources: Readonly<Record<string, number>>;
  }>>;
  readonly mappings: Readonly<Record<string, readonly string[]>>;
};

type ApplicationCredential = {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly user_id: string;
  readonly project_id: string | null;
  readonly system: null;
  readonly expires_at: string | null;
  readonly unrestricted: boolean;
  readonly roles: readonly {
    readonly id: string;
    readonly name: string;
    readonly domain_id: string | null;
    readonly description: string | null;
    readonly options: Readonly<Record<string, unknown>>;
    readonly [name: string]: unknown;
  }[];
  readonly access_rules?: readonly {
    readonly id: string;
    readonly service: string;
    readonly path: string;
    readonly method: string;
  }[];
  readonly links: {
    readonly self: string;
  };
};

type ComputeLimits = {
  readonly rate: readonly unknown[];
  readonly absolute: {
    readonly maxTotalRAMSize: number;
    readonly maxTotalInstances: number;
    readonly maxTotalCores: number;
    readonly maxTotalKeypairs: number;
    readonly maxServerMeta: number;
    readonly maxServerGroups: number;
    readonly maxServerGroupMembers: number;
    readonly totalRAMUsed: number;
    readonly totalCoresUsed: number;
    readonly totalInstancesUsed: number;
    readonly totalServerGroupsUsed: number;
  };
};

type ComputeLink = {
  readonly rel: string;
  readonly href: string;
  readonly type?: string;
};

type ComputeQuotaSet = {
  readonly id: string;
  readonly instances: number;
  readonly cores: number;
  readonly ram: number;
  readonly metadata_items: number;
  readonly key_pairs: number;
  readonly server_groups: number;
  readonly server_group_members: number;
};

type ComputeQuotaSetDetail = {
  readonly id: string;
  readonly instances: ComputeQuotaUse;
  readonly cores: ComputeQuotaUse;
  readonly ram: ComputeQuotaUse;
  readonly metadata_items: ComputeQuotaUse;
  readonly key_pairs: ComputeQuotaUse;
  readonly server_groups: ComputeQuotaUse;
  readonly server_group_members: ComputeQuotaUse;
};

type ComputeQuotaUse = {
  readonly in_use: number;
  readonly limit: number;
  readonly reserved: number;
};

type ComputeSecurityGroup = {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly tenant_id: string;
  readonly rules: readonly ComputeSecurityGroupRule[];
};

type ComputeSecurityGroupRule = {
  readonly id: string;
  readonly parent_group_id: string;
  readonly ip_protocol: string | null;
  readonly from_port: number | null;
  readonly to_port: number | null;
  readonly group: {
    readonly name?: string;
    readonly tenant_id?: string;
  };
  readonly ip_range: {
    readonly cidr?: string;
  };
};

type ComputeService = {
  readonly id: string;
  readonly binary: string;
  readonly host: string;
  readonly zone: string;
  readonly status: 'enabled' | 'disabled';
  readonly state: 'up' | 'down';
  readonly updated_at: string | null;
  readonly disabled_reason: string | null;
  readonly forced_down: boolean;
};

type ComputeZone = {
  readonly zoneName: string;
  readonly zoneState: {
    readonly available: boolean;
  };
  readonly hosts: Readonly<Record<string, Readonly<Record<string, {
    readonly available: boolean;
    readonly active: boolean;
    readonly updated_at: string | null;
  }>>>> | null;
};

type CreatedKeyPair = {
  readonly name: string;
  readonly public_key: string;
  readonly fingerprint: string;
  readonly type: string;
  readonly user_id: string;
  readonly private_key?: string;
};

type CreatedServer = {
  readonly id: string;
  readonly links: readonly ComputeLink[];
  readonly 'OS-DCF:diskConfig': string;
  readonly security_groups: readonly {
    readonly name: string;
  }[];
  readonly adminPass: string;
};

type Domain = {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly enabled: boolean;
  readonly tags: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly links: {
    readonly self: string;
  };
  readonly [name: string]: unknown;
};

type Ec2Credential = {
  readonly user_id: string;
  readonly tenant_id: string | null;
  readonly access: string;
  readonly secret: string;
  readonly trust_id: string | null;
  readonly links: {
    readonly self: string;
  };
};

type Endpoint = {
  readonly id: string;
  readonly interface: string;
  readonly region_id: string | null;
  readonly service_id: string;
  readonly url: string;
  readonly enabled: boolean;
  readonly region: string | null;
  readonly links: {
    readonly self: string;
  };
  readonly [name: string]: unknown;
};

type Flavor = {
  readonly id: string;
  readonly name: string;
  readonly ram: number;
  readonly disk: number;
  readonly 'OS-FLV-EXT-DATA:ephemeral': number;
  readonly vcpus: number;
  readonly 'os-flavor-access:is_public': boolean;
  readonly links: readonly ComputeLink[];
  readonly description: string | null;
  readonly extra_specs?: Readonly<Record<string, string>>;
  readonly swap: number;
};

type FlavorAccess = {
  readonly flavor_id: string;
  readonly tenant_id: string;
};

type FloatingIp = {
  readonly id: string;
  readonly floating_ip_address: string;
  readonly floating_network_id: string;
  readonly router_id: string | null;
  readonly port_id: string | null;
  readonly fixed_ip_address: string | null;
  readonly tenant_id: string;
  readonly status: string;
  readonly dns_name: string;
  readonly dns_domain: string;
  readonly qos_policy_id: string | null;
  readonly qos_network_policy_id: string | null;
  readonly port_forwardings: readonly {
    readonly id: string;
    readonly protocol: string;
    readonly internal_ip_address: string;
    readonly internal_port_id: string;
    readonly external_port?: number;
    readonly internal_port?: number;
  }[];
  readonly port_details: {
    readonly name: string;
    readonly network_id: string;
    readonly mac_address: string;
    readonly admin_state_up: boolean;
    readonly status: string;
    readonly device_id: string;
    readonly device_owner: string;
  } | null;
  readonly description: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly revision_number: number;
  readonly tags?: readonly string[];
  readonly project_id: string;
};

type Group = {
  readonly id: string;
  readonly name: string;
  readonly domain_id: string;
  readonly description: string | null;
  readonly links: {
    readonly self: string;
  };
  readonly [name: string]: unknown;
};

type HypervisorWithLoad = {
  readonly id: string;
  readonly hypervisor_hostname: string;
  readonly state: 'up' | 'down';
  readonly status: 'enabled' | 'disabled';
  readonly servers?: readonly {
    readonly name: string;
    readonly uuid: string;
  }[];
  readonly hypervisor_type: string;
  readonly hypervisor_version: number;
  readonly host_ip: string;
  readonly vcpus: number;
  readonly memory_mb: number;
  readonly local_gb: number;
  readonly vcpus_used: number;
  readonly memory_mb_used: number;
  readonly local_gb_used: number;
  readonly free_ram_mb: number;
  readonly free_disk_gb: number;
  readonly current_workload: number;
  readonly running_vms: number;
  readonly disk_available_least: number | null;
  readonly service: {
    readonly id: string;
    readonly host: string;
    readonly disabled_reason: string | null;
  };
  readonly cpu_info: Readonly<Record<string, unknown>>;
};

type Image = {
  readonly id: string;
  readonly name: string | null;
  readonly status: string;
  readonly visibility: string;
  readonly owner: string | null;
  readonly protected: boolean;
  readonly os_hidden: boolean;
  readonly disk_format: string | null;
  readonly container_format: string | null;
  readonly min_disk: number;
  readonly min_ram: number;
  readonly size: number | null;
  readonly virtual_size: number | null;
  readonly checksum: string | null;
  readonly os_hash_algo: string | null;
  readonly os_hash_value: string | null;
  readonly created_at: string;
  readonly updated_at: string;
  readonly tags: readonly string[];
  readonly self: string;
  readonly file: string;
  readonly schema: string;
  readonly stores?: string;
  readonly direct_url?: string;
  readonly locations?: readonly ImageLocation[];
  readonly [name: string]: string | string | null | boolean | number | number | null | readonly string[] | undefined | readonly ImageLocation[];
};

type ImageLocation = {
  readonly url: string;
  readonly metadata: Readonly<Record<string, unknown>>;
};

type ImageMember = {
  readonly member_id: string;
  readonly image_id: string;
  readonly status: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly schema: string;
};

type ImageTaskRecord = {
  readonly id: string;
  readonly type: string;
  readonly status: string;
  readonly owner: string | null;
  readonly image_id: string | null;
  readonly request_id: string | null;
  readonly user_id: string | null;
  readonly expires_at: string | null;
  readonly created_at: string;
  readonly updated_at: string;
  readonly deleted_at: null;
  readonly deleted: false;
  readonly input: Readonly<Record<string, unknown>> | null;
  readonly result: Readonly<Record<string, unknown>> | null;
  readonly message: string | null;
};

type KeyPair = {
  readonly name: string;
  readonly public_key: string;
  readonly fingerprint: string;
  readonly type: string;
};

type LiveMigration = {
  readonly id: number;
  readonly uuid: string;
  readonly source_compute: string | null;
  readonly source_node: string | null;
  readonly dest_compute: string | null;
  readonly dest_node: string | null;
  readonly dest_host: string | null;
  readonly status: string;
  readonly created_at: string;
  readonly updated_at: string | null;
  readonly user_id: string | null;
  readonly project_id: string | null;
  readonly server_uuid: string;
  readonly disk_processed_bytes: number | null;
  readonly disk_remaining_bytes: number | null;
  readonly disk_total_bytes: number | null;
  readonly memory_processed_bytes: number | null;
  readonly memory_remaining_bytes: number | null;
  readonly memory_total_bytes: number | null;
};

type MetadefAssociation = {
  readonly name: string;
  readonly prefix?: string;
  readonly properties_target?: string;
  readonly created_at: string;
  readonly updated_at: string;
};

type MetadefNamespace = {
  readonly namespace: string;
  readonly display_name?: string;
  readonly description?: string;
  readonly visibility: string;
  readonly protected: boolean;
  readonly owner: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly self: string;
  readonly schema: string;
  readonly resource_type_associations?: readonly MetadefAssociation[];
  readonly properties?: Readonly<Record<string, PropertyDefinition>>;
  readonly objects?: readonly MetadefObject[];
  readonly tags?: readonly {
    readonly name: string;
  }[];
};

type MetadefObject = {
  readonly name: string;
  readonly description?: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, PropertyDefinition>>;
  readonly created_at: string;
  readonly updated_at: string;
  readonly self: string;
  readonly schema: string;
};

type Migration = {
  readonly id: number;
  readonly uuid: string;
  readonly source_compute: string | null;
  readonly source_node: string | null;
  readonly dest_compute: string | null;
  readonly dest_node: string | null;
  readonly dest_host: string | null;
  readonly status: string;
  readonly created_at: string;
  readonly updated_at: string | null;
  readonly user_id: string | null;
  readonly project_id: string | null;
  readonly instance_uuid: string;
  readonly old_instance_type_id: number | null;
  readonly new_instance_type_id: number | null;
  readonly migration_type: string;
  readonly links?: readonly ComputeLink[];
};

type NdpProxy = {
  readonly id: string;
  readonly name: string;
  readonly tenant_id: string;
  readonly router_id: string;
  readonly port_id: string;
  readonly ip_address: string;
  readonly description: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly revision_number: number;
  readonly project_id: string;
};

type Network = {
  readonly id: string;
  readonly name: string;
  readonly subnets: readonly string[];
  readonly admin_state_up: boolean;
  readonly status: string;
  readonly tenant_id: string;
  readonly shared: boolean;
  readonly ipv4_address_scope: string | null;
  readonly ipv6_address_scope: string | null;
  readonly is_default?: boolean;
  readonly availability_zones: readonly string[];
  readonly availability_zone_hints: readonly string[];
  readonly 'router:external': boolean;
  readonly mtu: number;
  readonly dns_domain: string;
  readonly port_security_enabled: boolean;
  readonly 'provider:network_type'?: string | null;
  readonly 'provider:physical_network'?: string | null;
  readonly 'provider:segmentation_id'?: number | null;
  readonly segments?: readonly {
    readonly 'provider:network_type': string | null;
    readonly 'provider:physical_network': string | null;
    readonly 'provider:segmentation_id': number | null;
  }[];
  readonly l2_adjacency: boolean;
  readonly qos_policy_id: string | null;
  readonly description: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly revision_number: number;
  readonly tags?: readonly string[];
  readonly project_id: string;
};

type NetworkAgent = {
  readonly id: string;
  readonly agent_type: string;
  readonly binary: string;
  readonly topic: string;
  readonly host: string;
  readonly admin_state_up: boolean;
  readonly created_at: string;
  readonly started_at: string;
  readonly heartbeat_timestamp: string;
  readonly alive: boolean;
  readonly configurations: {
    readonly tunnel_types?: readonly string[];
    readonly tunneling_ip?: string;
  };
  readonly description: string | null;
  readonly availability_zone: string;
  readonly resources_synced: boolean | null;
};

type NetworkQuota = {
  readonly network: number;
  readonly subnet: number;
  readonly subnetpool: number;
  readonly port: number;
  readonly router: number;
  readonly floatingip: number;
  readonly security_group: number;
  readonly security_group_rule: number;
  readonly rbac_policy: number;
  readonly trunk: number;
};

type NetworkQuotaDetails = {
  readonly network: {
    readonly limit: number;
    readonly used: number;
    readonly reserved: number;
  };
  readonly subnet: {
    readonly limit: number;
    readonly used: number;
    readonly reserved: number;
  };
  readonly subnetpool: {
    readonly limit: number;
    readonly used: number;
    readonly reserved: number;
  };
  readonly port: {
    readonly limit: number;
    readonly used: number;
    readonly reserved: number;
  };
  readonly router: {
    readonly limit: number;
    readonly used: number;
    readonly reserved: number;
  };
  readonly floatingip: {
    readonly limit: number;
    readonly used: number;
    readonly reserved: number;
  };
  readonly security_group: {
    readonly limit: number;
    readonly used: number;
    readonly reserved: number;
  };
  readonly security_group_rule: {
    readonly limit: number;
    readonly used: number;
    readonly reserved: number;
  };
  readonly rbac_policy: {
    readonly limit: number;
    readonly used: number;
    readonly reserved: number;
  };
  readonly trunk: {
    readonly limit: number;
    readonly used: number;
    readonly reserved: number;
  };
};

type NewApplicationCredential = {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly user_id: string;
  readonly project_id: string | null;
  readonly system: null;
  readonly expires_at: string | null;
  readonly unrestricted: boolean;
  readonly roles: readonly {
    readonly id: string;
    readonly name: string;
    readonly domain_id: string | null;
    readonly description: string | null;
    readonly options: Readonly<Record<string, unknown>>;
    readonly [name: string]: unknown;
  }[];
  readonly access_rules?: readonly {
    readonly id: string;
    readonly service: string;
    readonly path: string;
    readonly method: string;
  }[];
  readonly secret: string;
  readonly links: {
    readonly self: string;
  };
};

type PathExplanation = {
  readonly verdict: 'pass' | 'drop' | 'unknown';
  readonly summary: string;
  readonly summary_code: string;
  readonly remedy: string | null;
  readonly port_id: string | null;
  readonly arrived_at_port_id: string | null;
  readonly protocol: number;
  readonly packet: PathPacket;
  readonly mtu: number | null;
  readonly hops: readonly PathHop[];
  readonly dhcp: readonly {
    readonly port_id: string;
    readonly subnet_id: string;
    readonly ip_address: string;
    readonly server: string | null;
    readonly reason: string;
    readonly reason_code: string;
  }[];
};

type PathHop = {
  readonly leg: 'request' | 'answer';
  readonly kind: 'port' | 'anti_spoofing' | 'security_group' | 'guest_route' | 'network' | 'router' | 'nat' | 'outside' | 'other_side';
  readonly object: {
    readonly type: 'port' | 'network' | 'router';
    readonly id: string;
    readonly name: string | null;
  } | null;
  readonly host: string | null;
  readonly verdict: 'pass' | 'drop' | 'nat' | 'unknown';
  readonly reason: string;
  readonly reason_code: string;
  readonly remedy: string | null;
  readonly security_groups: readonly {
    readonly id: string;
    readonly name: string;
  }[];
  readonly rule: {
    readonly id: string;
    readonly direction: 'ingress' | 'egress';
    readonly ethertype: 'IPv4' | 'IPv6';
    readonly protocol: string | null;
    readonly port_range_min: number | null;
    readonly port_range_max: number | null;
    readonly remote_ip_prefix: string | null;
    readonly remote_group_id: string | null;
  } | null;
  readonly packet: PathPacket | null;
};

type PathPacket = {
  readonly source_ip: string;
  readonly destination_ip: string;
  readonly source_port: number | null;
  readonly destination_port: number | null;
};

type PolicyBranch = {
  readonly check: string;
  readonly passes: boolean;
  readonly rules: readonly unknown[];
};

type PolicyExplanation = {
  readonly service: string;
  readonly rule: string;
  readonly check: string;
  readonly description: string;
  readonly scope_types: readonly string[] | null;
  readonly allowed: boolean;
  readonly reason: 'passes' | 'fails' | 'scope' | 'no_role';
  readonly roles: readonly string[];
  readonly target: Readonly<Record<string, unknown>>;
  readonly matching: string | null;
  readonly branches: readonly PolicyBranch[];
};

type PolicyRule = {
  readonly service: string;
  readonly rule: string;
  readonly check: string;
  readonly description: string;
  readonly scope_types: readonly string[] | null;
};

type Port = {
  readonly id: string;
  readonly name: string;
  readonly network_id: string;
  readonly admin_state_up: boolean;
  readonly mac_address: string;
  readonly fixed_ips: readonly {
    readonly subnet_id: string;
    readonly ip_address: string;
  }[];
  readonly device_id: string;
  readonly device_owner: string;
  readonly tenant_id: string;
  readonly status: string;
  readonly 'binding:vif_type'?: string;
  readonly 'binding:vif_details'?: Readonly<Record<string, unknown>>;
  readonly 'binding:vnic_type': 'normal' | 'direct' | 'macvtap' | 'baremetal' | 'direct-physical' | 'virtio-forwarder' | 'smart-nic' | 'vdpa' | 'accelerator-direct' | 'accelerator-direct-physical' | 'remote-managed';
  readonly 'binding:host_id'?: string;
  readonly 'binding:profile'?: Readonly<Record<string, unknown>>;
  readonly allowed_address_pairs: readonly {
    readonly ip_address: string;
    readonly mac_address?: string;
  }[];
  readonly extra_dhcp_opts: readonly {
    readonly opt_name: string;
    readonly opt_value: string | null;
    readonly ip_version: 4 | 6;
  }[];
  readonly security_groups: readonly string[];
  readonly port_security_enabled: boolean;
  readonly dns_name: string;
  readonly dns_domain: string;
  readonly dns_assignment: readonly {
    readonly ip_address: string;
    readonly hostname: string;
    readonly fqdn: string;
  }[];
  readonly ip_allocation: string;
  readonly propagate_uplink_status: boolean;
  readonly trusted?: boolean | null;
  readonly qos_policy_id: string | null;
  readonly qos_network_policy_id: string | null;
  readonly trunk_details?: {
    readonly trunk_id: string;
    readonly sub_ports: readonly {
      readonly port_id: string;
      readonly segmentation_id: number;
      readonly segmentation_type: string;
      readonly mac_address: string;
    }[];
  };
  readonly resource_request?: {
    readonly request_groups: readonly {
      readonly id: string;
      readonly required: readonly string[];
      readonly resources: Readonly<Record<string, number>>;
    }[];
    readonly same_subtree: readonly string[];
  } | null;
  readonly description: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly revision_number: number;
  readonly tags?: readonly string[];
  readonly project_id: string;
};

type PortForwarding = {
  readonly id: string;
  readonly external_port?: number;
  readonly internal_port?: number;
  readonly internal_ip_address: string;
  readonly protocol: 'dccp' | 'icmp' | 'ipv6-icmp' | 'sctp' | 'tcp' | 'udp';
  readonly internal_port_id: string;
  readonly description: string;
  readonly external_port_range: string | null;
  readonly internal_port_range: string | null;
};

type Project = {
  readonly id: string;
  readonly name: string;
  readonly domain_id: string | null;
  readonly description: string | null;
  readonly enabled: boolean;
  readonly parent_id: string | null;
  readonly is_domain: boolean;
  readonly tags: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly links: {
    readonly self: string;
  };
  readonly [name: string]: unknown;
};

type ProjectInTree = {
  readonly id: string;
  readonly name: string;
  readonly domain_id: string | null;
  readonly description: string | null;
  readonly enabled: boolean;
  readonly parent_id: string | null;
  readonly is_domain: boolean;
  readonly tags: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly parents?: readonly {
    readonly project: RelatedProject;
  }[] | Readonly<Record<string, unknown>> | null;
  readonly subtree?: readonly {
    readonly project: RelatedProject;
  }[] | Readonly<Record<string, unknown>> | null;
  readonly links: {
    readonly self: string;
  };
  readonly [name: string]: unknown;
};

type PropertyDefinition = {
  readonly type?: string;
  readonly title?: string;
  readonly [name: string]: unknown;
};

type ProviderSummary = {
  readonly resources: Readonly<Record<string, {
    readonly capacity: number;
    readonly used: number;
  }>>;
  readonly traits: readonly string[];
  readonly parent_provider_uuid: string | null;
  readonly root_provider_uuid: string;
};

type QosPolicy = {
  readonly id: string;
  readonly name: string;
  readonly shared: boolean;
  readonly is_default: boolean;
  readonly tenant_id: string;
  readonly rules: readonly ({
    readonly id: string;
    readonly qos_policy_id: string;
    readonly type: 'bandwidth_limit';
    readonly max_kbps: number;
    readonly max_burst_kbps: number;
    readonly direction: 'ingress' | 'egress';
  } | {
    readonly id: string;
    readonly qos_policy_id: string;
    readonly type: 'dscp_marking';
    readonly dscp_mark: 0 | 8 | 10 | 12 | 14 | 16 | 18 | 20 | 22 | 24 | 26 | 28 | 30 | 32 | 34 | 36 | 38 | 40 | 44 | 46 | 48 | 56;
  } | {
    readonly id: string;
    readonly qos_policy_id: string;
    readonly type: 'minimum_bandwidth';
    readonly min_kbps: number;
    readonly direction: 'ingress' | 'egress';
  } | {
    readonly id: string;
    readonly qos_policy_id: string;
    readonly type: 'minimum_packet_rate';
    readonly min_kpps: number;
    readonly direction: 'ingress' | 'egress' | 'any';
  } | {
    readonly id: string;
    readonly qos_policy_id: string;
    readonly type: 'packet_rate_limit';
    readonly max_kpps: number;
    readonly max_burst_kpps: number;
    readonly direction: 'ingress' | 'egress';
  })[];
  readonly description: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly revision_number: number;
  readonly tags?: readonly string[];
  readonly project_id: string;
};

type RbacPolicy = {
  readonly id: string;
  readonly object_type: 'network' | 'subnetpool' | 'address_scope' | 'address_group' | 'security_group' | 'qos_policy';
  readonly object_id: string;
  readonly target_tenant: string;
  readonly tenant_id: string;
  readonly action: 'access_as_shared' | 'access_as_external';
  readonly project_id: string;
};

type RebuiltServer = {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly tenant_id: string;
  readonly user_id: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly hostId: string;
  readonly image: '' | {
    readonly id: string;
    readonly links: readonly ComputeLink[];
    readonly properties: Readonly<Record<string, string>>;
  };
  readonly flavor: ServerFlavor;
  readonly created: string;
  readonly updated: string;
  readonly addresses: Readonly<Record<string, readonly ServerAddress[]>>;
  readonly accessIPv4: string;
  readonly accessIPv6: string;
  readonly links: readonly ComputeLink[];
  readonly 'OS-DCF:diskConfig': string;
  readonly fault?: ServerFault;
  readonly progress?: number;
  readonly 'OS-EXT-AZ:availability_zone': string;
  readonly config_drive: string;
  readonly key_name: string | null;
  readonly 'OS-SRV-USG:launched_at': string | null;
  readonly 'OS-SRV-USG:terminated_at': string | null;
  readonly security_groups?: readonly {
    readonly name: string;
  }[];
  readonly 'OS-EXT-STS:task_state': string | null;
  readonly 'OS-EXT-STS:vm_state': string;
  readonly 'OS-EXT-STS:power_state': number;
  readonly 'os-extended-volumes:volumes_attached': readonly {
    readonly id: string;
    readonly delete_on_termination: boolean;
  }[];
  readonly locked: boolean;
  readonly host_status?: string;
  readonly description: string | null;
  readonly tags: readonly string[];
  readonly trusted_image_certificates: readonly string[] | null;
  readonly server_groups?: readonly string[];
  readonly locked_reason: string | null;
  readonly pinned_availability_zone: string | null;
  readonly scheduler_hints: Readonly<Record<string, readonly unknown[]>>;
  readonly 'OS-EXT-SRV-ATTR:hostname': string;
  readonly 'OS-EXT-SRV-ATTR:host'?: string | null;
  readonly 'OS-EXT-SRV-ATTR:instance_name'?: string;
  readonly 'OS-EXT-SRV-ATTR:hypervisor_hostname'?: string | null;
  readonly 'OS-EXT-SRV-ATTR:kernel_id'?: string;
  readonly 'OS-EXT-SRV-ATTR:launch_index'?: number;
  readonly 'OS-EXT-SRV-ATTR:ramdisk_id'?: string;
  readonly 'OS-EXT-SRV-ATTR:reservation_id'?: string;
  readonly 'OS-EXT-SRV-ATTR:root_device_name'?: string | null;
  readonly adminPass: string;
  readonly user_data: string | null;
};

type RecentServerUsage = {
  readonly server_id: string;
  readonly samples: readonly ServerUsageSample[];
};

type RelatedProject = {
  readonly id: string;
  readonly name: string;
  readonly domain_id: string | null;
  readonly description: string | null;
  readonly enabled: boolean;
  readonly parent_id: string | null;
  readonly is_domain: boolean;
  readonly tags: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly limits?: readonly {
    readonly id: string;
    readonly service_id: string;
    readonly region_id: string | null;
    readonly resource_name: string;
    readonly description: string | null;
    readonly project_id: string | null;
    readonly domain_id: string | null;
    readonly resource_limit: number;
  }[];
  readonly links: {
    readonly self: string;
  };
  readonly [name: string]: unknown;
};

type RemoteConsole = {
  readonly protocol: string;
  readonly type: string;
  readonly url: string;
};

type Role = {
  readonly id: string;
  readonly name: string;
  readonly domain_id: string | null;
  readonly options: Readonly<Record<string, unknown>>;
  readonly description: string | null;
  readonly links: {
    readonly self: string;
  };
  readonly [name: string]: unknown;
};

type RoleAssignment = {
  readonly role: {
    readonly id: string;
    readonly name?: string;
    readonly domain?: {
      readonly id: string;
      readonly name: string;
    };
  };
  readonly user?: {
    readonly id: string;
    readonly name?: string;
    readonly domain?: {
      readonly id: string;
      readonly name: string;
    };
  };
  readonly group?: {
    readonly id: string;
    readonly name?: string;
    readonly domain?: {
      readonly id: string;
      readonly name: string;
    };
  };
  readonly scope: {
    readonly project?: {
      readonly id: string;
      readonly name?: string;
      readonly domain?: {
        readonly id: string;
        readonly name: string;
      };
    };
    readonly domain?: {
      readonly id: string;
      readonly name?: string;
    };
    readonly system?: {
      readonly all: true;
    };
    readonly 'OS-INHERIT:inherited_to'?: 'projects';
  };
  readonly links: {
    readonly assignment: string;
    readonly membership?: string;
    readonly prior_role?: string;
  };
};

type Router = {
  readonly id: string;
  readonly name: string;
  readonly admin_state_up: boolean;
  readonly status: string;
  readonly tenant_id: string;
  readonly external_gateway_info: {
    readonly network_id: string;
    readonly external_fixed_ips: readonly {
      readonly subnet_id: string;
      readonly ip_address: string;
    }[];
    readonly enable_snat: boolean;
    readonly qos_policy_id: string | null;
  } | null;
  readonly external_gateways: readonly {
    readonly network_id: string;
    readonly external_fixed_ips: readonly {
      readonly subnet_id: string;
      readonly ip_address: string;
    }[];
  }[];
  readonly enable_default_route_ecmp: boolean;
  readonly enable_default_route_bfd: boolean;
  readonly routes: readonly {
    readonly destination: string;
    readonly nexthop: string;
  }[];
  readonly distributed?: boolean;
  readonly ha?: boolean;
  readonly flavor_id: string | null;
  readonly conntrack_helpers: readonly {
    readonly protocol: string;
    readonly port: number;
    readonly helper: string;
  }[];
  readonly enable_ndp_proxy: boolean;
  readonly availability_zones: readonly string[];
  readonly availability_zone_hints: readonly string[];
  readonly description: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly revision_number: number;
  readonly tags?: readonly string[];
  readonly project_id: string;
};

type SecurityGroup = {
  readonly id: string;
  readonly name: string;
  readonly tenant_id: string;
  readonly security_group_rules: readonly SecurityGroupRule[];
  readonly stateful: boolean;
  readonly shared: boolean;
  readonly description: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly revision_number: number;
  readonly tags?: readonly string[];
  readonly project_id: string;
};

type SecurityGroupRule = {
  readonly id: string;
  readonly security_group_id: string;
  readonly remote_group_id: string | null;
  readonly remote_address_group_id: string | null;
  readonly direction: 'ingress' | 'egress';
  readonly protocol: string | null;
  readonly port_range_min: number | null;
  readonly port_range_max: number | null;
  readonly ethertype: 'IPv4' | 'IPv6';
  readonly remote_ip_prefix: string | null;
  readonly tenant_id: string;
  readonly normalized_cidr: string | null;
  readonly belongs_to_default_sg: boolean;
  readonly description: string | null;
  readonly created_at: string;
  readonly updated_at: string;
  readonly revision_number: number;
  readonly project_id: string;
};

type Server = {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly tenant_id: string;
  readonly user_id: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly hostId: string;
  readonly image: '' | {
    readonly id: string;
    readonly links: readonly ComputeLink[];
    readonly properties: Readonly<Record<string, string>>;
  };
  readonly flavor: ServerFlavor;
  readonly created: string;
  readonly updated: string;
  readonly addresses: Readonly<Record<string, readonly ServerAddress[]>>;
  readonly accessIPv4: string;
  readonly accessIPv6: string;
  readonly links: readonly ComputeLink[];
  readonly 'OS-DCF:diskConfig': string;
  readonly fault?: ServerFault;
  readonly progress?: number;
  readonly 'OS-EXT-AZ:availability_zone': string;
  readonly config_drive: string;
  readonly key_name: string | null;
  readonly 'OS-SRV-USG:launched_at': string | null;
  readonly 'OS-SRV-USG:terminated_at': string | null;
  readonly security_groups?: readonly {
    readonly name: string;
  }[];
  readonly 'OS-EXT-STS:task_state': string | null;
  readonly 'OS-EXT-STS:vm_state': string;
  readonly 'OS-EXT-STS:power_state': number;
  readonly 'os-extended-volumes:volumes_attached': readonly {
    readonly id: string;
    readonly delete_on_termination: boolean;
  }[];
  readonly locked: boolean;
  readonly host_status?: string;
  readonly description: string | null;
  readonly tags: readonly string[];
  readonly trusted_image_certificates: readonly string[] | null;
  readonly server_groups?: readonly string[];
  readonly locked_reason: string | null;
  readonly pinned_availability_zone: string | null;
  readonly scheduler_hints: Readonly<Record<string, readonly unknown[]>>;
  readonly 'OS-EXT-SRV-ATTR:hostname': string;
  readonly 'OS-EXT-SRV-ATTR:host'?: string | null;
  readonly 'OS-EXT-SRV-ATTR:instance_name'?: string;
  readonly 'OS-EXT-SRV-ATTR:hypervisor_hostname'?: string | null;
  readonly 'OS-EXT-SRV-ATTR:kernel_id'?: string;
  readonly 'OS-EXT-SRV-ATTR:launch_index'?: number;
  readonly 'OS-EXT-SRV-ATTR:ramdisk_id'?: string;
  readonly 'OS-EXT-SRV-ATTR:reservation_id'?: string;
  readonly 'OS-EXT-SRV-ATTR:root_device_name'?: string | null;
  readonly 'OS-EXT-SRV-ATTR:user_data'?: string | null;
};

type ServerAction = {
  readonly action: string;
  readonly instance_uuid: string;
  readonly request_id: string;
  readonly user_id: string;
  readonly project_id: string;
  readonly start_time: string;
  readonly message: string | null;
  readonly updated_at: string;
};

type ServerActionDetail = {
  readonly action: string;
  readonly instance_uuid: string;
  readonly request_id: string;
  readonly user_id: string;
  readonly project_id: string;
  readonly start_time: string;
  readonly message: string | null;
  readonly updated_at: string;
  readonly events: readonly ServerActionEvent[];
};

type ServerActionEvent = {
  readonly event: string;
  readonly start_time: string;
  readonly finish_time: string | null;
  readonly result: 'Success' | 'Error' | null;
  readonly traceback?: string | null;
  readonly host?: string | null;
  readonly hostId: string;
  readonly details?: string | null;
};

type ServerAddress = {
  readonly version: number;
  readonly addr: string;
  readonly 'OS-EXT-IPS:type'?: 'fixed' | 'floating';
  readonly 'OS-EXT-IPS-MAC:mac_addr'?: string;
};

type ServerDiagnostics = {
  readonly state: string;
  readonly driver: string;
  readonly hypervisor: string;
  readonly hypervisor_os: string;
  readonly uptime: number | null;
  readonly config_drive: boolean;
  readonly num_cpus: number;
  readonly num_nics: number;
  readonly num_disks: number;
  readonly cpu_details: readonly {
    readonly id: number;
    readonly time: number | null;
    readonly utilisation: number | null;
  }[];
  readonly nic_details: readonly {
    readonly mac_address: string;
    readonly rx_octets: number | null;
    readonly rx_errors: number | null;
    readonly rx_drop: number | null;
    readonly rx_packets: number | null;
    readonly rx_rate: number | null;
    readonly tx_octets: number | null;
    readonly tx_errors: number | null;
    readonly tx_drop: number | null;
    readonly tx_packets: number | null;
    readonly tx_rate: number | null;
  }[];
  readonly disk_details: readonly {
    readonly read_bytes: number | null;
    readonly read_requests: number | null;
    readonly write_bytes: number | null;
    readonly write_requests: number | null;
    readonly errors_count: number | null;
  }[];
  readonly memory_details: {
    readonly maximum: number | null;
    readonly used: number | null;
  };
};

type ServerFault = {
  readonly code: number;
  readonly created: string;
  readonly message: string;
  readonly details?: string;
};

type ServerFlavor = {
  readonly vcpus: number;
  readonly ram: number;
  readonly disk: number;
  readonly ephemeral: number;
  readonly swap: number;
  readonly original_name: string;
  readonly extra_specs?: Readonly<Record<string, string>>;
};

type ServerGroup = {
  readonly id: string;
  readonly name: string;
  readonly policy: string;
  readonly rules: {
    readonly max_server_per_host?: number;
  };
  readonly members: readonly string[];
  readonly project_id: string;
  readonly user_id: string;
};

type ServerInterface = {
  readonly net_id: string;
  readonly port_id: string;
  readonly mac_addr: string;
  readonly port_state: string;
  readonly fixed_ips: readonly {
    readonly subnet_id: string;
    readonly ip_address: string;
  }[];
  readonly tag: string | null;
};

type ServerUsageSample = {
  readonly at: string;
  readonly cpu_percent: number | null;
  readonly memory_mb: number;
};

type ServerVolumeAttachment = {
  readonly volumeId: string;
  readonly serverId: string;
  readonly device?: string | null;
  readonly tag: string | null;
  readonly delete_on_termination: boolean;
  readonly attachment_id: string | null;
  readonly bdm_uuid: string;
};

type Service = {
  readonly id: string;
  readonly type: string;
  readonly enabled: boolean;
  readonly name?: string;
  readonly links: {
    readonly self: string;
  };
  readonly [name: string]: unknown;
};

type Subnet = {
  readonly id: string;
  readonly name: string;
  readonly ip_version: 4 | 6;
  readonly network_id: string;
  readonly subnetpool_id: string | 'prefix_delegation' | null;
  readonly cidr: string;
  readonly gateway_ip: string | null;
  readonly allocation_pools: readonly {
    readonly start: string;
    readonly end: string;
  }[];
  readonly dns_nameservers: readonly string[];
  readonly host_routes: readonly {
    readonly destination: string;
    readonly nexthop: string;
  }[];
  readonly tenant_id: string;
  readonly enable_dhcp: boolean;
  readonly ipv6_ra_mode: 'dhcpv6-stateful' | 'dhcpv6-stateless' | 'slaac' | null;
  readonly ipv6_address_mode: 'dhcpv6-stateful' | 'dhcpv6-stateless' | 'slaac' | null;
  readonly service_types: readonly string[];
  readonly segment_id?: string | null;
  readonly 'router:external': boolean;
  readonly description: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly revision_number: number;
  readonly tags?: readonly string[];
  readonly project_id: string;
};

type SubnetPool = {
  readonly id: string;
  readonly name: string;
  readonly tenant_id: string;
  readonly prefixes: readonly string[];
  readonly default_quota: number | null;
  readonly ip_version: 4 | 6;
  readonly default_prefixlen: string;
  readonly min_prefixlen: string;
  readonly max_prefixlen: string;
  readonly is_default: boolean;
  readonly shared: boolean;
  readonly address_scope_id: string | null;
  readonly description: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly revision_number: number;
  readonly tags?: readonly string[];
  readonly project_id: string;
};

type Subport = {
  readonly port_id: string;
  readonly segmentation_id: number;
  readonly segmentation_type: string;
};

type Trunk = {
  readonly id: string;
  readonly name: string;
  readonly admin_state_up: boolean;
  readonly tenant_id: string;
  readonly port_id: string;
  readonly status: string;
  readonly sub_ports: readonly Subport[];
  readonly description: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly revision_number: number;
  readonly tags?: readonly string[];
  readonly project_id: string;
};

type User = {
  readonly id: string;
  readonly name: string;
  readonly domain_id: string;
  readonly enabled: boolean;
  readonly default_project_id?: string;
  readonly password_expires_at: string | null;
  readonly options: Readonly<Record<string, unknown>>;
  readonly federated?: readonly {
    readonly idp_id: string;
    readonly protocols: readonly {
      readonly protocol_id: string;
      readonly unique_id: string;
    }[];
  }[];
  readonly links: {
    readonly self: string;
  };
  readonly [name: string]: unknown;
};

type Volume = {
  readonly id: string;
  readonly status: string;
  readonly size: number;
  readonly availability_zone: string | null;
  readonly created_at: string;
  readonly updated_at: string | null;
  readonly name: string | null;
  readonly description: string | null;
  readonly volume_type: string | null;
  readonly volume_type_id: string | null;
  readonly snapshot_id: string | null;
  readonly source_volid: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly links: readonly VolumeLink[];
  readonly user_id: string;
  readonly bootable: string;
  readonly encrypted: boolean;
  readonly replication_status: string | null;
  readonly consistencygroup_id: string | null;
  readonly multiattach: boolean;
  readonly attachments: readonly VolumeAttached[];
  readonly group_id: string | null;
  readonly shared_targets: boolean | null;
  readonly service_uuid: string | null;
  readonly consumes_quota: boolean;
  readonly encryption_key_id?: string;
  readonly migration_status?: string | null;
  readonly provider_id?: string | null;
  readonly cluster_name?: string | null;
  readonly volume_image_metadata?: Readonly<Record<string, string>>;
  readonly 'os-vol-host-attr:host'?: string | null;
  readonly 'os-vol-tenant-attr:tenant_id'?: string;
  readonly 'os-vol-mig-status-attr:migstat'?: string | null;
  readonly 'os-vol-mig-status-attr:name_id'?: string | null;
};

type VolumeAttached = {
  readonly id: string;
  readonly attachment_id: string;
  readonly volume_id: string;
  readonly server_id: string | null;
  readonly host_name: string | null;
  readonly device: string | null;
  readonly attached_at: string | null;
};

type VolumeBackup = {
  readonly id: string;
  readonly status: string;
  readonly size: number;
  readonly object_count: number;
  readonly availability_zone: string | null;
  readonly container: string | null;
  readonly created_at: string;
  readonly updated_at: string | null;
  readonly name: string | null;
  readonly description: string | null;
  readonly fail_reason: string | null;
  readonly volume_id: string;
  readonly links: readonly VolumeLink[];
  readonly is_incremental: boolean;
  readonly has_dependent_backups: boolean;
  readonly snapshot_id: string | null;
  readonly data_timestamp: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly encryption_key_id?: string;
  readonly 'os-backup-project-attr:project_id'?: string;
  readonly user_id?: string;
};

type VolumeGroup = {
  readonly id: string;
  readonly name: string | null;
  readonly status: string;
  readonly created_at: string;
  readonly description: string | null;
  readonly availability_zone: string | null;
  readonly group_type: string;
  readonly volume_types: readonly string[];
  readonly group_snapshot_id: string | null;
  readonly source_group_id: string | null;
  readonly volumes?: readonly string[];
  readonly replication_status: string | null;
  readonly project_id?: string;
};

type VolumeGroupType = {
  readonly id: string;
  readonly name: string;
  readonly is_public: boolean;
  readonly description: string | null;
  readonly group_specs?: Readonly<Record<string, string>>;
};

type VolumeLimits = {
  readonly rate: readonly unknown[];
  readonly absolute: {
    readonly maxTotalVolumeGigabytes: number;
    readonly maxTotalBackupGigabytes: number;
    readonly maxTotalVolumes: number;
    readonly maxTotalSnapshots: number;
    readonly maxTotalBackups: number;
    readonly totalVolumesUsed?: number;
    readonly totalGigabytesUsed?: number;
    readonly totalSnapshotsUsed?: number;
    readonly totalBackupsUsed?: number;
    readonly totalBackupGigabytesUsed?: number;
  };
};

type VolumeLink = {
  readonly rel: string;
  readonly href: string;
};

type VolumeQos = {
  readonly id: string;
  readonly name: string;
  readonly consumer: string;
  readonly specs: Readonly<Record<string, string>>;
};

type VolumeQuotaUse = {
  readonly limit: number;
  readonly in_use: number;
  readonly reserved: number;
};

type VolumeService = {
  readonly binary: string;
  readonly host: string;
  readonly zone: string;
  readonly status: 'enabled' | 'disabled';
  readonly state: 'up' | 'down';
  readonly updated_at: string | null;
  readonly cluster: string | null;
  readonly disabled_reason: string | null;
  readonly backend_state?: string;
  readonly replication_status?: string | null;
  readonly active_backend_id?: string | null;
  readonly frozen?: boolean;
};

type VolumeSnapshot = {
  readonly id: string;
  readonly created_at: string;
  readonly updated_at: string | null;
  readonly name: string | null;
  readonly description: string | null;
  readonly volume_id: string;
  readonly status: string;
  readonly size: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly group_snapshot_id: string | null;
  readonly user_id: string | null;
  readonly consumes_quota: boolean;
  readonly 'os-extended-snapshot-attributes:project_id'?: string;
  readonly 'os-extended-snapshot-attributes:progress'?: string | null;
};

type VolumeTransfer = {
  readonly id: string;
  readonly created_at: string;
  readonly name: string | null;
  readonly volume_id: string;
  readonly auth_key?: string;
  readonly links: readonly VolumeLink[];
  readonly no_snapshots: boolean;
  readonly destination_project_id: string | null;
  readonly source_project_id: string | null;
  readonly accepted: boolean;
};

type VolumeType = {
  readonly id: string;
  readonly name: string;
  readonly is_public: boolean;
  readonly description: string | null;
  readonly extra_specs?: Readonly<Record<string, string>>;
  readonly qos_specs_id?: string | null;
  readonly 'os-volume-type-access:is_public'?: boolean;
};

/** By operation: what its success answers. */
export interface Answers {
  readonly 'cinder.backup.list-detail': {
    readonly backups: readonly VolumeBackup[];
    readonly backups_links?: readonly VolumeLink[];
    readonly count?: number;
  };
  readonly 'cinder.group-type.list': {
    readonly group_types: readonly VolumeGroupType[];
    readonly group_type_links?: readonly VolumeLink[];
    readonly count?: number;
  };
  readonly 'cinder.group.list-detail': {
    readonly groups: readonly VolumeGroup[];
    readonly group_links?: readonly VolumeLink[];
    readonly count?: number;
  };
  readonly 'cinder.limits.show': {
    readonly limits: VolumeLimits;
  };
  readonly 'cinder.qos-specs.list': {
    readonly qos_specs: readonly VolumeQos[];
    readonly qos_specs_links?: readonly VolumeLink[];
    readonly count?: number;
  };
  readonly 'cinder.quota-set.show': {
    readonly quota_set: {
      readonly id: string;
      readonly [name: string]: number | VolumeQuotaUse | string;
    };
  };
  readonly 'cinder.service.list': {
    readonly services: readonly VolumeService[];
  };
  readonly 'cinder.snapshot.list-detail': {
    readonly snapshots: readonly VolumeSnapshot[];
    readonly snapshots_links?: readonly VolumeLink[];
    readonly count?: number;
  };
  readonly 'cinder.transfer.create': {
    readonly transfer: VolumeTransfer;
  };
  readonly 'cinder.transfer.list-detail': {
    readonly transfers: readonly VolumeTransfer[];
    readonly transfers_links?: readonly VolumeLink[];
    readonly count?: number;
  };
  readonly 'cinder.type.list': {
    readonly volume_types: readonly VolumeType[];
    readonly volume_type_links?: readonly VolumeLink[];
    readonly count?: number;
  };
  readonly 'cinder.volume.list-detail': {
    readonly volumes: readonly Volume[];
    readonly volumes_links?: readonly VolumeLink[];
    readonly count?: number;
  };
  readonly 'cinder.volume.show': {
    readonly volume: Volume;
  };
  readonly 'glance.image.create': Image;
  readonly 'glance.image.get': Image;
  readonly 'glance.image.list': {
    readonly images: readonly Image[];
    readonly first: string;
    readonly next?: string;
    readonly schema: string;
  };
  readonly 'glance.image.tasks': {
    readonly tasks: readonly ImageTaskRecord[];
  };
  readonly 'glance.member.list': {
    readonly members: readonly ImageMember[];
    readonly schema: string;
  };
  readonly 'glance.metadef.namespace.list': {
    readonly namespaces: readonly MetadefNamespace[];
    readonly first: string;
    readonly next?: string;
    readonly schema: string;
  };
  readonly 'keystone.application_credential.create': {
    readonly application_credential: NewApplicationCredential;
  };
  readonly 'keystone.application_credential.list': {
    readonly application_credentials: readonly ApplicationCredential[];
    readonly links: {
      readonly next: string | null;
      readonly self: string;
      readonly previous: null;
    };
    readonly truncated?: boolean;
  };
  readonly 'keystone.domain.list': {
    readonly domains: readonly Domain[];
    readonly links: {
      readonly next: string | null;
      readonly self: string;
      readonly previous: null;
    };
    readonly truncated?: boolean;
  };
  readonly 'keystone.ec2_credential.create': {
    readonly credential: Ec2Credential;
  };
  readonly 'keystone.ec2_credential.list': {
    readonly credentials: readonly Ec2Credential[];
    readonly links: {
      readonly next: string | null;
      readonly self: string;
      readonly previous: null;
    };
    readonly truncated?: boolean;
  };
  readonly 'keystone.endpoint.list': {
    readonly endpoints: readonly Endpoint[];
    readonly links: {
      readonly next: string | null;
      readonly self: string;
      readonly previous: null;
    };
    readonly truncated?: boolean;
  };
  readonly 'keystone.group.list': {
    readonly groups: readonly Group[];
    readonly links: {
      readonly next: string | null;
      readonly self: string;
      readonly previous: null;
    };
    readonly truncated?: boolean;
  };
  readonly 'keystone.group.show': {
    readonly group: Group;
  };
  readonly 'keystone.group.users': {
    readonly users: readonly User[];
    readonly links: {
      readonly next: string | null;
      readonly self: string;
      readonly previous: null;
    };
    readonly truncated?: boolean;
  };
  readonly 'keystone.policy_explanation.show': {
    readonly policy_explanation: PolicyExplanation;
  };
  readonly 'keystone.policy_rule.list': {
    readonly policy_rules: readonly PolicyRule[];
  };
  readonly 'keystone.project.list': {
    readonly projects: readonly Project[];
    readonly links: {
      readonly next: string | null;
      readonly self: string;
      readonly previous: null;
    };
    readonly truncated?: boolean;
  };
  readonly 'keystone.project.show': {
    readonly project: ProjectInTree;
  };
  readonly 'keystone.role.list': {
    readonly roles: readonly Role[];
    readonly links: {
      readonly next: string | null;
      readonly self: string;
      readonly previous: null;
    };
    readonly truncated?: boolean;
  };
  readonly 'keystone.role_assignment.list': {
    readonly role_assignments: readonly RoleAssignment[];
    readonly links: {
      readonly next: string | null;
      readonly self: string;
      readonly previous: null;
    };
    readonly truncated?: boolean;
  };
  readonly 'keystone.service.list': {
    readonly services: readonly Service[];
    readonly links: {
      readonly next: string | null;
      readonly self: string;
      readonly previous: null;
    };
    readonly truncated?: boolean;
  };
  readonly 'keystone.user.list': {
    readonly users: readonly User[];
    readonly links: {
      readonly next: string | null;
      readonly self: string;
      readonly previous: null;
    };
    readonly truncated?: boolean;
  };
  readonly 'keystone.user.show': {
    readonly user: User;
  };
  readonly 'neutron.address-group.list': {
    readonly address_groups: readonly AddressGroup[];
    readonly address_groups_links?: readonly {
      readonly rel: 'next' | 'previous';
      readonly href: string;
    }[];
  };
  readonly 'neutron.address-scope.list': {
    readonly address_scopes: readonly AddressScope[];
    readonly address_scopes_links?: readonly {
      readonly rel: 'next' | 'previous';
      readonly href: string;
    }[];
  };
  readonly 'neutron.agent.list': {
    readonly agents: readonly NetworkAgent[];
    readonly agents_links?: readonly {
      readonly rel: 'next' | 'previous';
      readonly href: string;
    }[];
  };
  readonly 'neutron.floatingip-port-forwarding.list': {
    readonly port_forwardings: readonly PortForwarding[];
    readonly port_forwardings_links?: readonly {
      readonly rel: 'next' | 'previous';
      readonly href: string;
    }[];
  };
  readonly 'neutron.floatingip.list': {
    readonly floatingips: readonly FloatingIp[];
    readonly floatingips_links?: readonly {
      readonly rel: 'next' | 'previous';
      readonly href: string;
    }[];
  };
  readonly 'neutron.floatingip.show': {
    readonly floatingip: FloatingIp;
  };
  readonly 'neutron.ndp-proxy.list': {
    readonly ndp_proxies: readonly NdpProxy[];
    readonly ndp_proxies_links?: readonly {
      readonly rel: 'next' | 'previous';
      readonly href: string;
    }[];
  };
  readonly 'neutron.network.create': {
    readonly network: Network;
  } | {
    readonly networks: readonly Network[];
  };
  readonly 'neutron.network.list': {
    readonly networks: readonly Network[];
    readonly networks_links?: readonly {
      readonly rel: 'next' | 'previous';
      readonly href: string;
    }[];
  };
  readonly 'neutron.network.show': {
    readonly network: Network;
  };
  readonly 'neutron.policy.list': {
    readonly policies: readonly QosPolicy[];
    readonly policies_links?: readonly {
      readonly rel: 'next' | 'previous';
      readonly href: string;
    }[];
  };
  readonly 'neutron.policy.show': {
    readonly policy: QosPolicy;
  };
  readonly 'neutron.port.create': {
    readonly port: Port;
  } | {
    readonly ports: readonly Port[];
  };
  readonly 'neutron.port.list': {
    readonly ports: readonly Port[];
    readonly ports_links?: readonly {
      readonly rel: 'next' | 'previous';
      readonly href: string;
    }[];
  };
  readonly 'neutron.port.path': {
    readonly path: PathExplanation;
  };
  readonly 'neutron.port.show': {
    readonly port: Port;
  };
  readonly 'neutron.quota.show': {
    readonly quota: NetworkQuota;
  };
  readonly 'neutron.quota.show-details': {
    readonly quota: NetworkQuotaDetails;
  };
  readonly 'neutron.quota.show-details-json': {
    readonly quota: NetworkQuotaDetails;
  };
  readonly 'neutron.rbac-policy.list': {
    readonly rbac_policies: readonly RbacPolicy[];
    readonly rbac_policies_links?: readonly {
      readonly rel: 'next' | 'previous';
      readonly href: string;
    }[];
  };
  readonly 'neutron.router.list': {
    readonly routers: readonly Router[];
    readonly routers_links?: readonly {
      readonly rel: 'next' | 'previous';
      readonly href: string;
    }[];
  };
  readonly 'neutron.router.show': {
    readonly router: Router;
  };
  readonly 'neutron.security-group.list': {
    readonly security_groups: readonly SecurityGroup[];
    readonly security_groups_links?: readonly {
      readonly rel: 'next' | 'previous';
      readonly href: string;
    }[];
  };
  readonly 'neutron.security-group.show': {
    readonly security_group: SecurityGroup;
  };
  readonly 'neutron.subnet.list': {
    readonly subnets: readonly Subnet[];
    readonly subnets_links?: readonly {
      readonly rel: 'next' | 'previous';
      readonly href: string;
    }[];
  };
  readonly 'neutron.subnetpool.list': {
    readonly subnetpools: readonly SubnetPool[];
    readonly subnetpools_links?: readonly {
      readonly rel: 'next' | 'previous';
      readonly href: string;
    }[];
  };
  readonly 'neutron.trunk.list': {
    readonly trunks: readonly Trunk[];
    readonly trunks_links?: readonly {
      readonly rel: 'next' | 'previous';
      readonly href: string;
    }[];
  };
  readonly 'neutron.trunk.show': {
    readonly trunk: Trunk;
  };
  readonly 'nova.aggregate.list': {
    readonly aggregates: readonly Aggregate[];
  };
  readonly 'nova.availability-zone.detail': {
    readonly availabilityZoneInfo: readonly ComputeZone[];
  };
  readonly 'nova.availability-zone.list': {
    readonly availabilityZoneInfo: readonly ComputeZone[];
  };
  readonly 'nova.flavor-access.list': {
    readonly flavor_access: readonly FlavorAccess[];
  };
  readonly 'nova.flavor.detail': {
    readonly flavors: readonly Flavor[];
    readonly flavors_links?: readonly ComputeLink[];
  };
  readonly 'nova.flavor.show': {
    readonly flavor: Flavor;
  };
  readonly 'nova.hypervisor.detail@2.87': {
    readonly hypervisors: readonly HypervisorWithLoad[];
    readonly hypervisors_links?: readonly ComputeLink[];
  };
  readonly 'nova.hypervisor.show@2.87': {
    readonly hypervisor: HypervisorWithLoad;
  };
  readonly 'nova.instance_action.list': {
    readonly instanceActions: readonly ServerAction[];
    readonly links?: readonly ComputeLink[];
  };
  readonly 'nova.instance_action.show': {
    readonly instanceAction: ServerActionDetail;
  };
  readonly 'nova.interface.list': {
    readonly interfaceAttachments: readonly ServerInterface[];
  };
  readonly 'nova.keypair.create': {
    readonly keypair: CreatedKeyPair;
  };
  readonly 'nova.keypair.list': {
    readonly keypairs: readonly {
      readonly keypair: KeyPair;
    }[];
    readonly keypairs_links?: readonly ComputeLink[];
  };
  readonly 'nova.limits.show': {
    readonly limits: ComputeLimits;
  };
  readonly 'nova.migration.list': {
    readonly migrations: readonly Migration[];
    readonly migrations_links?: readonly ComputeLink[];
  };
  readonly 'nova.quota-set.detail': {
    readonly quota_set: ComputeQuotaSetDetail;
  };
  readonly 'nova.quota-set.show': {
    readonly quota_set: ComputeQuotaSet;
  };
  readonly 'nova.remote_console.create': {
    readonly remote_console: RemoteConsole;
  };
  readonly 'nova.server-group.list': {
    readonly server_groups: readonly ServerGroup[];
  };
  readonly 'nova.server.console_output': {
    readonly output: string;
  };
  readonly 'nova.server.create': {
    readonly server?: CreatedServer;
    readonly reservation_id?: string;
  };
  readonly 'nova.server.detail': {
    readonly servers: readonly Server[];
    readonly servers_links?: readonly ComputeLink[];
  };
  readonly 'nova.server.diagnostics': ServerDiagnostics;
  readonly 'nova.server.migration.list': {
    readonly migrations: readonly LiveMigration[];
  };
  readonly 'nova.server.rebuild': {
    readonly server: RebuiltServer;
  };
  readonly 'nova.server.rescue': {
    readonly adminPass: string;
  };
  readonly 'nova.server.security_groups': {
    readonly security_groups: readonly ComputeSecurityGroup[];
  };
  readonly 'nova.server.show': {
    readonly server: Server;
  };
  readonly 'nova.server_password.show': {
    readonly password: string;
  };
  readonly 'nova.server_usage.list': {
    readonly usages: readonly RecentServerUsage[];
  };
  readonly 'nova.service.list': {
    readonly services: readonly ComputeService[];
  };
  readonly 'nova.volume_attachment.list': {
    readonly volumeAttachments: readonly ServerVolumeAttachment[];
  };
  readonly 'placement.allocation_candidate.list': {
    readonly allocation_requests: readonly AllocationRequest[];
    readonly provider_summaries: Readonly<Record<string, ProviderSummary>>;
  };
}
