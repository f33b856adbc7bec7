import { AUTHENTICATED } from '@cairn/kit/http/operation';
import Type from 'typebox';
import { addInterface, removeInterface } from '../app/router-interfaces.ts';
import { changeGateways, changeRoutes, createRouters, deleteRouterById, getRouter, listRouters, updateRouterById } from '../app/routers.ts';
import { oneAnswer } from '../attributes/answer.ts';
import { ROUTER } from '../resources/router.ts';
import { op } from './op.ts';
import { createOf, deleteOf, listOf, renderOne, showOf, updateOf } from './verbs.ts';

const interfaceAnswer = Type.Object(
  {
    id: Type.String({ description: 'The router.' }),
    tenant_id: Type.String(),
    project_id: Type.String(),
    port_id: Type.String(),
    network_id: Type.String(),
    subnet_id: Type.Optional(Type.String({ description: 'The first of subnet_ids.' })),
    subnet_ids: Type.Array(Type.String()),
  },
  { title: 'RouterInterface' },
);

const addRouterInterface = op({
  id: 'neutron.router.add-interface',
  method: 'PUT',
  path: '/v2.0/routers/{id}/add_router_interface',
  summary: 'Connect a router to a subnet or a port',
  policy: AUTHENTICATED,
  asks: 'add_router_interface',
  answer: interfaceAnswer,
  handle: (app, req) => addInterface(app, req.ctx, req.params.id as string, req.body),
});

const removeRouterInterface = op({
  id: 'neutron.router.remove-interface',
  method: 'PUT',
  path: '/v2.0/routers/{id}/remove_router_interface',
  summary: 'Disconnect a router from a subnet or a port',
  policy: AUTHENTICATED,
  asks: 'remove_router_interface',
  answer: interfaceAnswer,
  handle: (app, req) => removeInterface(app, req.ctx, req.params.id as string, req.body),
});

const addExtraRoutes = op({
  id: 'neutron.router.add-extraroutes',
  method: 'PUT',
  path: '/v2.0/routers/{id}/add_extraroutes',
  summary: 'Add routes to a router',
  policy: AUTHENTICATED,
  asks: 'add_extraroutes',
  answer: oneAnswer(ROUTER),
  handle: async (app, req) => renderOne(app, ROUTER, req.ctx, await changeRoutes(app, req.ctx, req.params.id as string, req.body, 'add')),
});

const removeExtraRoutes = op({
  id: 'neutron.router.remove-extraroutes',
  method: 'PUT',
  path: '/v2.0/routers/{id}/remove_extraroutes',
  summary: 'Remove routes from a router',
  policy: AUTHENTICATED,
  asks: 'remove_extraroutes',
  answer: oneAnswer(ROUTER),
  handle: async (app, req) => renderOne(app, ROUTER, req.ctx, await changeRoutes(app, req.ctx, req.params.id as string, req.body, 'remove')),
});

const changeExternalGateways = (verb: 'add' | 'update' | 'remove', summary: string) =>
  op({
    id: `neutron.router.${verb}-external-gateways`,
    method: 'PUT',
    path: `/v2.0/routers/{id}/${verb}_external_gateways`,
    summary,
    policy: AUTHENTICATED,
    asks: `${verb}_external_gateways`,
    answer: oneAnswer(ROUTER),
    handle: async (app, req) => renderOne(app, ROUTER, req.ctx, await changeGateways(app, req.ctx, req.params.id as string, req.body, verb)),
  });

export const routerOperations = [
  listOf(ROUTER, 'List routers', listRouters),
  showOf(ROUTER, 'Show a router', getRouter),
  createOf(ROUTER, 'Create routers', createRouters),
  updateOf(ROUTER, 'Update a router', updateRouterById),
  deleteOf(ROUTER, 'Delete a router', deleteRouterById),
  addRouterInterface,
  removeRouterInterface,
  addExtraRoutes,
  removeExtraRoutes,
  changeExternalGateways('add', 'Give a router further gateways'),
  changeExternalGateways('update', 'Replace the gateways of a router'),
  changeExternalGateways('remove', 'Take gateways from a router'),
];
