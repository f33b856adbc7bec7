import { CairnError } from '@cairn/kit/errors/errors';

/** As errors.ts, of what neutron's service plugins bring. */
const missing = (type: string, text: (id: string) => string) => (id: string) => new CairnError('NotFound', text(id), { type });
const bad = (type: string, message: string): CairnError => new CairnError('InvalidInput', message, { type });
const conflict = (type: string, message: string): CairnError => new CairnError('Conflict', message, { type });

// conntrack helpers
export const conntrackHelperNotFound = missing('ConntrackHelperNotFound', (id) => `Conntrack Helper ${id} could not be found.`);
export const conntrackHelperNotAllowed = (helper: string): CairnError => bad('ConntrackHelperNotAllowed', `Conntrack Helper ${helper} is not allowed.`);
export const invalidProtocolForHelper = (helper: string, protocol: string, supported: readonly string[]): CairnError =>
  bad('InvalidProtocolForHelper', `Conntrack Helper ${helper} does not support: ${protocol}. Supported protocols are: ${supported.join(', ')}`);

// metering
export const meteringLabelNotFound = missing('MeteringLabelNotFound', (id) => `Metering label '${id}' does not exist.`);
export const meteringRuleNotFound = missing('MeteringLabelRuleNotFound', (id) => `Metering label rule '${id}' does not exist.`);
export const meteringRuleOverlaps = (prefix: string): CairnError =>
  conflict('MeteringLabelRuleOverlaps', `Metering label rule with remote_ip_prefix '${prefix}' overlaps another.`);
/** Upstream's plain `Invalid`, which its API turns into 500; the text is the same. */
export const meteringRuleInvalid = (text: string): CairnError => bad('Invalid', text);

// logs of security groups
export const logNotFound = missing('LogResourceNotFound', (id) => `Log resource ${id} could not be found.`);
export const logResourceNotFound = missing('ResourceNotFound', (id) => `Resource ${id} could not be found.`);
export const logTargetNotFound = missing('TargetResourceNotFound', (id) => `Target resource ${id} could not be found.`);
export const invalidLogResourceType = (type: string): CairnError => bad('InvalidLogResourceType', `Invalid log resource_type: ${type}.`);
export const invalidLogConstraint = (groupId: string, portId: string): CairnError =>
  bad('InvalidResourceConstraint', `Invalid resource constraint between resource (security_group ${groupId}) and target resource (port ${portId}).`);

// NDP proxies
export const ndpProxyNotFound = missing('NDPProxyNotFound', (id) => `Ndp proxy ${id} could not be found.`);
export const gatewayInUseByNdpProxy = (routerId: string): CairnError =>
  conflict(
    'RouterGatewayInUseByNDPProxy',
    `Unable to unset external gateway of router ${routerId}, There are one or more ndp proxies still in use on the router.`,
  );
export const interfaceInUseByNdpProxy = (routerId: string, subnetId: string): CairnError =>
  conflict(
    'RouterInterfaceInUseByNDPProxy',
    `Unable to remove subnet ${subnetId} from router ${routerId}, There are one or more ndp proxies still in use on the subnet.`,
  );
export const addressScopesDiffer = (outside: string | null, inside: string | null): CairnError =>
  conflict(
    'AddressScopeConflict',
    `The IPv6 address scope ${outside ?? 'None'} of external network conflict with internal network's IPv6 address scope ${inside ?? 'None'}.`,
  );
export const routerGatewayNotValid = (routerId: string, reason: string): CairnError =>
  conflict('RouterGatewayNotValid', `Can not enable ndp proxy on router ${routerId}, ${reason}.`);
export const routerDoesNotProxy = (routerId: string): CairnError =>
  conflict('RouterNDPProxyNotEnable', `The enable_ndp_proxy parameter of router ${routerId} must be set as True while create ndp proxy entry on it.`);
export const portUnreachableByRouter = (portId: string, routerId: string): CairnError =>
  conflict('PortUnreachableRouter', `The port ${portId} cannot reach the router ${routerId} by IPv6 subnet.`);
export const invalidNdpAddress = (address: string, reason: string): CairnError =>
  bad('InvalidAddress', `The address ${address} is invalid, reason: ${reason}.`);
export const ipv6GatewayInUse = (routerId: string): CairnError =>
  conflict(
    'RouterIPv6GatewayInUse',
    `Can't remove the IPv6 subnet from external gateway of router ${routerId}, the IPv6 subnet in use by the router's ndp proxy.`,
  );
export const ndpProxyExists = (routerId: string, address: string): CairnError =>
  conflict(
    'NeutronDbObjectDuplicateEntry',
    `Failed to create a duplicate NDPProxy: for attribute(s) ['router_id', 'ip_address'] with value(s) ${routerId}-${address}`,
  );

// local IPs
export const localIpNotFound = missing('LocalIPNotFound', (id) => `Local IP ${id} could not be found.`);
export const localIpInUse = (id: string): CairnError => conflict('LocalIPInUse', `Local IP ${id} is still associated with one or more ports.`);
export const localIpNoAddress = (portId: string): CairnError => bad('LocalIPNoIP', `Specified Port ${portId} has no fixed IPs configured.`);
export const localIpWrongAddress = (portId: string, ip: string): CairnError =>
  bad('LocalIPRequestedIPNotFound', `Specified Port ${portId} does not have requested IP address: ${ip}.`);
export const localIpUnclear = (portId: string): CairnError =>
  bad('LocalIPNoRequestedIP', `Specified Port ${portId} has several IPs, should specify exact IP address to use for Local IP.`);
export const localIpNoPort = (): CairnError => bad('LocalIPPortOrNetworkRequired', 'Either Port ID or Network ID must be specified for Local IP create.');
export const localIpPortNotFound = (localIpId: string, portId: string): CairnError =>
  new CairnError('NotFound', `Local IP ${localIpId} association with port ${portId} could not be found.`, { type: 'LocalIPAssociationNotFound' });
/** Upstream answers 500 here. */
export const localIpExists = (localIpId: string, portId: string): CairnError =>
  conflict('NeutronDbObjectDuplicateEntry', `Local IP ${localIpId} association to port ${portId} already exists.`);
export const localIpPortInUse = (portId: string): CairnError =>
  conflict('ServicePortInUse', `Port ${portId} cannot be deleted directly via the port API: still referenced by Local IPs.`);
