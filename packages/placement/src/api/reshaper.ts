import type { InventoryInputs } from '../app/inventories.ts';
import { type AllocationsBody, claimOf } from './allocations.ts';
import { bodyOf, op } from './op.ts';
import { RESHAPE } from './schemas.ts';

interface ReshapeBody {
  readonly inventories: Readonly<Record<string, { readonly resource_provider_generation: number; readonly inventories: InventoryInputs }>>;
  readonly allocations: Readonly<Record<string, AllocationsBody>>;
}

export const reshaperOperations = [
  op({
    id: 'placement.reshaper.reshape',
    method: 'POST',
    path: '/reshaper',
    summary: 'Move inventories and allocations between providers',
    policy: 'placement:reshaper:reshape',
    since: '1.30',
    success: 204,
    answer: 'none',
    body: RESHAPE,
    validation: 'handler',
    async handle(app, request) {
      const body = bodyOf<ReshapeBody>(request, RESHAPE);
      await app.reshape({
        inventories: Object.fromEntries(
          Object.entries(body.inventories).map(([id, one]) => [id, { generation: one.resource_provider_generation, inventories: one.inventories }]),
        ),
        claims: Object.entries(body.allocations).map(([consumerId, one]) => claimOf(request, consumerId, one)),
      });
    },
  }),
];
