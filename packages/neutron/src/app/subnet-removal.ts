import type { Context } from '@cairn/kit/context/context';
import type { Tx } from '@cairn/kit/store/store';
import { networkKey, portKey } from '../fabric/keys.ts';
import { closePools, dropAllocationsOfSubnet } from '../store/ipam.ts';
import { deleteSubnetRow } from '../store/subnets.ts';
import type { SubnetRow } from '../store/tables.ts';
import { dropTags } from '../store/tags.ts';
import { notify } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { subnetView } from './subnet-view.ts';

/** Deletes a subnet with what addresses of it are still held (the rules have let it go). */
export async function removeSubnetRow(app: NeutronApp, tx: Tx, ctx: Context, row: SubnetRow): Promise<void> {
  const portIds = await dropAllocationsOfSubnet(tx, row.id);
  await closePools(tx, [row.id]);
  await deleteSubnetRow(tx, row.id);
  if (row.tags_json !== '[]') await dropTags(tx, row.id);
  await notify(app, tx, ctx, 'subnet', 'delete', { view: subnetView(row, false, false) });
  app.pusher.touch(tx, [networkKey(row.network_id), ...portIds.map(portKey)]);
}
