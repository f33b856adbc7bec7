import { AUTHENTICATED } from '@cairn/kit/http/operation';
import { activateBinding, createBinding, deleteBindingOf, getBinding, listBindings, updateBindingOf } from '../app/port-bindings.ts';
import type { Params } from '../app/kinds.ts';
import { oneAnswer } from '../attributes/answer.ts';
import { createSchema, updateSchema } from '../attributes/schema.ts';
import { prepareCreate, prepareUpdate, type Values } from '../attributes/resource.ts';
import { PORT_BINDING } from '../resources/port-binding.ts';
import { op } from './op.ts';
import { listOf, renderOne } from './verbs.ts';

const one = `/v2.0/${PORT_BINDING.path}/{host}` as const;
const common = { policy: AUTHENTICATED, validation: 'handler' } as const;
const hostOf = (params: object): string => (params as Params).host ?? '';

export const portBindingOperations = [
  listOf(PORT_BINDING, 'List the bindings of a port', listBindings),
  op({
    ...common,
    id: 'neutron.port-binding.show',
    method: 'GET',
    path: one,
    summary: 'Show the binding of a port to a host',
    asks: 'get_port_binding',
    answer: oneAnswer(PORT_BINDING),
    handle: async (app, req) => renderOne(app, PORT_BINDING, req.ctx, await getBinding(app, req.ctx, hostOf(req.params), req.params as Params)),
  }),
  op({
    ...common,
    id: 'neutron.port-binding.create',
    method: 'POST',
    path: `/v2.0/${PORT_BINDING.path}`,
    summary: 'Bind a port to a further host',
    asks: 'create_port_binding',
    success: 201,
    body: createSchema(PORT_BINDING),
    answer: oneAnswer(PORT_BINDING),
    async handle(app, req) {
      const { items } = prepareCreate(PORT_BINDING, req.ctx, req.body);
      return renderOne(app, PORT_BINDING, req.ctx, await createBinding(app, req.ctx, items[0] as Values, req.params as Params));
    },
  }),
  op({
    ...common,
    id: 'neutron.port-binding.update',
    method: 'PUT',
    path: one,
    summary: 'Change the binding of a port to a host',
    asks: 'create_port_binding',
    body: updateSchema(PORT_BINDING),
    answer: oneAnswer(PORT_BINDING),
    async handle(app, req) {
      const values = prepareUpdate(PORT_BINDING, req.ctx, req.body);
      return renderOne(app, PORT_BINDING, req.ctx, await updateBindingOf(app, req.ctx, hostOf(req.params), values, req.params as Params));
    },
  }),
  op({
    ...common,
    id: 'neutron.port-binding.activate',
    method: 'PUT',
    path: `${one}/activate`,
    summary: 'Have a port at work on a host that it is bound to',
    asks: 'activate',
    answer: oneAnswer(PORT_BINDING),
    handle: async (app, req) => renderOne(app, PORT_BINDING, req.ctx, await activateBinding(app, req.ctx, hostOf(req.params), req.params as Params)),
  }),
  op({
    ...common,
    id: 'neutron.port-binding.delete',
    method: 'DELETE',
    path: one,
    summary: 'Take the binding of a port to a host away',
    asks: 'delete_port_binding',
    success: 204,
    answer: 'none',
    handle: (app, req) => deleteBindingOf(app, req.ctx, hostOf(req.params), req.params as Params),
  }),
];
