import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Store, Tx } from '@cairn/kit/store/store';
import { engines, testStore } from '@cairn/kit/store/testing';
import { type IpRange, joinRanges, mustCidr, subtractRanges } from '../net/cidr.ts';
import { keyOfIp, keyOfValue } from '../net/ip.ts';
import { addressOfKey, freeRuns, insertAllocations, openPools, removeAllocations, replacePools, takeKey, takeNext } from './ipam.ts';
import { neutronMigrations } from './migrations/index.ts';
import type { IpAllocationRow } from './tables.ts';

/** A small generator of chance that a seed repeats (mulberry32). */
function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

for (const engine of engines())
  describe(`addresses on ${engine}`, () => {
    let store: Store;
    before(async () => {
      store = await testStore(engine);
      await store.migrate([neutronMigrations]);
    });
    after(() => store.close());

    const range = (first: string, last: string): IpRange => ({ version: 4, first: mustCidr(`${first}/32`).ip, last: mustCidr(`${last}/32`).ip });
    const allocation = (subnetId: string, key: string) => ({ subnetId, networkId: subnetId, ipKey: key, ipAddress: addressOfKey(4, key) });

    /** Takes the next address as the service does. */
    async function next(tx: Tx, subnet: { id: string; next_key: string }): Promise<string | undefined> {
      const key = await takeNext(tx, subnet);
      if (key === undefined) return undefined;
      subnet.next_key = keyOfValue(4, BigInt(`0x${key}`) + 1n);
      await insertAllocations(tx, `port-${key}`, [allocation(subnet.id, key)]);
      return addressOfKey(4, key);
    }

    it('are taken in turn, given ones out of turn, and rest a while when they come back', async () => {
      const subnet = { id: 's1', next_key: '' };
      const pools = [range('10.0.0.2', '10.0.0.5'), range('10.0.0.8', '10.0.0.9')];
      await store.write((tx) => openPools(tx, subnet.id, pools));
      const take = () => store.write((tx) => next(tx, subnet));
      assert.equal(await take(), '10.0.0.2');
      await store.write(async (tx) => {
        await takeKey(tx, subnet.id, keyOfIp('10.0.0.4'));
        await insertAllocations(tx, 'given', [allocation(subnet.id, keyOfIp('10.0.0.4'))]);
      });
      assert.equal(await take(), '10.0.0.3');
      const row = { network_id: 's1', subnet_id: 's1', ip_key: keyOfIp('10.0.0.2'), ip_address: '10.0.0.2', port_id: 'x', position: 0 };
      await store.write((tx) => removeAllocations(tx, [row], () => pools));
      assert.deepEqual([await take(), await take(), await take()], ['10.0.0.5', '10.0.0.8', '10.0.0.9']);
      assert.equal(await take(), '10.0.0.2');
      assert.equal(await take(), undefined);
      assert.deepEqual(await freeRuns(store.read, subnet.id), []);
    });

    it('are of the pools or taken, never both, whatever happens', async () => {
      const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
      const random = chance(seed);
      for (let round = 0; round < (engine === 'sqlite' ? 8 : 1); round++) {
        const subnet = { id: `p${round}`, next_key: '' };
        let pools = [range('10.1.0.10', '10.1.0.40'), range('10.1.0.60', '10.1.0.70')];
        await store.write((tx) => openPools(tx, subnet.id, pools));
        const taken = new Map<string, IpAllocationRow>();
        for (let step = 0; step < 120; step++) {
          await store.write(async (tx) => {
            const what = random(10);
            if (what < 5) {
              const ip = await next(tx, subnet);
              if (ip !== undefined)
                taken.set(ip, { network_id: subnet.id, subnet_id: subnet.id, ip_key: keyOfIp(ip), ip_address: ip, port_id: 'x', position: 0 });
            } else if (what < 7) {
              const ip = `10.1.0.${random(90)}`;
              if (taken.has(ip)) return;
              await takeKey(tx, subnet.id, keyOfIp(ip));
              await insertAllocations(tx, 'x', [allocation(subnet.id, keyOfIp(ip))]);
              taken.set(ip, { network_id: subnet.id, subnet_id: subnet.id, ip_key: keyOfIp(ip), ip_address: ip, port_id: 'x', position: 0 });
            } else if (what < 9) {
              const rows = [...taken.values()];
              const row = rows[random(Math.max(1, rows.length))];
              if (!row) return;
              await removeAllocations(tx, [row], () => pools);
              taken.delete(row.ip_address);
            } else if (random(10) === 0) {
              pools = [range('10.1.0.5', `10.1.0.${20 + random(30)}`), range('10.1.0.60', `10.1.0.${61 + random(20)}`)];
              await replacePools(tx, subnet.id, 4, pools);
            }
          });
          const free = (await freeRuns(store.read, subnet.id)).map((run) => ({
            version: 4 as const,
            first: BigInt(`0x${run.first_key}`),
            last: BigInt(`0x${run.last_key}`),
          }));
          const used = [...taken.values()].map((row) => ({ version: 4 as const, first: BigInt(`0x${row.ip_key}`), last: BigInt(`0x${row.ip_key}`) }));
          assert.deepEqual(free, subtractRanges(pools, used), `seed ${seed}, round ${round}, step ${step}`);
          assert.deepEqual(free, joinRanges(free), `runs touch: seed ${seed}`);
        }
      }
    });
  });
