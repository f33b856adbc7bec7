import Type from 'typebox';

/** What a question about a packet from outside may say of it. */
export const FROM_OUTSIDE = Type.Object({
  protocol: Type.Optional(Type.String({ description: 'As in security group rules; default icmp' })),
  destination_port: Type.Optional(Type.String({ description: '1 to 65535; with tcp and udp it is needed' })),
  source_port: Type.Optional(Type.String({ description: 'Default 49152; stateless groups ask for it' })),
  source_ip: Type.Optional(Type.String({ description: 'Default: the gateway of the external network' })),
});
