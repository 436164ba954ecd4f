/** What is said of a batch whose COMMIT failed. */
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import type { InsertShape, Run } from '../../contracts/operation.ts'
import type { Seq, WriterName } from '../../contracts/position.ts'
import { openEpoch } from './bookkeeping.ts'
import { Executor } from './executor.ts'

/** A database whose COMMIT fails, with this code, after or before it was carried out. */
class FailingDatabase extends DatabaseSync {
  failure: { readonly errcode: number; readonly isCarriedOut: boolean; succeeds?: number } | undefined

  override exec(sql: string): void {
    if (sql !== 'COMMIT' || !this.failure) return super.exec(sql)
    if ((this.failure.succeeds ?? 0) > 0) {
      this.failure.succeeds = 0
      return super.exec(sql)
    }
    const { errcode, isCarriedOut } = this.failure
    if (isCarriedOut) super.exec(sql)
    throw Object.assign(new Error('COMMIT failed'), { code: 'ERR_SQLITE_ERROR', errcode })
  }
}

const writer = 'w' as WriterName
const clock = { monotonicMs: () => 0, wallMs: () => 0 }

test.for([
  { what: 'an I/O error', errcode: 10, isCarriedOut: true, outcome: 'unknown' },
  { what: 'an I/O error', errcode: 10, isCarriedOut: false, outcome: 'unknown' },
  { what: 'a full disk', errcode: 13, isCarriedOut: false, outcome: 'unknown' },
  { what: 'a lock', errcode: 5, isCarriedOut: false, outcome: 'not-committed' },
] as const)(
  'law 1 · nobody is told "not committed" of a batch whose COMMIT met $what (carried out: $isCarriedOut)',
  ({ errcode, isCarriedOut, outcome }) => {
    const database = new FailingDatabase(':memory:')
    const newIdentity = { id: '0', secret: '0' }
    const { epoch } = openEpoch(database, { writer, leaseMs: 1, nowMs: 0, epochStep: 1, newIdentity })
    const executor = new Executor(database, writer, epoch, clock, () => undefined)
    database.failure = { errcode, isCarriedOut }
    const commit = (): unknown => executor.commit({ prev: 0 as Seq, last: 1 as Seq, steps: [], segments: [] })
    expect(commit).toThrow(expect.objectContaining({ failure: 'transient', outcome }))
    database.close()
  },
)

test('law 1 · nobody is told "not committed" of a batch whose operations are committed one by one, and stop half-way', () => {
  const database = new FailingDatabase(':memory:')
  database.exec(`CREATE TABLE parents (id INTEGER PRIMARY KEY);
    CREATE TABLE children (parent INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)`)
  const newIdentity = { id: '0', secret: '0' }
  const { epoch } = openEpoch(database, { writer, leaseMs: 1, nowMs: 0, epochStep: 1, newIdentity })
  const executor = new Executor(database, writer, epoch, clock, () => undefined)
  const shape: InsertShape = { kind: 'insert', table: 'children', key: 'c', width: 1, columns: ['parent'] }
  const run: Run = { kind: 'run', shape, count: 2, bytes: 0, values: [null, null] }
  const commit = (prev: number): unknown =>
    executor.commit({ prev: prev as Seq, last: (prev + 2) as Seq, steps: [run], segments: [] })
  database.failure = { errcode: 5, isCarriedOut: false }
  expect(() => commit(0)).toThrow(expect.objectContaining({ outcome: 'not-committed' }))
  database.failure = { errcode: 5, isCarriedOut: false, succeeds: 1 }
  expect(() => commit(0)).toThrow(expect.objectContaining({ failure: 'transient', outcome: 'unknown' }))
  expect(database.prepare('SELECT watermark FROM tidemark_writers').get()).toEqual({ watermark: 1 })
  database.close()
})
