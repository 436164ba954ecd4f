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

  /** Ids that follow on the last ones told become one range with them. */
  tellIds(first: Seq, ids: readonly bigint[]): void {
    for (const [index, id] of ids.entries()) {
      // Past 2^53 a number would tell another row's id.
      if (id >= BigInt(Number.MAX_SAFE_INTEGER)) continue
      const last = this.all.at(-1)
      const follows =
        last !== undefined &&
        'firstId' in last &&
        last.first + last.count === first + index &&
        last.firstId + last.count === Number(id)
      if (follows) this.all[this.all.length - 1] = { ...last, count: last.count + 1 }
      else this.all.push({ first: (first + index) as Seq, count: 1, firstId: Number(id) })
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
