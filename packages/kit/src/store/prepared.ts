import type { Compilable, CompiledQuery, Kysely, QueryResult } from 'kysely';
import { runStatement } from './statement.ts';
import { type Db, type EngineName, on } from './store.ts';

/** Stands in a statement for a value that each run brings. */
class Place {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/**
 * A statement that is built and compiled once for all runs, which costs several times what SQLite needs to run most of them. `build` is given
 * the query builder and a function that makes the places of values, by name; what of the statement's form hangs on values must not be left to them
 * (a list, or null). Statements by equality have shorter forms in `rows.ts`.
 *
 *     const cheapest = prepared<NovaTables, { room: number }, FlavorRow>((db, place) =>
 *       db.selectFrom('nova_flavor').selectAll().where('memory_mb', '>=', place('room')).orderBy('memory_mb').limit(1));
 *     const { rows } = await cheapest(tx, { room: 512 });
 */
export function prepared<Tables, Values extends object, Row = unknown>(
  build: (db: Kysely<Tables>, place: <K extends keyof Values & string>(name: K) => Values[K]) => Compilable<Row>,
): (db: Db, values: Values) => Promise<QueryResult<Row>> {
  const made = new Map<EngineName, CompiledQuery>();
  return (db, values) => {
    let query = made.get(db.engine);
    if (!query) {
      query = build(on<Tables>(db), (name) => new Place(name) as never).compile();
      made.set(db.engine, query);
    }
    const parameters = query.parameters.map((parameter) => (parameter instanceof Place ? values[parameter.name as keyof Values] : parameter));
    return runStatement<Row>(db, query.sql, parameters);
  };
}
