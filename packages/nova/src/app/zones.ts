import type { Db } from '@cairn/kit/store/store';
import { zonesByHost } from '../store/aggregate.ts';
import { allServices, isUp, type ServiceRow } from '../store/service.ts';
import type { NovaDeps } from './deps.ts';

/** A compute service with what follows from other tables. */
export interface ServiceFacts {
  readonly row: ServiceRow;
  readonly zone: string;
  readonly up: boolean;
}

/** Services and the zones that they are in. */
export class Zones {
  readonly #deps: NovaDeps;

  constructor(deps: NovaDeps) {
    this.#deps = deps;
  }

  async services(db: Db): Promise<ServiceFacts[]> {
    const { options, env } = this.#deps;
    const [rows, zones] = await Promise.all([allServices(db), zonesByHost(db)]);
    return rows.map((row) => ({
      row,
      zone: row.binary === 'nova-compute' ? (zones.get(row.host) ?? options.defaultAvailabilityZone) : options.internalAvailabilityZone,
      up: isUp(row, env.clock.nowMs(), options.serviceDownMs),
    }));
  }
}
