import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  sql,
  type Generated,
} from 'kysely'
import { expect, test } from 'vitest'
import { wayOf } from './way.ts'

interface DB {
  songs: { id: Generated<number>; title: string }
}
const db = new Kysely<DB>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (instance) => new PostgresIntrospector(instance),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
})
const songs = db.selectFrom('songs').selectAll()
const row = { title: 'a' }

test.for([
  ['read', songs],
  [
    'read',
    db
      .with('x', (q) => q.selectFrom('songs').selectAll())
      .selectFrom('x')
      .selectAll(),
  ],
  ['write', db.insertInto('songs').values(row)],
  [
    'write',
    db
      .with('x', (q) => q.deleteFrom('songs'))
      .insertInto('songs')
      .values(row),
  ],
  ['transaction', db.insertInto('songs').values(row).returning('id')],
  [
    'transaction',
    db
      .insertInto('songs')
      .values(row)
      .modifyEnd(sql`returning id`),
  ],
  ['transaction', songs.forUpdate()],
  ['transaction', songs.modifyEnd(sql`for share`)],
  [
    'transaction',
    db
      .with('x', (q) => q.insertInto('songs').values(row).returning('id'))
      .selectFrom('x')
      .selectAll(),
  ],
  [
    'transaction',
    db
      .with('x', () => sql<{ id: number }>`(delete from songs returning id)`)
      .selectFrom('x')
      .selectAll(),
  ],
  ['transaction', db.schema.dropTable('songs')],
] as const)('%s: a query that is built (%#)', ([way, query]) => {
  expect(wayOf(query.compile(), 'postgres')).toBe(way)
})

test.for([
  ['read', 'SELECT 1'],
  ['read', '/* why */ (select 1)'],
  ['read', 'WITH x AS (SELECT 1) SELECT * FROM x'],
  ['read', 'explain insert into songs values (1)'],
  ['write', 'REPLACE INTO songs VALUES (1)'],
  ['write', 'insert into songs values (1)'],
  ['transaction', 'insert into songs values (1) RETURNING id'],
  ['transaction', 'WITH x AS (SELECT 1) REPLACE INTO songs SELECT * FROM x'],
  ['transaction', 'with x as (select 1) merge into songs using x on true when matched then do nothing'],
  ['transaction', 'select * into copied from songs'],
  ['transaction', 'select * from songs for no key update'],
  ['transaction', 'select * from songs lock in share mode'],
  ['transaction', "select nextval('songs_id_seq')"],
  ['transaction', 'EXPLAIN (ANALYZE, BUFFERS) delete from songs'],
  ['transaction', 'vacuum'],
] as const)('%s: %s', ([way, text]) => {
  expect(wayOf(sql.raw(text).compile(db), 'postgres')).toBe(way)
})
