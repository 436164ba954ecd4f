/** What is said of a batch whose COMMIT failed. */
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import type { Seq, WriterName } from '../../contracts/position.ts'
import { openEpoch } from './bookkeeping.ts'
import { Executor } from './executor.ts'

/** A database whose COMMIT fails, with this code, after or before it was carried out. */
class FailingDatabase extends DatabaseSync {
  failure: { readonly errcode: number; readonly isCarriedOut: boolean } | undefined

  override exec(sql: string): void {
    if (sql !== 'COMMIT' || !this.failure) return super.exec(sql)
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
    const { epoch } = openEpoch(database, { writer, leaseMs: 1, nowMs: 0, newIdentity })
    const executor = new Executor(database, writer, epoch, clock, () => undefined)
    database.failure = { errcode, isCarriedOut }
    const commit = (): unknown => executor.commit({ prev: 0 as Seq, last: 1 as Seq, steps: [] })
    expect(commit).toThrow(expect.objectContaining({ failure: 'transient', outcome }))
    database.close()
  },
)
