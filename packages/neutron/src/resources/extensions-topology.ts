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
];
