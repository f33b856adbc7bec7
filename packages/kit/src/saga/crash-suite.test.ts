import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock } from '../clock/clock.ts';
import { VirtualClock } from '../clock/virtual.ts';
import { alreadyExists } from '../errors/errors.ts';
import { type Ids, seededIds, systemIds } from '../ids/ids.ts';
import { silentLog } from '../log/log.ts';
import { on, type Store } from '../store/store.ts';
import { testStore } from '../store/testing.ts';
import { type CrashSuiteOptions, type CrashWorld, crashReport, crashSuite } from './crash-suite.ts';
import { SagaEngine } from './engine.ts';
import { sagaMigrations } from './migrations.ts';
import { defineSaga, type Json, type SagaDefinition, type SagaStep } from './saga.ts';

/** The outside: taps and guests that outlive every process. */
class Machine {
  readonly things = new Map<string, string>();
}

interface GuestTable {
  guest: { id: string; status: string; ports: number };
}

interface Params {
  readonly id: string;
}
interface Services {
  readonly machine: Machine;
  readonly ids: Ids;
}
type Step = SagaStep<Params, Services>;

const setStatus =
  (status: string): NonNullable<Step['commit']> =>
  async (tx, step) => {
    await on<GuestTable>(tx).updateTable('guest').set({ status }).where('id', '=', step.params.id).execute();
  };

/** Mints an id before it is used, makes a tap, makes a guest, says so: everything right. */
const mint: Step = { name: 'mint', do: async (step) => ({ tap: `tap-${step.services.ids.uuid()}` }) };
const tapOf = (outputs: Readonly<Record<string, unknown>>): string => (outputs['mint'] as { tap: string }).tap;
const plug: Step = {
  name: 'plug',
  do: async ({ services, outputs, params }) => void services.machine.things.set(tapOf(outputs), `tap of ${params.id}`),
  commit: async (tx, { params }) =>
    void (await on<GuestTable>(tx)
      .updateTable('guest')
      .set((eb) => ({ ports: eb('ports', '+', 1) }))
      .where('id', '=', params.id)
      .execute()),
  undo: async ({ services, outputs }) => void services.machine.things.delete(tapOf(outputs)),
  undoCommit: async (tx, { params }) => void (await on<GuestTable>(tx).updateTable('guest').set({ ports: 0 }).where('id', '=', params.id).execute()),
};
const boot: Step = {
  name: 'boot',
  do: async ({ services, params }) => void services.machine.things.set(`guest-${params.id}`, 'running'),
  undo: async ({ services, params }) => void services.machine.things.delete(`guest-${params.id}`),
};
const activate: Step = { name: 'activate', commit: setStatus('ACTIVE') };

const saga = (steps: readonly Step[]): SagaDefinition<Params, Services> =>
  defineSaga<Params, Services>({ name: 'demo.guest.create', steps, onFailed: async (tx, step) => setStatus('ERROR')(tx, step, null) });

/** A database, a machine, and processes that come and go over them. */
async function demoWorld(definition: SagaDefinition<Params, Services>, clock?: VirtualClock, done: readonly Json[] = []): Promise<CrashWorld> {
  const store: Store = await testStore();
  await store.migrate([
    sagaMigrations,
    {
      service: 'demo',
      migrations: {
        '0001_first': async (db) => {
          await db.schema.createTable('guest').addColumn('id', 'text').addColumn('status', 'text').addColumn('ports', 'integer').execute();
        },
      },
    },
  ]);
  const machine = new Machine();
  const ids = clock ? seededIds(7) : systemIds;
  return {
    store,
    async boot(hooks) {
      const engine = new SagaEngine({ store, clock: clock ?? systemClock, ids, log: silentLog, ...hooks });
      engine.register([definition], { machine, ids });
      await engine.open();
      return {
        engine,
        start: () =>
          store.write(async (tx) => {
            const id = ids.uuid();
            await on<GuestTable>(tx).insertInto('guest').values({ id, status: 'BUILD', ports: done.length }).execute();
            return engine.start(tx, definition, { id }, { subject: `guest:${id}`, requestId: 'req-1', done });
          }),
      };
    },
    async inspect() {
      const rows = await on<GuestTable>(store.read).selectFrom('guest').selectAll().execute();
      return [...rows.map((row) => `row ${row.id} ${row.status} ports=${row.ports}`), ...[...machine.things].map(([name, what]) => `${name}: ${what}`)];
    },
    ...(clock ? { runUntil: (done: () => boolean) => clock.runUntil(done) } : {}),
    close: () => store.close(),
  };
}

const demo = (steps: readonly Step[], more: Partial<CrashSuiteOptions> = {}): CrashSuiteOptions => {
  const definition = saga(steps);
  return {
    saga: definition,
    world: () => demoWorld(definition),
    afterFailure: ['row 00000000-0000-0000-0000-000000000000 ERROR ports=0'],
    limitMs: 2000,
    ...more,
  };
};

// a right saga passes every case, as every service's sagas must
crashSuite(demo([mint, plug, boot, activate]));

// and so does one whose first step its starter has done
const reserve: Step = { name: 'reserve', commit: plug.commit as NonNullable<Step['commit']>, undoCommit: plug.undoCommit as NonNullable<Step['undoCommit']> };
const reserved = saga([reserve, mint, boot, activate]);
crashSuite({ ...demo([]), saga: reserved, world: () => demoWorld(reserved, undefined, [null]), doneAtStart: 1 });

describe('the crash suite', () => {
  test('it runs on virtual time', async () => {
    const definition = saga([
      mint,
      {
        ...plug,
        undo: async (step) => {
          await step.clock.sleep(30_000, step.signal);
          await plug.undo?.(step);
        },
      },
      boot,
      activate,
    ]);
    assert.deepEqual(await crashReport({ ...demo([]), saga: definition, world: () => demoWorld(definition, new VirtualClock()) }), []);
  });

  const catches = (what: string, steps: readonly Step[], where: RegExp, problem: RegExp, more: Partial<CrashSuiteOptions> = {}): void => {
    test(`it catches ${what}`, async () => {
      const found = await crashReport(demo(steps, more));
      const hit = found.filter((item) => where.test(item.title) && problem.test(item.problem));
      assert.ok(hit.length > 0, `not found; what was: ${JSON.stringify(found, undefined, 1)}`);
    });
  };

  catches('a missing undo', [mint, { name: 'plug', do: plug.do as NonNullable<Step['do']> }, boot, activate], /boot: fails/, /too much: tap-<id>/);
  catches('an undo that forgets the step’s rows', [mint, { ...plug, undoCommit: async () => {} }, boot, activate], /boot: fails/, /missing: .*ports=0/);
  catches(
    'an id that is minted where it is used, so that a crash leaks the first one',
    [
      {
        name: 'plug',
        do: async ({ services, params }) => {
          const tap = `tap-${services.ids.uuid()}`;
          services.machine.things.set(tap, `tap of ${params.id}`);
          return { tap };
        },
        undo: async ({ services, outputs }) => {
          const tap = (outputs['plug'] as { tap: string } | undefined)?.tap;
          if (tap !== undefined) services.machine.things.delete(tap);
        },
      },
      activate,
    ],
    /plug: the process dies after its work/,
    /too much: tap-<id>/,
  );
  catches(
    'a do that fails when it finds its own work',
    [
      mint,
      plug,
      {
        ...boot,
        do: async ({ services, params }) => {
          if (services.machine.things.has(`guest-${params.id}`)) throw alreadyExists('The guest exists.');
          services.machine.things.set(`guest-${params.id}`, 'running');
        },
      },
      activate,
    ],
    /boot: (runs twice|the process dies after its work)/,
    /ended failed/,
  );
  catches(
    'a do that adds up',
    [
      mint,
      plug,
      {
        ...boot,
        do: async ({ services, params }) => {
          const key = `guest-${params.id}`;
          services.machine.things.set(key, `${services.machine.things.get(key) ?? ''}+running`);
        },
      },
      activate,
    ],
    /boot: runs twice/,
    /too much: guest-<id>: \+running\+running/,
  );
  catches(
    'an undo that does not tolerate absence',
    [
      mint,
      plug,
      {
        ...boot,
        undo: async ({ services, params }) => {
          if (!services.machine.things.delete(`guest-${params.id}`)) throw new Error('no such guest');
        },
      },
      activate,
    ],
    /boot: fails before|undo boot: runs twice/,
    /no end after/,
    { limitMs: 100 },
  );
  test('it catches a saga that leaves its resource in BUILD', async () => {
    const silent = defineSaga<Params, Services>({ name: 'demo.guest.create', steps: [mint, plug, boot, activate] });
    const found = await crashReport({ ...demo([]), saga: silent, world: () => demoWorld(silent) });
    assert.ok(found.length > 0 && found.every((item) => /missing: {2}row <id> ERROR ports=0/.test(item.problem)), JSON.stringify(found));
  });
  catches('an inspection that sees nothing', [mint, plug, boot, activate], /fails before/, /proves nothing/, {
    world: async () => ({ ...(await demoWorld(saga([mint, plug, boot, activate]))), inspect: async () => [] }),
    afterFailure: [],
  });
  catches(
    'a fault that never strikes, since the saga goes another way',
    [{ name: 'mint', do: async () => Promise.reject(alreadyExists('always')) }, plug],
    /it succeeds/,
    /must end done/,
  );

  test('a step that may rightly fail after a crash can be excused', async () => {
    const once: Step = {
      ...boot,
      do: async ({ services, params }) => {
        if (services.machine.things.has(`guest-${params.id}`)) throw alreadyExists('The guest exists.');
        services.machine.things.set(`guest-${params.id}`, 'running');
      },
    };
    assert.deepEqual(await crashReport(demo([mint, plug, once, activate], { mayFailAfterCrash: ['boot'] })), []);
  });
});
