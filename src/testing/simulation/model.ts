/** What the tables must hold after a write: the simplest thing that could be right. */
import type { Part, Write, WriteId } from './program.ts'

/** What is written: a write of the program, or what a processor made of one. */
export type Written = Write | { readonly kind: 'result'; readonly key: string; readonly of: WriteId }

/** How a write ends, once it is its turn. */
export type Verdict =
  | { readonly kind: 'committed'; readonly id?: number; readonly changes?: number }
  | { readonly kind: 'rejected'; readonly code: string }
  /** Of each row: committed, or why not. */
  | { readonly kind: 'load'; readonly codes: readonly (string | undefined)[] }

const check = 'SQLITE_CONSTRAINT_CHECK'
const primaryKey = 'SQLITE_CONSTRAINT_PRIMARYKEY'
const foreignKey = 'SQLITE_CONSTRAINT_FOREIGNKEY'
const expectation = 'EXPECTATION_FAILED'

export class Model {
  cells: Map<string, number> = new Map()
  results: Map<string, WriteId> = new Map()
  links: (readonly [write: WriteId, key: string])[] = []
  /** By row id, which begins at 1 and has no gaps. */
  log: WriteId[] = []
  checkpoint: number | undefined

  copy(): Model {
    const copy = new Model()
    copy.#take(this)
    return copy
  }

  #take({ cells, results, links, log, checkpoint }: Model): void {
    this.cells = new Map(cells)
    this.results = new Map(results)
    this.links = [...links]
    this.log = [...log]
    this.checkpoint = checkpoint
  }

  apply(write: Exclude<Written, { kind: 'transaction' }>, id: WriteId): Verdict {
    switch (write.kind) {
      case 'group':
        return this.#whole(() => {
          for (const part of write.parts) {
            const verdict = this.#part(part, id)
            if (verdict.kind === 'rejected') return verdict
          }
          return { kind: 'committed' }
        })
      case 'load': {
        const codes = write.bad.map((isBad) => (isBad ? check : void this.log.push(id)))
        this.checkpoint = id
        return { kind: 'load', codes: [...codes, ...Array<string>(write.letters).fill('UNREADABLE_INPUT')] }
      }
      case 'result':
        this.results.set(write.key, write.of)
        return { kind: 'committed' }
      default:
        return this.#whole(() => this.#part(write, id), write.kind !== 'link')
    }
  }

  /** @returns whether it could be committed; if not, nothing is changed */
  transact({ parts, onRefusal, ending }: Write & { kind: 'transaction' }, id: WriteId): boolean {
    if (ending !== 'return') return false
    const verdict = this.#whole(() => {
      for (const part of parts) {
        const one = this.#part(part, id)
        const isOver = onRefusal === 'throw' || (part.kind === 'add' && part.orRollback)
        if (one.kind === 'rejected' && isOver) return one
      }
      return { kind: 'committed' }
    })
    return verdict.kind === 'committed'
  }

  /** All or nothing, with what is checked at COMMIT. */
  #whole(apply: () => Verdict, isOnePart = false): Verdict {
    // A part that is refused has changed nothing.
    if (isOnePart && this.links.length === 0) return apply()
    const before = this.copy()
    let verdict = apply()
    if (verdict.kind === 'committed' && this.links.some(([, key]) => !this.cells.has(key)))
      verdict = { kind: 'rejected', code: foreignKey }
    if (verdict.kind === 'rejected') this.#take(before)
    return verdict
  }

  #part(part: Part, id: WriteId): Verdict {
    const { cells } = this
    switch (part.kind) {
      case 'append':
        if (part.isBad) return { kind: 'rejected', code: check }
        return { kind: 'committed', id: this.log.push(id) }
      case 'insert':
        if (part.n < 0) return { kind: 'rejected', code: check }
        if (cells.has(part.key)) return { kind: 'rejected', code: primaryKey }
        cells.set(part.key, part.n)
        return { kind: 'committed' }
      case 'upsert':
        if (part.n < 0) return { kind: 'rejected', code: check }
        cells.set(part.key, part.n)
        return { kind: 'committed' }
      case 'update': {
        const found = cells.get(part.key)
        const isFound = found !== undefined && (part.was === undefined || part.was === found)
        if (isFound && part.n < 0) return { kind: 'rejected', code: check }
        const changes = isFound ? 1 : 0
        if (part.expect !== undefined && part.expect !== changes)
          return { kind: 'rejected', code: expectation }
        if (isFound) cells.set(part.key, part.n)
        return { kind: 'committed', changes }
      }
      case 'delete': {
        const changes = cells.has(part.key) ? 1 : 0
        if (part.expect !== undefined && part.expect !== changes)
          return { kind: 'rejected', code: expectation }
        cells.delete(part.key)
        return { kind: 'committed', changes }
      }
      case 'add': {
        const below = [...cells].filter(([, n]) => n < part.below)
        if (below.some(([, n]) => n + part.n < 0)) return { kind: 'rejected', code: check }
        for (const [key, n] of below) cells.set(key, n + part.n)
        return { kind: 'committed', changes: below.length }
      }
      case 'link':
        this.links.push([id, part.key])
        return { kind: 'committed' }
    }
  }
}
