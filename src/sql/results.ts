/** What the operations of a batch left behind, as their receipts tell it. */
import type { Seq } from '../contracts/position.ts'
import type { RunResult } from '../contracts/store.ts'
import type { Answer } from './dialect.ts'

export class Results {
  readonly all: RunResult[] = []
  /** Row by row, which operation inserted which row of which table. */
  readonly rowsOf: Map<string, Map<number, Seq>> = new Map()
  /** The last result's rows changed, while the operations that change rows follow each other. */
  #changes: number[] = []
  #ids: (number | undefined)[] = []
  #changedUpTo = Number.NaN
  /** The last ids told. */
  #idRange: { readonly first: Seq; count: number; readonly firstId: number } | undefined

  /** Ids that follow on the last ones told become one range with them. Hot: runs for every row that gets an id. */
  tellIds(first: Seq, ids: readonly (number | bigint)[]): void {
    for (let index = 0; index < ids.length; index++) {
      const id = Number(ids[index])
      // Past 2^53 a number would tell another row's id.
      if (id >= Number.MAX_SAFE_INTEGER) continue
      const range = this.#idRange
      const seq = (first + index) as Seq
      if (range && range.first + range.count === seq && range.firstId + range.count === id) range.count++
      else this.all.push((this.#idRange = { first: seq, count: 1, firstId: id }))
    }
  }

  /** @param lastId of a statement that inserted rows, as its driver tells it */
  tellChanges(seq: Seq, changes: number, lastId: number | undefined): void {
    if (seq === this.#changedUpTo + 1) {
      this.#changes.push(changes)
      this.#ids.push(lastId)
    } else {
      this.#changes = [changes]
      this.#ids = [lastId]
      this.all.push({ first: seq, changes: this.#changes, ids: this.#ids })
    }
    this.#changedUpTo = seq
  }

  noteRow(table: string, seq: Seq, { insertId, changes }: Answer): void {
    if (insertId === undefined || changes !== 1) return
    const rows = this.rowsOf.get(table) ?? new Map<number, Seq>()
    this.rowsOf.set(table, rows.set(Number(insertId), seq))
  }
}
