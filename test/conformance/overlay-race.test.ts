/**
 * Reads, commits, rejections and the writes of two engines race on one row.
 *
 * Each engine counts its writes in a column of its own, so that of two committed states the older one is known: it
 * has the smaller counts. What both set, `last`, tells which of them was the last.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { OpenedStore } from '../../src/contracts/store.ts'
import type { OverlayRow } from '../../src/reads/overlay.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import type { SqliteOptions } from '../../src/stores/sqlite/options.ts'
import type { Receipt } from '../../src/writes/receipt.ts'
import { databaseFile } from '../support/database-file.ts'
import { overlayEngine, type OverlayEngine } from '../support/overlay-engine.ts'

const schema = `CREATE TABLE cells (id INTEGER PRIMARY KEY, a INTEGER, b INTEGER, last TEXT, c INTEGER CHECK (c < 100));
  INSERT INTO cells VALUES (1, 0, 0, '', 0)`

const step = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('update', 'upsert', 'group', 'rejected') },
  { weight: 1, arbitrary: fc.constant('statement') },
  { weight: 6, arbitrary: fc.constantFrom('get', 'select') },
  { weight: 3, arbitrary: fc.constant('spin') },
  { weight: 4, arbitrary: fc.constant('turn') },
)
const program = fc.array(fc.tuple(step, fc.constantFrom('a', 'a', 'b')), { minLength: 300, maxLength: 500 })

/** What one read showed. */
interface Sight {
  readonly by: 'a' | 'b' | 'sql'
  /** Sights are numbered as they begin and as they end, by one count. */
  readonly begun: number
  readonly ended: number
  /** How many writes its engine had accepted when it began. */
  readonly accepted: number
  readonly pending: boolean
  readonly row: { readonly a: number; readonly b: number; readonly last: string }
}

class Racer {
  readonly name: 'a' | 'b'
  readonly receipts: Receipt[] = []
  readonly #at: OverlayEngine

  constructor(name: 'a' | 'b', at: OverlayEngine) {
    this.name = name
    this.#at = at
  }

  get accepted(): number {
    return this.receipts.length
  }

  write(kind: string): void {
    const { operations } = this.#at.engine
    const count = this.accepted + 1
    const set = { [this.name]: count, last: `${this.name}${count}` }
    if (kind === 'update') this.receipts.push(operations.update('cells', { id: 1 }, set))
    else if (kind === 'rejected')
      this.receipts.push(operations.update('cells', { id: 1n }, { ...set, c: 100 }))
    else if (kind === 'upsert') this.receipts.push(operations.upsert('cells', { id: 1, ...set }))
    else if (kind === 'group')
      this.receipts.push(
        this.#at.engine.group((group) => {
          group.update('cells', { id: 1 }, { last: 'half of a group' })
          group.update('cells', { id: 1 }, set)
        }),
      )
    else
      this.receipts.push(
        operations.write({
          sql: `UPDATE cells SET ${this.name} = ?, last = ? WHERE id = 1`,
          parameters: [count, `${this.name}${count}`],
        }),
      )
  }

  get(): OverlayRow | Promise<OverlayRow> {
    return this.#at.get('cells', { id: 1 })
  }

  async select(): Promise<OverlayRow> {
    const { rows } = await this.#at.store.query({ sql: 'SELECT a, b, last FROM cells', parameters: [] })
    return { row: rows[0], pending: false, seen: 0 as OverlayRow['seen'] }
  }
}

async function race(
  steps: readonly (readonly [string, string])[],
  settings: SqliteOptions,
  wrap: ((store: OpenedStore) => OpenedStore) | undefined,
): Promise<{ sights: Sight[]; racers: readonly Racer[] }> {
  const file = databaseFile(schema)
  const options = { batch: { maxOperations: 2, lingerMs: 0 } }
  await using atA = await overlayEngine(sqlite(file, settings), options, wrap)
  await using atB = await overlayEngine(sqlite(file, settings), options, wrap)
  const racers = { a: new Racer('a', atA), b: new Racer('b', atB) }
  const sights: Sight[] = []
  const under: Promise<void>[] = []
  let count = 0
  const look = (by: Sight['by'], accepted: number, ask: () => OverlayRow | Promise<OverlayRow>): void => {
    const begun = count++
    const see = ({ row, pending }: OverlayRow): void =>
      void sights.push({ by, begun, ended: count++, accepted, pending, row: row as Sight['row'] })
    const answer = ask()
    if (answer instanceof Promise) under.push(answer.then(see))
    else see(answer)
  }
  for (const [kind, who] of steps) {
    const racer = racers[who as 'a' | 'b']
    if (kind === 'get') look(racer.name, racer.accepted, () => racer.get())
    else if (kind === 'select') look('sql', 0, () => racer.select())
    else if (kind === 'turn') await new Promise((resolve) => setImmediate(resolve))
    else if (kind === 'spin') {
      // The threads commit meanwhile, and this one hears nothing of it.
      const endMs = performance.now() + 1
      while (performance.now() < endMs) look(racer.name, racer.accepted, () => racer.get())
    } else racer.write(kind)
  }
  await Promise.all(under)
  await Promise.all([atA.engine.flush(), atB.engine.flush()])
  return { sights, racers: [racers.a, racers.b] }
}

/** @returns what was shown that is older than what was shown as committed before, or was never written */
async function faultsOf(sights: readonly Sight[], racers: readonly Racer[]): Promise<object[]> {
  const faults: object[] = []
  const rejected = new Map<string, Set<number>>()
  for (const { name, receipts } of racers) {
    const outcomes = await Promise.all(receipts.map((receipt) => receipt.outcome()))
    const counts = outcomes.flatMap(({ kind }, index) => (kind === 'rejected' ? [index + 1] : []))
    rejected.set(name, new Set(counts))
  }
  const committed = sights.filter(({ pending }) => !pending).toSorted((x, y) => x.ended - y.ended)
  const lastOf = new Map(committed.map(({ row }) => [`${row.a} ${row.b}`, row.last]))
  let [a, b, next] = [0, 0, 0]
  for (const sight of sights.toSorted((x, y) => x.begun - y.begun)) {
    for (let seen = committed[next]; seen && seen.ended < sight.begun; seen = committed[++next]) {
      a = Math.max(a, seen.row.a)
      b = Math.max(b, seen.row.b)
    }
    const { row, by, accepted } = sight
    if (row.a < a || row.b < b) faults.push({ why: 'older than a committed state shown before', a, b, sight })
    const last = lastOf.get(`${row.a} ${row.b}`) ?? row.last
    if (last !== row.last)
      faults.push({ why: 'nothing was added, and yet it is not this state', last, sight })
    let own = accepted
    while (rejected.get(by)?.has(own)) own--
    if (by !== 'sql' && row[by] < own) faults.push({ why: 'a write accepted before is missing', own, sight })
  }
  return faults
}

/** Answers later than it has read: what happens in between, the overlay must not miss. */
function late(store: OpenedStore): OpenedStore {
  let queries = 0
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      if (name !== 'query') return value.bind(target) as unknown
      return async (...given: Parameters<OpenedStore['query']>) => {
        const result = await target.query(...given)
        const turns = (queries++ * 7) % 4
        for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
        return result
      }
    },
  })
}

describe.each([
  ['on this thread', {}, undefined, 8],
  ['from another thread', { journalMode: 'delete' }, undefined, 3],
  ['late', {}, late, 8],
] satisfies [string, SqliteOptions, ((store: OpenedStore) => OpenedStore) | undefined, number][])(
  'reads that are answered %s',
  (_, settings: SqliteOptions, wrap, numRuns) => {
    test('law 6 · once a row was shown as committed, no later read shows an older one; only what is rejected vanishes', async () => {
      let pending = 0
      await fc.assert(
        fc.asyncProperty(program, async (steps) => {
          const { sights, racers } = await race(steps, settings, wrap)
          pending += sights.filter((sight) => sight.pending).length
          expect((await faultsOf(sights, racers)).slice(0, 3)).toEqual([])
        }),
        { numRuns, endOnFailure: true },
      )
      // Answers from another thread come when all is committed; the others must have met what is not.
      if (settings.journalMode === undefined) expect(pending).toBeGreaterThan(numRuns)
    })
  },
)
