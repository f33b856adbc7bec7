import type { PortForwardingRow } from '../store/tables.ts';

/** What a floating IP shows of a port forwarding. */
export const shortForwardingView = (row: PortForwardingRow): Record<string, unknown> => ({
  id: row.id,
  protocol: row.protocol,
  internal_ip_address: row.internal_ip_address,
  internal_port_id: row.internal_port_id,
  ...(row.external_first === row.external_last && { external_port: row.external_first }),
  ...(row.internal_first === row.internal_last && { internal_port: row.internal_first }),
});

/** A forwarding as the API shows it: a single port as number and as range, several as range alone. */
export const forwardingView = (row: PortForwardingRow): Record<string, unknown> => ({
  ...shortForwardingView(row),
  description: row.description,
  external_port_range: `${row.external_first}:${row.external_last}`,
  internal_port_range: `${row.internal_first}:${row.internal_last}`,
});
