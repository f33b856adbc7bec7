import { type Extension, extension } from './extension.ts';

/** What is there of flavors, segments, ranges and several gateways: as in extensions.ts, an alias is here only if everything it promises is. */
export const TOPOLOGY_EXTENSIONS: readonly Extension[] = [
  extension('flavors', 'Neutron Service Flavors', 'Flavor specification for Neutron advanced services.', '2015-09-17T10:00:00-00:00'),
  extension('l3-flavors', 'Router Flavor Extension', 'Flavor support for routers.', '2016-05-17T00:00:00-00:00'),
  extension(
    'external-gateway-multihoming',
    'Neutron L3 External Gateway Multihoming',
    'Allow multiple external gateway ports per router',
    '2023-01-18T00:00:00-00:00',
  ),
  extension('enable-default-route-ecmp', 'Enable Default Route ECMP', 'Enables configurable ECMP behavior for default routes', '2023-02-27T00:00:00-00:00'),
  extension(
    'security-groups-default-statefulness',
    'Security Groups Default Statefulness',
    "Allows configuring the default value of the 'stateful' attribute for new security groups, on a per-project or system-wide basis",
    '2026-04-13T00:00:00-00:00',
  ),
  extension('l2_adjacency', 'L2 Adjacency', 'Display L2 Adjacency for Neutron Networks.', '2016-04-12T16:00:00-00:00'),
  extension('multi-provider', 'Multi Provider Network', 'Expose mapping of virtual networks to multiple physical networks', '2013-06-27T10:00:00-00:00'),
  extension('network-segment-range', 'Neutron Network Segment Range', 'Provides support for the network segment range management', '2018-11-29T00:00:00-00:00'),
  extension('segment', 'Segment', 'Segments extension.', '2016-02-24T17:00:00-00:00'),
  extension(
    'segments-peer-subnet-host-routes',
    'Segments peer-subnet host routes',
    'Add host routes to subnets on a routed network (segments)',
    '2018-06-12T10:00:00-00:00',
  ),
  extension('standard-attr-segment', 'Standard Attribute Segment Extension', 'Add standard attributes to Segment resource', '2018-04-09T10:00:00-00:00'),
  extension('subnet-segmentid-enforce', 'Subnet SegmentID (policy enforced)', 'Enforce segment_id policy rule.', '2018-09-04T00:00:00-00:00'),
  extension(
    'subnet-segmentid-writable',
    'Subnet SegmentID (writable)',
    'Provides a writable segment_id attribute for a subnet resource.',
    '2018-03-12T00:00:00-00:00',
  ),
];
