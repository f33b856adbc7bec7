import type { EngineName } from '@cairn/kit/store/store';
import { TestFront, testContext, testWorld } from '@cairn/kit/testing/world';
import { createPlacement } from '../service.ts';
import { placementMigrations } from '../store/migrations/index.ts';

/** Placement over HTTP with an empty store. `service` may call it besides `admin` and `member`. */
export async function placementWorld(engine: EngineName) {
  const world = await testWorld({ engine, migrations: [placementMigrations] });
  const placement = createPlacement({ env: world.env });
  const front = await TestFront.start(world.env, [placement.http]);
  front.as('service', testContext({ roles: ['service'] }));
  const call = (method: string, path: string, body?: unknown, version = '1.39', who = 'admin') =>
    front.call(who, method, `/placement${path}`, body, { 'openstack-api-version': `placement ${version}` });
  return {
    world,
    placement,
    front,
    call,
    async close(): Promise<void> {
      await front.close();
      await world.close();
    },
  };
}
