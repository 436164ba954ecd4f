/** Random programs of writes, against a model that applies them one after another. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Subject } from '../../src/testing/index.ts'
import { stage } from '../../src/testing/stage.ts'
import { applyToModel, cellsTable, write, type Operation } from './model.ts'
import { withServer } from '../support/servers/installed.ts'
import { embeddedPostgres } from '../support/servers/postgres.ts'
import { postgresSubject } from './postgres-subject.ts'
import { memoryAsync, memorySync, sqliteFile } from './subjects.ts'

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')
const n = fc.integer({ min: -2, max: 20 })
const guard = fc.constantFrom(undefined, undefined, 0, 1)
const insert: fc.Arbitrary<Operation> = fc.record({ kind: fc.constant('insert'), key, n })
const remove: fc.Arbitrary<Operation> = fc.record({
  kind: fc.constant('delete'),
  key,
  expect: fc.constant(undefined),
})
const single: fc.Arbitrary<Operation> = fc.oneof(
  insert,
  fc.record({ kind: fc.constant('upsert' as const), key, n }),
  fc.record({ kind: fc.constant('update' as const), key, n, expect: guard }),
  fc.record({ kind: fc.constant('delete' as const), key, expect: guard }),
  fc.record({
    kind: fc.constant('add' as const),
    n: fc.integer({ min: -5, max: 5 }),
    below: n,
    orRollback: fc.boolean(),
  }),
)
const several = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: 1, maxLength: 5 })
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 12, arbitrary: single },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('group' as const), operations: several(single) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('load' as const), operations: several(insert) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('transaction' as const),
      operations: several(fc.oneof(insert, remove)),
    }),
  },
)
/** After which operations the program waits for all before it: so batches end in many places. */
const program = fc.array(
  fc.tuple(
    operation,
    fc.integer({ min: 0, max: 9 }).map((chance) => chance === 0),
  ),
  { maxLength: 60 },
)
const batch = fc.record({ maxOperations: fc.integer({ min: 1, max: 30 }), lingerMs: fc.constantFrom(0, 5) })

function holdAgainstModel(subject: Subject, numRuns: number): void {
  test(`laws 2 and 4 · a program of writes of every kind ends as if each had been applied alone, in order: ${subject.name}`, async () => {
    await fc.assert(
      fc.asyncProperty(program, batch, async (steps, options) => {
        await using at = await stage(subject, cellsTable, { batch: options })
        const cells = new Map<string, number>()
        const expected: string[] = []
        const ended: Promise<string>[] = []
        for (const [one, waits] of steps) {
          expected.push(applyToModel(cells, one))
          ended.push(write(at.db, one, subject.dialect))
          if (waits) await ended.at(-1)
        }
        expect(await Promise.all(ended)).toEqual(expected)
        const found = await at.rows('SELECT key, n FROM cells ORDER BY key')
        expect(found).toEqual(
          [...cells]
            .map(([name, value]) => ({ key: name, n: value }))
            .toSorted((a, b) => (a.key < b.key ? -1 : 1)),
        )
        // Every operation that was rejected, and nothing else, is in the dead letters.
        const letters = await at.outside('SELECT count(*) AS count FROM tidemark_dead_letters')
        expect(letters[0]?.['count']).toBe(
          lettersOf(
            steps.map(([one]) => one),
            expected,
          ),
        )
      }),
      { numRuns, endOnFailure: numRuns < 100 },
    )
  })
}

holdAgainstModel(memoryAsync, 300)
holdAgainstModel(memorySync, 100)
holdAgainstModel(sqliteFile, 20)
await withServer(embeddedPostgres, (server) => holdAgainstModel(postgresSubject('postgres', server), 40))

/** A transaction tells its caller and leaves no letter; a load leaves one for each bad row. */
function lettersOf(operations: readonly Operation[], endings: readonly string[]): number {
  return operations.reduce((sum, { kind }, index) => {
    const ending = endings[index] ?? ''
    if (kind === 'load') return sum + Number(ending.split(' ')[0])
    return kind === 'transaction' || ending === 'committed' ? sum : sum + 1
  }, 0)
}
