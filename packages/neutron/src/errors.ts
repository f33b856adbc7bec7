import { CairnError, type ErrorKind } from '@cairn/kit/errors/errors';
import { pyRepr, pyStr } from './net/python-text.ts';

/**
 * Neutron's exceptions, by upstream's class name (the `type` of the NeutronError envelope), each with upstream's text.
 * neutron_lib/exceptions, neutron/extensions/*, neutron/ipam/exceptions.py.
 */
const make =
  (kind: ErrorKind, type: string) =>
  (message: string): CairnError =>
    new CairnError(kind, message, { type });

const missing = (type: string, text: (id: string) => string) => (id: string) => new CairnError('NotFound', text(id), { type });
const inUse = make.bind(undefined, 'Conflict');
const bad = make.bind(undefined, 'InvalidInput');

/** webob's HTTPBadRequest: what the attribute checks raise. */
export const httpBadRequest = bad('HTTPBadRequest');
/** `Bad <resource> request: <msg>.` */
export const badRequest = (resource: string, text: string): CairnError => bad('BadRequest')(`Bad ${resource} request: ${text}.`);
/** `Invalid input for operation: <msg>.` */
export const invalidInput = (text: string, type = 'InvalidInput'): CairnError => bad(type)(`Invalid input for operation: ${text}.`);
/** webob's HTTPNotFound; `plain` is the form without the envelope that a GET refused by policy gets. */
export const resourceNotFound = (): CairnError => new CairnError('NotFound', 'The resource could not be found.', { type: 'HTTPNotFound' });
export const PLAIN_NOT_FOUND = 'PlainNotFound';
export const refusedByPolicy = (): CairnError => new CairnError('NotFound', 'The resource could not be found.', { type: PLAIN_NOT_FOUND });
/** Python's NotImplementedError, which has an envelope of its own. */
export const NOT_IMPLEMENTED = 'NotImplementedError';
export const notImplemented = (text: string): CairnError => new CairnError('NotImplemented', text, { type: NOT_IMPLEMENTED });
/** webob's HTTPMethodNotAllowed, on paths that are there for nothing else. */
export const methodNotAllowed = (): CairnError => new CairnError('MethodNotAllowed', 'The method specified is not allowed for this resource.');
export const policyNotAuthorized = (rule: string): CairnError =>
  new CairnError('Forbidden', `${rule} is disallowed by policy`, { type: 'PolicyNotAuthorized' });
export const notAuthorized = (): CairnError => new CairnError('Forbidden', 'Not authorized.', { type: 'NotAuthorized' });
export const adminRequired = (reason: string): CairnError =>
  new CairnError('Forbidden', `User does not have admin privileges: ${reason}.`, { type: 'AdminRequired' });

// rules that security groups begin with
export const defaultRuleNotFound = missing('DefaultSecurityGroupRuleNotFound', (id) => `Default Security Group rule ${id} does not exist`);
export const defaultRuleExists = (id: string): CairnError =>
  inUse('DefaultSecurityGroupRuleExists')(`Default Security group rule already exists. Rule id is ${id}.`);

// address groups
export const addressGroupNotFound = missing('AddressGroupNotFound', (id) => `Address group ${id} could not be found.`);
export const addressGroupInUse = (id: string): CairnError => inUse('AddressGroupInUse')(`Address group ${id} is in use on one or more security group rules.`);
export const addressesNotFound = (addresses: readonly string[], id: string): CairnError =>
  new CairnError('NotFound', `Addresses ${pyRepr(addresses)} not found in the address group ${id}.`, { type: 'AddressesNotFound' });
export const addressesAlreadyExist = (addresses: readonly string[], id: string): CairnError =>
  bad('AddressesAlreadyExist')(`Addresses ${pyRepr(addresses)} already exist in the address group ${id}.`);

// networks, subnets, pools
export const networkNotFound = missing('NetworkNotFound', (id) => `Network ${id} could not be found.`);
export const networkInUse = (id: string, portIds: readonly string[]): CairnError =>
  inUse('NetworkInUse')(
    `Unable to complete operation on network ${id}. There are one or more ports still in use on the network, id for these ports is: ${portIds.join(',')}.`,
  );
export const subnetNotFound = missing('SubnetNotFound', (id) => `Subnet ${id} could not be found.`);
export const subnetInUse = (id: string, reason = 'One or more ports have an IP allocation from this subnet'): CairnError =>
  inUse('SubnetInUse')(`Unable to complete operation on subnet ${id}: ${reason}.`);
export const invalidSharedSetting = (network: string): CairnError =>
  inUse('InvalidSharedSetting')(`Unable to reconfigure sharing settings for network ${network}. Multiple projects are using it.`);
export const externalNetworkInUse = (id: string): CairnError =>
  inUse('ExternalNetworkInUse')(`External network ${id} cannot be updated to be made non-external, since it has existing gateway ports.`);
export const defaultExternalNetworkExists = (id: string): CairnError =>
  bad('DefaultExternalNetworkExists')(`A default external network already exists: ${id}.`);
export const mtuConflict = (id: string, mtu: number): CairnError =>
  inUse('NetworkMTUSubnetConflict')(`MTU of ${id} is not valid, subnet requires a minimum of ${mtu}`);
export const vlanInUse = (vlan: number, physical: string): CairnError =>
  inUse('VlanIdInUse')(`Unable to create the network. The VLAN ${vlan} on physical network ${physical} is in use.`);
export const tunnelInUse = (id: number): CairnError => inUse('TunnelIdInUse')(`Unable to create the network. The tunnel ID ${id} is in use.`);
export const flatInUse = (physical: string): CairnError =>
  inUse('FlatNetworkInUse')(`Unable to create the flat network. Physical network ${physical} is in use.`);
export const invalidAllocationPool = (pool: string): CairnError => bad('InvalidAllocationPool')(`The allocation pool ${pool} is not valid.`);
export const outOfBoundsPool = (pool: string, cidr: string): CairnError =>
  bad('OutOfBoundsAllocationPool')(`The allocation pool ${pool} spans beyond the subnet cidr ${cidr}.`);
export const overlappingPools = (a: string, b: string, cidr: string): CairnError =>
  inUse('OverlappingAllocationPools')(`Found overlapping allocation pools: ${a} ${b} for subnet ${cidr}.`);
export const gatewayConflictsWithPool = (ip: string, pool: string): CairnError =>
  inUse('GatewayConflictWithAllocationPools')(`Gateway ip ${ip} conflicts with allocation pool ${pool}.`);
export const gatewayIpInUse = (ip: string, portId: string): CairnError =>
  inUse('GatewayIpInUse')(`Current gateway ip ${ip} already in use by port ${portId}. Unable to update.`);
export const dnsServersExhausted = (subnet: string, quota: number): CairnError =>
  bad('DNSNameServersExhausted')(`Unable to complete operation for ${subnet}. The number of DNS nameservers exceeds the limit ${quota}.`);
export const hostRoutesExhausted = (subnet: string, quota: number): CairnError =>
  bad('HostRoutesExhausted')(`Unable to complete operation for ${subnet}. The number of host routes exceeds the limit ${quota}.`);
export const subnetPoolNotFound = missing('SubnetPoolNotFound', (id) => `Subnet pool ${id} could not be found.`);
export const subnetPoolAffinity = (): CairnError =>
  bad('NetworkSubnetPoolAffinityError')('Subnets hosted on the same network must be allocated from the same subnet pool.');
export const poolError = (type: string, text: string): CairnError => bad(type)(text);
export const illegalPoolUpdate = (reason: string): CairnError => bad('IllegalSubnetPoolUpdate')(`Illegal subnetpool update : ${reason}.`);
export const illegalPoolBounds = (type: string, length: number, base: string, baseLength: number): CairnError =>
  bad('IllegalSubnetPoolPrefixBounds')(`Illegal prefix bounds: ${type}=${length}, ${base}=${baseLength}.`);
export const subnetAllocationFailed = (reason: string): CairnError =>
  new CairnError('Internal', `Failed to allocate subnet: ${reason}.`, { type: 'SubnetAllocationError' });
export const subnetPoolQuotaExceeded = (): CairnError => inUse('SubnetPoolQuotaExceeded')('Per-project subnet pool prefix quota exceeded.');
export const addressScopeNotFound = missing('AddressScopeNotFound', (id) => `Address scope ${id} could not be found.`);
export const addressScopeUpdateFailed = (id: string, reason: string): CairnError =>
  bad('AddressScopeUpdateError')(`Unable to update address scope ${id} : ${reason}.`);
export const addressScopeConflict = (): CairnError =>
  inUse('AddressScopePrefixConflict')('Failed to associate address scope: subnetpools within an address scope must have unique prefixes.');
export const addressScopeAffinity = (): CairnError =>
  bad('NetworkAddressScopeAffinityError')('Subnets of the same address family hosted on the same network must all participate in the same address scope.');
export const addressScopeInUse = (id: string): CairnError =>
  inUse('AddressScopeInUse')(`Unable to complete operation on address scope ${id}. There are one or more subnet pools in use on the address scope.`);

// ports and addresses
export const portNotFound = missing('PortNotFound', (id) => `Port ${id} could not be found.`);
export const portInUse = (portId: string, networkId: string, deviceId: string): CairnError =>
  inUse('PortInUse')(`Unable to complete operation on port ${portId} for network ${networkId}. Port already has an attached device ${deviceId}.`);
export const portBound = (portId: string, vifType: string, oldMac: string, newMac: string): CairnError =>
  inUse('PortBound')(`Unable to complete operation on port ${portId}, port is already bound, port type: ${vifType}, old_mac ${oldMac}, new_mac ${newMac}.`);
export const servicePortInUse = (portId: string, owner: string): CairnError =>
  inUse('ServicePortInUse')(`Port ${portId} cannot be deleted directly via the port API: has device owner ${owner}.`);
export const unsupportedPortDeviceOwner = (op: string, owner: string, portId: string): CairnError =>
  inUse('UnsupportedPortDeviceOwner')(`Operation ${op} is not supported for device_owner ${owner} on port ${portId}.`);
export const deviceIdNotOwned = (deviceId: string): CairnError =>
  inUse('DeviceIDNotOwnedByTenant')(`The following device_id ${deviceId} is not owned by your project or matches another project router.`);
export const macInUse = (networkId: string, mac: string): CairnError =>
  inUse('MacAddressInUse')(`Unable to complete operation for network ${networkId}. The mac address ${mac} is in use.`);
export const ipAlreadyAllocated = (ip: string, subnetId: string): CairnError =>
  inUse('IpAddressAlreadyAllocated')(`IP address ${ip} already allocated in subnet ${subnetId}`);
export const noMoreAddresses = (networkId: string): CairnError =>
  inUse('IpAddressGenerationFailure')(`No more IP addresses available on network ${networkId}.`);
export const noServiceSubnet = (networkId: string, owner: string): CairnError =>
  inUse('IpAddressGenerationFailureNoMatchingSubnet')(`No valid service subnet for the given device owner, network ${networkId}, service type ${owner}.`);
export const invalidIpForNetwork = (ip: string): CairnError =>
  bad('InvalidIpForNetwork')(`IP address ${ip} is not a valid IP for any of the subnets on the specified network.`);
export const invalidIpForSubnet = (ip: string): CairnError => bad('InvalidIpForSubnet')(`IP address ${ip} is not a valid IP for the specified subnet.`);
export const externalAddressesExhausted = (networkId: string): CairnError =>
  bad('ExternalIpAddressExhausted')(`Unable to find any IP address on external network ${networkId}.`);
export const addressPairNeedsPortSecurity = (): CairnError =>
  inUse('AddressPairAndPortSecurityRequired')('Port Security must be enabled in order to have allowed address pairs on a port.');
export const portSecurityHasGroups = (): CairnError =>
  inUse('PortSecurityPortHasSecurityGroup')('Port has security group associated. Cannot disable port security or IP address until security group is removed.');
export const groupsNeedPortSecurity = (): CairnError =>
  invalidInputText(
    'PortSecurityAndIPRequiredForSecurityGroups',
    'Port security must be enabled and port must have an IP address in order to use security groups.',
  );
/** InvalidInput subclasses whose text stands alone. */
export const invalidInputText = (type: string, text: string): CairnError => bad(type)(text);

// routers and floating IPs
export const routerNotFound = missing('RouterNotFound', (id) => `Router ${id} could not be found`);
export const routerInUse = (id: string, reason: string): CairnError => inUse('RouterInUse')(`Router ${id} ${reason}`);
export const routerInterfaceNotFound = (id: string, portId: string): CairnError =>
  new CairnError('NotFound', `Router ${id} does not have an interface with id ${portId}`, { type: 'RouterInterfaceNotFound' });
export const routerInterfaceNotFoundForSubnet = (id: string, subnetId: string): CairnError =>
  new CairnError('NotFound', `Router ${id} has no interface on subnet ${subnetId}`, { type: 'RouterInterfaceNotFoundForSubnet' });
export const interfaceInUseByFloatingIp = (id: string, subnetId: string): CairnError =>
  inUse('RouterInterfaceInUseByFloatingIP')(
    `Router interface for subnet ${subnetId} on router ${id} cannot be deleted, as it is required by one or more floating IPs.`,
  );
export const interfaceInUseByRoute = (id: string, subnetId: string): CairnError =>
  inUse('RouterInterfaceInUseByRoute')(`Router interface for subnet ${subnetId} on router ${id} cannot be deleted, as it is required by one or more routes.`);
export const gatewayInUseByFloatingIp = (id: string, networkId: string): CairnError =>
  inUse('RouterExternalGatewayInUseByFloatingIp')(
    `Gateway cannot be updated for router ${id}, since a gateway to external network ${networkId} is required by one or more floating IPs.`,
  );
export const unableToMatchGateways = (routerId: string, reason: string): CairnError =>
  bad('UnableToMatchGateways')(`Unable to match a requested gateway port to existing gateway ports for router ${routerId}: ${reason}`);
export const unableToRemoveGateways = (routerId: string, reason: string): CairnError =>
  bad('UnableToRemoveGateways')(`Unable to remove extra gateways from a router ${routerId}: ${reason}`);
export const subnetMismatchForPort = (portId: string, subnetId: string): CairnError =>
  bad('SubnetMismatchForPort')(`Subnet on port ${portId} does not match the requested subnet ${subnetId}.`);
export const invalidRoutes = (routes: unknown, reason: string): CairnError =>
  invalidInputText('InvalidRoutes', `Invalid format for routes: ${pyRepr(routes)}, ${reason}`);
export const floatingIpNotFound = missing('FloatingIPNotFound', (id) => `Floating IP ${id} could not be found`);
export const externalGatewayNotFound = (networkId: string, subnetId: string, portId: string): CairnError =>
  new CairnError(
    'NotFound',
    `External network ${networkId} is not reachable from subnet ${subnetId}.  Therefore, cannot associate Port ${portId} with a Floating IP.`,
    { type: 'ExternalGatewayForFloatingIPNotFound' },
  );
export const portAlreadyAssociated = (floatingIp: string, id: string, portId: string, fixedIp: string, networkId: string): CairnError =>
  inUse('FloatingIPPortAlreadyAssociated')(
    `Cannot associate floating IP ${floatingIp} (${id}) with port ${portId} using fixed IP ${fixedIp}, as that fixed IP already has a floating IP on external network ${networkId}.`,
  );

// security groups
export const groupNotFound = missing('SecurityGroupNotFound', (id) => `Security group ${id} does not exist`);
export const groupInUse = (id: string): CairnError => inUse('SecurityGroupInUse')(`Security Group ${id} in use.`);
export const cannotRemoveDefaultGroup = (): CairnError => inUse('SecurityGroupCannotRemoveDefault')('Insufficient rights for removing default security group.');
export const cannotUpdateDefaultGroup = (): CairnError => inUse('SecurityGroupCannotUpdateDefault')('Updating default security group not allowed.');
export const defaultGroupExists = (): CairnError => inUse('SecurityGroupDefaultAlreadyExists')('Default security group already exists.');
export const groupConflict = (reason: string): CairnError => inUse('SecurityGroupConflict')(`Error ${reason} while attempting the operation.`);
export const ruleNotFound = missing('SecurityGroupRuleNotFound', (id) => `Security group rule ${id} does not exist`);
export const ruleExists = (id: string): CairnError => inUse('SecurityGroupRuleExists')(`Security group rule already exists. Rule id is ${id}.`);
export const duplicateRuleInPost = (): CairnError => inUse('DuplicateSecurityGroupRuleInPost')('Duplicate Security Group Rule in POST.');

// quotas, tags, sharing, agents
export const overQuota = (resources: readonly string[]): CairnError => inUse('OverQuota')(`Quota exceeded for resources: ${pyRepr([...resources].sort())}.`);
export const projectQuotaNotFound = missing('TenantQuotaNotFound', (id) => `Quota for project ${id} could not be found.`);
export const tagNotFound = missing('TagNotFound', (tag) => `Tag ${tag} could not be found.`);
export const rbacNotFound = missing('RbacPolicyNotFound', (id) => `RBAC policy of type unknown with ID ${id} not found`);
export const rbacInUse = (objectId: string, details: string): CairnError =>
  inUse('RbacPolicyInUse')(`RBAC policy on object ${objectId} cannot be removed because other objects depend on it.\nDetails: ${details}`);
export const duplicateRbac = (): CairnError => inUse('DuplicateRbacPolicy')('An RBAC policy already exists with those values.');
export const agentNotFound = missing('AgentNotFound', (id) => `Agent ${id} could not be found.`);
export const zoneNotFound = missing('AvailabilityZoneNotFound', (zone) => `AvailabilityZone ${zone} could not be found.`);
export const revisionMismatch = (expected: number, current: number): CairnError =>
  new CairnError('PreconditionFailed', `Constrained to ${expected}, but current revision is ${current}`, { type: 'RevisionNumberConstraintFailed' });

// quality of service
export const qosPolicyNotFound = missing('QosPolicyNotFound', (id) => `QoS policy ${id} could not be found.`);
export const qosRuleNotFound = (id: string, policyId: string): CairnError =>
  new CairnError('NotFound', `QoS rule ${id} for policy ${policyId} could not be found.`, { type: 'QosRuleNotFound' });
export const qosRuleTypeNotFound = (type: string): CairnError =>
  bad('InvalidInput')(`Invalid input for operation: '${type}' is not a known type of QoS rules.`);
export const defaultQosPolicyExists = (projectId: string): CairnError =>
  inUse('QoSPolicyDefaultAlreadyExists')(`A default QoS policy exists for project ${projectId}.`);
export const qosPolicyInUse = (id: string, kind: string, objectId: string): CairnError =>
  inUse('QosPolicyInUse')(`QoS Policy ${id} is used by ${kind} ${objectId}.`);
export const qosParameterConflict = (value: unknown, policyId: string, type: string, existing: unknown): CairnError =>
  inUse('QoSRuleParameterConflict')(
    `Unable to add the rule with value ${pyStr(value)} to the policy ${policyId} as the existing rule of type ${type} has value ${pyStr(existing)}.`,
  );
export const qosRulesConflict = (newType: string, ruleId: string, policyId: string): CairnError =>
  inUse('QoSRulesConflict')(`Rule ${newType} conflicts with rule ${ruleId} which already exists in QoS Policy ${policyId}.`);
/** What placement has given out for a server must not change behind its back. */
export const qosBackedByPlacement = (): CairnError => notImplemented('Cannot update QoS policies/rules backed by resources tracked in Placement');
export const qosRemoveNotAllowed = (id: string): CairnError =>
  new CairnError('Forbidden', `Failed to remove provided policy ${id} because you are not authorized.`, { type: 'PolicyRemoveAuthorizationError' });

// port forwardings
export const portForwardingNotFound = missing('PortForwardingNotFound', (id) => `Port Forwarding ${id} could not be found.`);
export const floatingIpInUseByForwarding = (id: string): CairnError =>
  inUse('FipInUseByPortForwarding')(`Floating IP ${id} in use by Port Forwarding resources.`);
export const portHasFloatingIp = (floatingIp: string, id: string, portId: string, fixedIp: string): CairnError =>
  inUse('PortHasBindingFloatingIP')(
    `Cannot create port forwarding to floating IP ${floatingIp} (${id}) with port ${portId} using fixed IP ${fixedIp}, as that port already has a binding floating IP.`,
  );

// trunks
export const trunkNotFound = missing('TrunkNotFound', (id) => `Trunk ${id} could not be found.`);
export const subportNotFound = (portId: string, trunkId: string): CairnError =>
  new CairnError('NotFound', `SubPort ${portId} on trunk ${trunkId} could not be found.`, { type: 'SubPortNotFound' });
export const trunkPortInUse = (portId: string): CairnError => inUse('TrunkPortInUse')(`Port ${portId} is in use by another trunk.`);
export const parentPortInUse = (portId: string): CairnError =>
  inUse('ParentPortInUse')(`Port ${portId} is currently in use and is not eligible for use as a parent port.`);
export const duplicateSubport = (type: string, segment: number, trunkId: string): CairnError =>
  inUse('DuplicateSubPort')(`segmentation_type ${type} and segmentation_id ${segment} already in use on trunk ${trunkId}.`);
export const subportMtuTooGreat = (portId: string, mtu: number, trunkId: string, trunkMtu: number): CairnError =>
  inUse('SubPortMtuGreaterThanTrunkPortMtu')(`MTU ${mtu} of subport ${portId} cannot be greater than MTU ${trunkMtu} of trunk ${trunkId}.`);
export const portIsTrunkParent = (portId: string, trunkId: string): CairnError =>
  inUse('PortInUseAsTrunkParent')(`Port ${portId} is currently a parent port for trunk ${trunkId}.`);
export const portIsSubport = (portId: string, trunkId: string): CairnError =>
  inUse('PortInUseAsSubPort')(`Port ${portId} is currently a subport for trunk ${trunkId}.`);
export const trunkDisabled = (id: string): CairnError => inUse('TrunkDisabled')(`Trunk ${id} is currently disabled.`);

// what is served where
export const autoAllocationFailure = (reason: string): CairnError => inUse('AutoAllocationFailure')(`Deployment error: ${reason}.`);
export const bindingNotFound = (portId: string, host: string): CairnError =>
  new CairnError('NotFound', `Binding for port ${portId} for host ${host} could not be found.`, { type: 'PortBindingNotFound' });
export const bindingActive = (portId: string, host: string): CairnError =>
  inUse('PortBindingAlreadyActive')(`Binding for port ${portId} on host ${host} is already active.`);
export const bindingExists = (portId: string, host: string): CairnError =>
  inUse('PortBindingAlreadyExists')(`Binding for port ${portId} on host ${host} already exists.`);
export const bindingFailed = (portId: string, host: string): CairnError =>
  new CairnError('Internal', `Binding for port ${portId} on host ${host} could not be created or updated.`, { type: 'PortBindingError' });
export const invalidDhcpAgent = missing('InvalidDHCPAgent', (id) => `Agent ${id} is not a valid DHCP Agent or has been disabled.`);
export const networkHosted = (networkId: string, agentId: string): CairnError =>
  inUse('NetworkHostedByDHCPAgent')(`The network ${networkId} has been already hosted by the DHCP Agent ${agentId}.`);
export const networkNotHosted = (networkId: string, agentId: string): CairnError =>
  inUse('NetworkNotHostedByDhcpAgent')(`The network ${networkId} is not hosted by the DHCP Agent ${agentId}.`);
export const invalidL3Agent = missing('InvalidL3Agent', (id) => `Agent ${id} is not a L3 Agent or has been disabled`);
export const routerHosted = (routerId: string, agentId: string): CairnError =>
  inUse('RouterHostedByL3Agent')(`The router ${routerId} has been already hosted by the L3 Agent ${agentId}.`);
export const routerNotHosted = (routerId: string, agentId: string): CairnError =>
  inUse('RouterNotHostedByL3Agent')(`The router ${routerId} is not hosted by the L3 Agent ${agentId}.`);
/** The host of the agent is not there. */
export const schedulingFailed = (kind: 'router' | 'network', id: string, agentId: string): CairnError =>
  kind === 'router'
    ? inUse('RouterSchedulingFailed')(`Failed scheduling router ${id} to the L3 Agent ${agentId}.`)
    : inUse('NetworkSchedulingFailed')(`The network ${id} cannot be given to the DHCP Agent ${agentId}: its host is not there.`);

// flavors
export const flavorNotFound = missing('FlavorNotFound', (id) => `Flavor ${id} could not be found.`);
export const flavorInUse = (id: string): CairnError => inUse('FlavorInUse')(`Flavor ${id} is used by some service instance.`);
export const serviceProfileNotFound = missing('ServiceProfileNotFound', (id) => `Service Profile ${id} could not be found.`);
export const serviceProfileInUse = (id: string): CairnError => inUse('ServiceProfileInUse')(`Service Profile ${id} is used by some service instance.`);
export const serviceProfileDriverNotFound = missing('ServiceProfileDriverNotFound', (driver) => `Service Profile driver ${driver} could not be found.`);
export const serviceProfileEmpty = (): CairnError => invalidInputText('ServiceProfileEmpty', 'Service Profile needs either a driver or metainfo.');
export const serviceProfileDisabled = (): CairnError => new CairnError('Unavailable', 'Service Profile is not enabled.', { type: 'ServiceProfileDisabled' });
export const profileAlreadyTied = (profileId: string, flavorId: string): CairnError =>
  inUse('FlavorServiceProfileBindingExists')(`Service Profile ${profileId} is already associated with flavor ${flavorId}.`);
export const profileNotTied = (profileId: string, flavorId: string): CairnError =>
  new CairnError('NotFound', `Service Profile ${profileId} is not associated with flavor ${flavorId}.`, { type: 'FlavorServiceProfileBindingNotFound' });

// the default statefulness of security groups
export const statefulnessNotFound = missing(
  'SecurityGroupDefaultStatefulnessNotFound',
  (id) => `Security group default statefulness ${id} could not be found.`,
);
export const statefulnessExists = (project: string): CairnError =>
  inUse('SecurityGroupDefaultStatefulnessAlreadyExists')(`A security group default statefulness setting already exists for project '${project}'.`);

// segments and their ranges
export const segmentNotFound = missing('SegmentNotFound', (id) => `Segment ${id} could not be found.`);
const segmentInUseBecause = (id: string, reason: string): CairnError => inUse('SegmentInUse')(`Segment '${id}' cannot be deleted: ${reason}.`);
export const segmentHasSubnets = (id: string, subnets: readonly string[]): CairnError =>
  segmentInUseBecause(id, `The segment is still associated with subnet(s) ${subnets.join(', ')}`);
export const segmentHasPorts = (id: string, count: number): CairnError => segmentInUseBecause(id, `The segment is still bound with ${count} port(s)`);
export const segmentsAndProvider = (): CairnError =>
  invalidInputText('SegmentsSetInConjunctionWithProviders', 'Segments and provider values cannot both be set.');
export const duplicateSegments = (): CairnError => invalidInputText('SegmentsContainDuplicateEntry', 'Duplicate segment entry in request.');
export const noNetworkAvailable = (): CairnError =>
  new CairnError('Unavailable', 'Unable to create the network. No project network is available for allocation.', { type: 'NoNetworkAvailable' });
export const subnetsNotAllOnSegments = (networkId: string): CairnError =>
  bad('SubnetsNotAllAssociatedWithSegments')(
    `All of the subnets on network '${networkId}' must either all be associated with segments or all not associated with any segment.`,
  );
export const segmentAssociationStays = (): CairnError =>
  bad('SubnetSegmentAssociationChangeNotAllowed')('A subnet that is already associated with a segment cannot have its segment association changed.');
export const severalSegments = (networkId: string): CairnError =>
  bad('NoUpdateSubnetWhenMultipleSegmentsOnNetwork')(
    `The network '${networkId}' has multiple segments, it is only possible to associate an existing subnet with a segment on networks with a single segment.`,
  );
export const segmentOfOtherNetwork = (networkId: string, segmentId: string): CairnError =>
  bad('NetworkIdsDontMatch')(`The subnet's network id, '${networkId}', doesn't match the network_id of segment '${segmentId}'`);
export const hostOnNoSegment = (host: string, networkId: string): CairnError =>
  inUse('HostNotConnectedToAnySegment')(
    `Host ${host} is not connected to any segments on routed provider network '${networkId}'.  It should be connected to one.`,
  );
export const hostNotCompatible = (host: string, portId: string): CairnError =>
  inUse('HostNotCompatibleWithFixedIps')(
    `Host ${host} is not connected to a segment where the existing fixed_ips on port ${portId} will function given the routed network topology.`,
  );
export const segmentRangeNotFound = missing('NetworkSegmentRangeNotFound', (id) => `Network Segment Range ${id} could not be found.`);
export const rangeIsUsed = (id: string): CairnError =>
  inUse('NetworkSegmentRangeReferencedByProject')(`Network Segment Range ${id} is referenced by one or more project networks.`);
export const rangeIsDefault = (id: string): CairnError =>
  bad('NetworkSegmentRangeDefaultReadOnly')(`Network Segment Range ${id} is a default segment range which could not be updated or deleted.`);
export const rangesOverlap = (ids: readonly string[]): CairnError =>
  inUse('NetworkSegmentRangeOverlaps')(`Network segment range overlaps with range(s) with id ${ids.join(', ')}`);
export const rangeOfTypeNotSupported = (type: string): CairnError =>
  bad('NetworkSegmentRangeNetTypeNotSupported')(`Network type ${type} does not support network segment ranges.`);
export const vlanRangeInvalid = (first: number, last: number, reason: string): CairnError =>
  bad('NetworkVlanRangeError')(`Invalid network VLAN range: '${first}:${last}' - '${reason}'.`);
export const tunnelRangeInvalid = (first: number, last: number, reason: string): CairnError =>
  bad('NetworkTunnelRangeError')(`Invalid network tunnel range: '${first}:${last}' - ${reason}.`);
