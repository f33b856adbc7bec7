import { type Extension, extension } from './extension.ts';

/** What upstream's service plugins bring: as in extensions.ts, an alias is here only if everything it promises is. */
export const SERVICE_EXTENSIONS: readonly Extension[] = [
  extension('qos', 'Quality of Service', 'The Quality of Service extension.', '2015-06-08T10:00:00-00:00'),
  extension(
    'qos-bw-limit-direction',
    'Direction for QoS bandwidth limit rule',
    'Allow to configure QoS bandwidth limit rule with specific direction: ingress or egress',
    '2017-04-10T10:00:00-00:00',
  ),
  extension(
    'qos-bw-minimum-ingress',
    'Ingress direction for QoS minimum bandwidth rule',
    'Allow to configure QoS minumum bandwidth rule with ingress direction.',
    '2018-07-09T10:00:00-00:00',
  ),
  extension('qos-default', 'QoS default policy', 'Expose the QoS default policy per project', '2017-041-06T10:00:00-00:00'),
  extension('qos-fip', 'Floating IP QoS', 'The floating IP Quality of Service extension', '2017-07-20T00:00:00-00:00'),
  extension(
    'qos-fip-network-policy',
    'QoS floating IP network policy ID',
    'Adds a the QoS network ID to the floating IP definition',
    '2021-11-15T10:00:00-00:00',
  ),
  extension('qos-gateway-ip', 'Router gateway IP QoS', 'The Router gateway IP Quality of Service extension', '2018-02-24T00:00:00-00:00'),
  extension(
    'qos-rule-type-details',
    'Details of QoS rule types',
    'Expose details about QoS rule types supported by loaded backend drivers',
    '2017-06-22T10:00:00-00:00',
  ),
  extension(
    'qos-rule-type-filter',
    'Allow to filter the list of QoS rule types',
    'Allows to filter the QoS rule type list adding two new flags. "all_rules" prints all implemented QoS rule types."all_supported" prints all supported QoS rule types by the loaded mechanism drivers',
    '2022-02-02T10:00:00-00:00',
  ),
  extension(
    'qos-rules-alias',
    'Quality of Service rules alias API',
    'API to enable GET, PUT and DELETE operations on QoS policy rules without specifying policy ID',
    '2018-10-07T10:00:00-00:00',
  ),
  extension('qos-pps', 'QoS Rule Type Packet per Second Extension', 'Add QoS Rule Type Packet per Second', '2021-05-12T10:00:00-00:00'),
  extension('qos-pps-minimum', 'QoS minimum packet rate rule', 'Allow to configure QoS minimum packet rate rule.', '2021-07-14T10:00:00-00:00'),
  extension(
    'qos-pps-minimum-rule-alias',
    'QoS minimum packet rate rule alias',
    'API to enable GET, PUT and DELETE operations on QoS minimum packet rate rule without specifying policy ID',
    '2021-10-22T10:00:00-00:00',
  ),
  extension('qos-port-network-policy', 'QoS port network policy ID', 'Adds a the QoS network ID to the port definition', '2019-11-01T10:00:00-00:00'),
  extension('port-resource-request', 'Port Resource Request', 'Expose resource request to Port', '2018-05-08T10:00:00-00:00'),
  extension(
    'port-resource-request-groups',
    'Port Resource Request Groups',
    'Support requesting multiple groups of resources and traits from the same RP subtree in resource_request',
    '2021-08-02T10:00:00-00:00',
  ),
  extension(
    'floating-ip-port-forwarding',
    'Floating IP Port Forwarding',
    'Allow port forwarding from floating IP port to an internal port',
    '2018-01-19T10:00:00-00:00',
  ),
  extension(
    'floating-ip-port-forwarding-description',
    'Floating IP Port Forwarding new attribute description',
    'Add a description field to Port Forwarding rules',
    '2019-11-01T10:00:00-00:00',
  ),
  extension(
    'floating-ip-port-forwarding-detail',
    'Floating IP port forwarding detail',
    "Allow list floating ip return more port forwarding data, include'id' and 'internal_port_id'",
    '2022-05-06T10:00:00-00:00',
  ),
  extension(
    'floating-ip-port-forwarding-port-ranges',
    'Floating IP Port Forwarding support port ranges',
    'Add support to port ranges',
    '2020-07-01T10:00:00-00:00',
  ),
  extension(
    'expose-port-forwarding-in-fip',
    'Expose Floating IP port forwardings',
    'Expose port forwarding fields in floating IP response',
    '2018-06-28T16:00:00-00:00',
  ),
  extension(
    'floatingip-autodelete-internal',
    'Autodelete floating IPs of internal networks',
    'Autodelete unused floating IPs of networks being turned to router:external=False',
    '2019-01-24T00:00:00-00:00',
  ),
  extension('trunk', 'Trunk Extension', 'Provides support for trunk ports', '2016-01-01T10:00:00-00:00'),
  extension('trunk-details', 'Trunk port details', 'Expose trunk port details', '2016-01-01T10:00:00-00:00'),
];
