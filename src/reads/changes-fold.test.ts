/** Random programs of writes: whoever folds the committed changes holds the table. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Value } from '../contracts/values.ts'
import { memoryEngine } from '../../test/support/memory-engine.ts'
import type { Operations } from '../writes/operations.ts'
import { Changes, type Change } from './changes.ts'

const schema = 'CREATE TABLE cells (key TEXT PRIMARY KEY, n INTEGER NOT NULL CHECK (n >= 0), tag INTEGER)'

interface Write {
  readonly kind: 'insert' | 'upsert' | 'update' | 'delete'
  readonly key: string
  readonly n: number
  readonly tag: number | undefined
  /** The update or delete finds its row only if `n` is this. */
  readonly was: number | undefined
  readonly expect: number | undefined
}

const key = fc.constantFrom('a', 'b', 'c', 'd')
const n = fc.integer({ min: -1, max: 4 })
const write: fc.Arbitrary<Write> = fc.record({
  kind: fc.constantFrom('insert', 'upsert', 'update', 'delete'),
  key,
  n,
  tag: fc.option(fc.integer({ min: 0, max: 9 }), { nil: undefined }),
  was: fc.option(n, { nil: undefined }),
  expect: fc.constantFrom(undefined, undefined, 0, 1),
})
const writes = fc.array(write, { minLength: 1, maxLength: 6 })
const call = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constant('alone' as const), fc.tuple(write)) },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom('group' as const, 'load' as const), writes) },
)
/** After which calls the program waits for all before it. */
const program = fc.array(fc.tuple(call, fc.nat({ max: 4 })), { maxLength: 40 })

function apply(operations: Operations<unknown>, { kind, was, expect: guard, ...row }: Write): void {
  const where = { key: row.key, ...(was !== undefined && { n: was }) }
  const options = guard === undefined ? {} : { expect: guard }
  if (kind === 'update') operations.update('cells', where, { n: row.n, tag: row.tag }, options)
  else if (kind === 'delete') operations.delete('cells', where, options)
  else operations[kind]('cells', row)
}

type Cells = Map<unknown, Record<string, Value>>

function fold(cells: Cells, change: Change): void {
  if (change.kind === 'gap' || change.kind === 'statement') throw new Error(`unexpected: ${change.kind}`)
  const name = change.key?.['key']
  const row = cells.get(name)
  if (change.kind === 'insert') cells.set(name, { tag: null, ...change.values })
  else if (change.kind === 'upsert') cells.set(name, { tag: null, ...row, ...change.values })
  else {
    const isFound = row !== undefined && (change.where === undefined || change.where['n'] === row['n'])
    if (change.changes !== undefined) expect(change.changes).toBe(isFound ? 1 : 0)
    if (isFound && change.kind === 'update') cells.set(name, { ...row, ...change.values })
    else if (isFound) cells.delete(name)
  }
}

test('law 6 · a consumer of committed that has no gap and folds what it is told ends with the table’s rows', async () => {
  await fc.assert(
    fc.asyncProperty(program, fc.integer({ min: 1, max: 20 }), async (steps, maxOperations) => {
      await using at = await memoryEngine(schema, { batch: { maxOperations } })
      const { engine } = at
      const cells: Cells = new Map()
      const changes = new Changes(engine).subscribe({ when: 'committed' })
      const told: number[] = []
      const consumed = (async () => {
        for await (const change of changes) {
          told.push(change.position.seq)
          fold(cells, change)
        }
      })()
      for (const [[kind, list], chance] of steps) {
        if (kind === 'load') engine.load((rows) => list.forEach((one) => apply(rows, one)), [], undefined)
        else if (kind === 'group') engine.group((group) => list.forEach((one) => apply(group, one)))
        else for (const one of list) apply(engine.operations, one)
        if (chance === 0) await engine.flush()
      }
      await engine.flush()
      const rows = await at.rows('SELECT key, n, tag FROM cells ORDER BY key')
      await engine.close(1_000)
      await consumed
      expect(told).toEqual(told.toSorted((a, b) => a - b))
      expect([...cells.values()].toSorted((a, b) => (String(a['key']) < String(b['key']) ? -1 : 1))).toEqual(
        rows,
      )
    }),
    { numRuns: 300 },
  )
})
