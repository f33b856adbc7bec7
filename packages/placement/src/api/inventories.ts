import { CairnError } from '@cairn/kit/errors/errors';
import { Reply, type Request } from '@cairn/kit/http/operation';
import type { InventoryInput, InventoryInputs, ProviderInventories } from '../app/inventories.ts';
import type { InventoryRow, ProviderRow } from '../store/tables.ts';
import { inventoriesAnswer, inventoryAnswer } from './answers/providers.ts';
import { bodyOf, cacheHeaders, latest, op, param } from './op.ts';
import { CREATE_INVENTORY, SET_INVENTORIES, UPDATE_INVENTORY } from './schemas.ts';

const view = (row: InventoryRow) => ({
  total: row.total,
  reserved: row.reserved,
  min_unit: row.min_unit,
  max_unit: row.max_unit,
  step_size: row.step_size,
  allocation_ratio: row.allocation_ratio,
});

function viewAll(request: Request, { provider, inventories }: ProviderInventories): Reply {
  const modified = latest(
    inventories.map((row) => row.updated_at_ms),
    undefined,
  );
  const body = {
    resource_provider_generation: provider.generation,
    inventories: Object.fromEntries(inventories.map((row) => [row.resource_class, view(row)])),
  };
  return new Reply(body, { headers: cacheHeaders(request, modified) });
}

/** One inventory; a provider's generation of 0 is not shown, as upstream. */
function viewOne(
  request: Request,
  { provider, inventory }: { provider: ProviderRow; inventory: InventoryRow },
  status = 200,
  headers: Record<string, string> = {},
): Reply {
  const body = { ...view(inventory), ...(provider.generation > 0 && { resource_provider_generation: provider.generation }) };
  return new Reply(body, { status, headers: { ...headers, ...cacheHeaders(request, inventory.updated_at_ms) } });
}

/** From microversion 1.26 on all of an inventory may be reserved. */
const full = (request: Request): boolean => request.version.atLeast('1.26');

const ALL = '/resource_providers/{uuid}/inventories' as const;
const ONE = `${ALL}/{resource_class}` as const;

export const inventoryOperations = [
  op({
    id: 'placement.inventory.list',
    method: 'GET',
    path: ALL,
    answer: inventoriesAnswer,
    summary: 'List the inventories of a provider',
    policy: 'placement:resource_providers:inventories:list',
    input: 'none',
    handle: async (app, request) => viewAll(request, await app.inventories.list(param(request, 'uuid'))),
  }),
  op({
    id: 'placement.inventory.create',
    method: 'POST',
    path: ALL,
    answer: inventoryAnswer,
    summary: 'Add an inventory to a provider',
    policy: 'placement:resource_providers:inventories:create',
    success: 201,
    body: CREATE_INVENTORY,
    validation: 'handler',
    async handle(app, request) {
      const id = param(request, 'uuid');
      await app.providers.get(id);
      const { resource_class: resourceClass, ...input } = bodyOf<InventoryInput & { resource_class: string }>(request, CREATE_INVENTORY);
      const made = await app.inventories.add(id, resourceClass, input, full(request));
      return viewOne(request, made, 201, { location: `${request.baseUrl}/resource_providers/${id}/inventories/${resourceClass}` });
    },
  }),
  op({
    id: 'placement.inventory.set',
    method: 'PUT',
    path: ALL,
    answer: inventoriesAnswer,
    summary: 'Replace all inventories of a provider',
    policy: 'placement:resource_providers:inventories:update',
    body: SET_INVENTORIES,
    validation: 'handler',
    async handle(app, request) {
      const id = param(request, 'uuid');
      await app.providers.get(id);
      const body = bodyOf<{ resource_provider_generation: number; inventories: InventoryInputs }>(request, SET_INVENTORIES);
      return viewAll(request, await app.inventories.setAll(id, body.resource_provider_generation, body.inventories, full(request)));
    },
  }),
  op({
    id: 'placement.inventory.delete-all',
    method: 'DELETE',
    path: ALL,
    summary: 'Delete all inventories of a provider',
    policy: 'placement:resource_providers:inventories:delete',
    since: '1.5',
    success: 204,
    answer: 'none',
    input: 'none',
    handle: (app, request) => app.inventories.removeAll(param(request, 'uuid')),
  }),
  op({
    id: 'placement.inventory.delete-all-unknown',
    method: 'DELETE',
    path: ALL,
    answer: 'none',
    summary: 'Before microversion 1.5 this method is not there (405)',
    policy: 'placement:resource_providers:inventories:delete',
    until: '1.4',
    input: 'none',
    handle() {
      throw new CairnError('MethodNotAllowed', 'The method is not allowed for the requested resource.');
    },
  }),
  op({
    id: 'placement.inventory.show',
    method: 'GET',
    path: ONE,
    answer: inventoryAnswer,
    summary: 'Show an inventory of a provider',
    policy: 'placement:resource_providers:inventories:show',
    input: 'none',
    handle: async (app, request) => viewOne(request, await app.inventories.get(param(request, 'uuid'), param(request, 'resource_class'))),
  }),
  op({
    id: 'placement.inventory.update',
    method: 'PUT',
    path: ONE,
    answer: inventoryAnswer,
    summary: 'Replace an inventory of a provider',
    policy: 'placement:resource_providers:inventories:update',
    body: UPDATE_INVENTORY,
    validation: 'handler',
    async handle(app, request) {
      const id = param(request, 'uuid');
      await app.providers.get(id);
      const { resource_provider_generation: generation, ...input } = bodyOf<InventoryInput & { resource_provider_generation: number }>(
        request,
        UPDATE_INVENTORY,
      );
      return viewOne(request, await app.inventories.update(id, param(request, 'resource_class'), generation, input, full(request)));
    },
  }),
  op({
    id: 'placement.inventory.delete',
    method: 'DELETE',
    path: ONE,
    summary: 'Delete an inventory of a provider',
    policy: 'placement:resource_providers:inventories:delete',
    success: 204,
    answer: 'none',
    input: 'none',
    handle: (app, request) => app.inventories.remove(param(request, 'uuid'), param(request, 'resource_class')),
  }),
];
