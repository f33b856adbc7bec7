import type { PolicyRule } from '@cairn/kit/policy/policy';
import { ADMIN, PROJECT_MEMBER_OR_ADMIN, PROJECT_READER_OR_ADMIN, rule, SERVICE_OR_ADMIN } from './base.ts';

const reader = (name: string, description: string): PolicyRule => rule(name, PROJECT_READER_OR_ADMIN, description);
const member = (name: string, description: string): PolicyRule => rule(name, PROJECT_MEMBER_OR_ADMIN, description);

/** Rules of nova/policies/{volumes,floating_ips,baremetal_nodes,server_topology,server_shares,server_external_events,assisted_volume_snapshots,aggregates}.py. */
export const longTailPolicies: readonly PolicyRule[] = [
  reader('os-volumes:list', 'List volumes.'),
  member('os-volumes:create', 'Create a volume.'),
  reader('os-volumes:detail', 'List volumes with details.'),
  reader('os-volumes:show', 'Show a volume.'),
  member('os-volumes:delete', 'Delete a volume.'),
  reader('os-volumes:snapshots:list', 'List snapshots.'),
  member('os-volumes:snapshots:create', 'Make a snapshot.'),
  reader('os-volumes:snapshots:detail', 'List snapshots with details.'),
  reader('os-volumes:snapshots:show', 'Show a snapshot.'),
  member('os-volumes:snapshots:delete', 'Delete a snapshot.'),
  member('os-floating-ips:add', 'Give a server a floating IP.'),
  member('os-floating-ips:remove', 'Take a floating IP from a server.'),
  rule('os-baremetal-nodes:list', ADMIN, 'List bare metal nodes.'),
  rule('os-baremetal-nodes:show', ADMIN, 'Show a bare metal node.'),
  { name: 'compute:server:topology:index', check: PROJECT_READER_OR_ADMIN, description: "Show a server's NUMA topology.", scopes: ['project'] },
  { name: 'compute:server:topology:host:index', check: ADMIN, description: "Show a server's NUMA topology with the host's.", scopes: ['project'] },
  { name: 'compute:aggregates:images', check: ADMIN, description: "Cache images on an aggregate's hosts.", scopes: ['project'] },
  reader('os-server-shares:index', "List a server's shares."),
  member('os-server-shares:create', 'Attach a share to a server.'),
  reader('os-server-shares:show', "Show a server's share."),
  member('os-server-shares:delete', 'Detach a share from a server.'),
  // upstream's newest default is the service role alone, and administrators until that is enforced
  rule('os-server-external-events:create', SERVICE_OR_ADMIN, 'Tell of events of servers.'),
  rule('os-assisted-volume-snapshots:create', SERVICE_OR_ADMIN, 'Make a snapshot of an attached volume.'),
  rule('os-assisted-volume-snapshots:delete', SERVICE_OR_ADMIN, 'Remove a snapshot of an attached volume.'),
];
