/** Writes the effects of a batch behind its rows. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Segment } from '../../contracts/effect.ts'
import type { Epoch } from '../../contracts/position.ts'
import { SegmentNumbers } from './segment-numbers.ts'

export class KeptEffects {
  readonly #database: DatabaseSync
  readonly #epoch: Epoch
  readonly #wallMs: () => number
  #prepared: Prepared | undefined

  constructor(database: DatabaseSync, epoch: Epoch, wallMs: () => number) {
    this.#database = database
    this.#epoch = epoch
    this.#wallMs = wallMs
  }

  /** In the transaction of their batch. */
  keep(segments: readonly Segment[]): void {
    if (segments.length === 0) return
    const { insert, numbers, isDurable } = (this.#prepared ??= prepare(this.#database))
    const nowMs = Math.floor(this.#wallMs())
    let id = numbers.take(segments.length)
    for (const { kind, first, last, lastN, count, content } of segments)
      insert.run(id++, kind, this.#epoch, first, last, lastN, count, nowMs, isDurable, content)
  }
}

interface Prepared {
  readonly insert: StatementSync
  readonly numbers: SegmentNumbers
  /** Whether its commits are, as a column says it. */
  readonly isDurable: 0 | 1
}

function prepare(database: DatabaseSync): Prepared {
  const insert = database.prepare(
    `INSERT INTO tidemark_segments (id, kind, epoch, first_seq, last_seq, last_n, items, committed_at, durable, content)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  return { insert, numbers: new SegmentNumbers(database), isDurable: syncsCommits(database) ? 1 : 0 }
}

/** With FULL a commit is synced before it can be seen: https://www.sqlite.org/pragma.html#pragma_synchronous */
function syncsCommits(database: DatabaseSync): boolean {
  const row = database.prepare('SELECT synchronous FROM pragma_synchronous').get()
  return Number(row?.['synchronous']) >= 2
}
