import { AUTHENTICATED } from '@cairn/kit/http/operation';
import Type from 'typebox';
import { deleteTopologyOf, getTopology } from '../app/auto-topology.ts';
import { op } from './op.ts';

/** `id` is that of the network, or `dry-run=pass`. */
const topology = Type.Object({ id: Type.String(), tenant_id: Type.String(), project_id: Type.String() }, { title: 'AutoAllocatedTopology' });

const path = '/v2.0/auto-allocated-topology/{project_id}';

export const autoTopologyOperations = [
  op({
    id: 'neutron.auto-allocated-topology.show',
    method: 'GET',
    path,
    summary: "Show a project's own network with its way out, which is made where it is missing",
    policy: AUTHENTICATED,
    asks: 'get_auto_allocated_topology',
    answer: Type.Object({ auto_allocated_topology: topology }),
    handle: async (app, req) => ({
      auto_allocated_topology: await getTopology(
        app,
        req.ctx,
        req.params.project_id as string,
        req.query.getAll('fields').filter((field) => field !== ''),
      ),
    }),
  }),
  op({
    id: 'neutron.auto-allocated-topology.delete',
    method: 'DELETE',
    path,
    summary: "Delete a project's own network with its way out",
    policy: AUTHENTICATED,
    asks: 'delete_auto_allocated_topology',
    success: 204,
    answer: 'none',
    handle: (app, req) => deleteTopologyOf(app, req.ctx, req.params.project_id as string),
  }),
];
