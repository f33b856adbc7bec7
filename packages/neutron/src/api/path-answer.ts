import Type from 'typebox';
import { nullable } from '../attributes/standard.ts';

/** The answers of our extension `path-explanation`, which `app/path-view.ts` writes. */

const code = Type.String({ description: 'The same for programs: a sentence may change, its code does not.' });

const packet = Type.Object(
  {
    source_ip: Type.String(),
    destination_ip: Type.String(),
    source_port: nullable(Type.Integer()),
    destination_port: nullable(Type.Integer()),
  },
  { title: 'PathPacket' },
);

const rule = Type.Object({
  id: Type.String(),
  direction: Type.Enum(['ingress', 'egress']),
  ethertype: Type.Enum(['IPv4', 'IPv6']),
  protocol: nullable(Type.String()),
  port_range_min: nullable(Type.Integer()),
  port_range_max: nullable(Type.Integer()),
  remote_ip_prefix: nullable(Type.String()),
  remote_group_id: nullable(Type.String()),
});

const hop = Type.Object(
  {
    leg: Type.Enum(['request', 'answer']),
    kind: Type.Enum(['port', 'anti_spoofing', 'security_group', 'guest_route', 'network', 'router', 'nat', 'outside', 'other_side'], {
      description: 'What judged; other_side: what belongs to another project.',
    }),
    object: nullable(Type.Object({ type: Type.Enum(['port', 'network', 'router']), id: Type.String(), name: nullable(Type.String()) })),
    host: nullable(Type.String({ description: 'For admins alone.' })),
    verdict: Type.Enum(['pass', 'drop', 'nat', 'unknown']),
    reason: Type.String(),
    reason_code: code,
    remedy: nullable(Type.String()),
    security_groups: Type.Array(Type.Object({ id: Type.String(), name: Type.String() })),
    rule: nullable(rule),
    packet: nullable(packet),
  },
  { title: 'PathHop' },
);

export const pathAnswer = Type.Object({
  path: Type.Object(
    {
      verdict: Type.Enum(['pass', 'drop', 'unknown']),
      summary: Type.String(),
      summary_code: code,
      remedy: nullable(Type.String()),
      port_id: nullable(Type.String({ description: 'The port that it begins at; null where that is outside.' })),
      arrived_at_port_id: nullable(Type.String()),
      protocol: Type.Integer({ description: 'Its number.' }),
      packet,
      mtu: nullable(Type.Integer({ description: 'The smallest on the way, in bytes.' })),
      hops: Type.Array(hop),
      dhcp: Type.Array(
        Type.Object({
          port_id: Type.String(),
          subnet_id: Type.String(),
          ip_address: Type.String(),
          server: nullable(Type.String()),
          reason: Type.String(),
          reason_code: code,
        }),
      ),
    },
    { title: 'PathExplanation' },
  ),
});
