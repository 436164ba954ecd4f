/** What the compiler refuses. The calls are never made; `npm run check:types` is what runs this file. */
import type { Generated, Kysely } from 'kysely'
import { expectTypeOf, test } from 'vitest'
import type {
  Committed,
  FoundRow,
  NotSupportedError,
  Outcome,
  ReadReport,
  Receipt,
  Session,
  Tidemark,
  TidemarkError,
} from './index.ts'

interface DB {
  songs: { id: Generated<number>; title: string; plays: number | null }
  files: { path: string; hash: string | null }
}

const calls = (db: Tidemark<DB>): void => {
  expectTypeOf(db.insert('songs', { title: 'a', plays: null })).toEqualTypeOf<Receipt>()
  db.insert('songs', { id: 1, title: 'a', plays: 1 })
  db.update('songs', { id: 1 }, { plays: 2 }, { expect: 1 })
  db.delete('files', { path: 'a' })
  db.atomic((group) => group.upsert('files', { path: 'a', hash: null }))
  db.write(db.read().updateTable('songs').set({ plays: 1 }))
  // @ts-expect-error no such table
  db.insert('nowhere', { id: 1 })
  // @ts-expect-error no such column
  db.insert('songs', { title: 'a', plays: null, colour: 'red' })
  // @ts-expect-error a column of another type
  db.insert('songs', { title: 5, plays: null })
  // @ts-expect-error a column that must be given
  db.insert('songs', { plays: null })
  // @ts-expect-error no such column to find a row by
  db.update('songs', { colour: 'red' }, { plays: 1 })
  // @ts-expect-error the callback of a group is typed like the calls themselves
  db.atomic((group) => group.insert('files', { hash: null }))
  // @ts-expect-error no such event
  db.on('comit', () => undefined)
  // @ts-expect-error no such level
  db.read('soon')
  db.read({
    consistency: 'readAfterWrite',
    after: ['a', 'b'],
    keys: [['files', { path: 'a' }]],
    timeoutMs: 5,
  })
  // @ts-expect-error no such option
  db.read({ colour: 'red' })
  expectTypeOf(db.session('bookmark')).toEqualTypeOf<Session<DB>>()
  const session = db.session(['a', 'b'], { onRejected: 'ignore' })
  session.upsert('files', { path: 'a', hash: null })
  // @ts-expect-error the calls of a session are typed like the engine's
  session.insert('songs', { title: 5, plays: null })
  expectTypeOf(session.bookmark).toEqualTypeOf<string>()
  expectTypeOf(db.get('songs', { id: 1 })).resolves.toEqualTypeOf<
    FoundRow<{ id: number; title: string; plays: number | null }>
  >()
  // @ts-expect-error no such column to find a row by
  void db.get('songs', { colour: 'red' })
  expectTypeOf(db.query(db.read().selectFrom('files').select('path'))).resolves.toEqualTypeOf<
    ReadReport<{ path: string }>
  >()
  expectTypeOf(db.kysely).toEqualTypeOf<Kysely<DB>>()
  // @ts-expect-error it says when
  db.changes({ table: 'songs' })
  // @ts-expect-error not a query
  db.write('DELETE FROM songs')
}

test('the calls of the table interface are typed', () => {
  expectTypeOf(calls).parameter(0).toEqualTypeOf<Tidemark<DB>>()
})

test('an awaited receipt is what was committed, and an outcome is told apart by its kind', () => {
  expectTypeOf<Awaited<Receipt>>().toEqualTypeOf<Committed>()
  expectTypeOf<Outcome['kind']>().toEqualTypeOf<'committed' | 'rejected' | 'abandoned'>()
  expectTypeOf<NotSupportedError>().toExtend<TidemarkError>()
})
