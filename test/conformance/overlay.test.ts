/** What the overlay shows before a commit, against what the database holds after it. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Store } from '../../src/contracts/store.ts'
import type { OverlayRow } from '../../src/reads/overlay.ts'
import { memory } from '../../src/stores/memory/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import type { Receipt } from '../../src/writes/receipt.ts'
import { databaseFile } from '../support/database-file.ts'
import { overlayEngine, type OverlayEngine } from '../support/overlay-engine.ts'
import {
  call,
  keyOf,
  names,
  operationsOn,
  places,
  schema,
  type Operation,
  type Place,
} from './overlay-program.ts'

/** Which write is seen in which table: in most of them only those that name their rows. */
const kinds = {
  'rows of their own': [
    'plain',
    'plain',
    'plain',
    'pairs',
    'pairs',
    'partly',
    'strict',
    'defaulted',
    'folding',
    'computing',
  ],
  'rows that other writes change': ['triggered', 'touched', 'replacing', 'replacing'],
  'rows that go with others': ['parents', 'children'],
}

/** After how many of the operations the program lets the event loop turn, so that batches end in many places. */
const programOn = (among: readonly string[]) =>
  fc.array(
    fc.tuple(
      operationsOn(among),
      fc.nat(9).map((chance) => chance === 0),
      fc.nat(2),
    ),
    { minLength: 1, maxLength: 14 },
  )

interface Look {
  readonly place: Place
  readonly answer: Promise<OverlayRow>
  /** What was known to be committed when the look was asked for. */
  readonly known: number
  /** What was accepted then: all of it must be shown. */
  readonly accepted: number
}

/** The same operations, each committed before the next: what every row is after each of them. */
async function history(among: readonly string[], operations: readonly Operation[]) {
  await using alone = await overlayEngine(memory({ schema, commit: 'sync' }))
  const rowsAfter: Map<string, unknown>[] = [new Map()]
  const rejected: (string | undefined)[] = []
  for (const one of operations) {
    const outcome = await write(alone, one).outcome()
    rejected.push(outcome.kind === 'rejected' ? outcome.error.storeCode : undefined)
    const rows = new Map<string, unknown>()
    for (const place of places(among, 0))
      rows.set(idOf(place), (await alone.get(place.table, keyOf(place))).row)
    rowsAfter.push(rows)
  }
  return { rowsAfter, rejected }
}

function write({ engine }: OverlayEngine, one: Operation): Receipt {
  if (one.kind !== 'group') return call(engine.operations, one)
  return engine.group((operations) => one.parts.forEach((each) => call(operations, each)))
}

/** Of an operation alone the overlay knows that it will be rejected when its guard fails, or its row is there. */
function isUnforeseen(one: Operation, rejection: string | undefined): boolean {
  const foreseen = ['EXPECTATION_FAILED', 'SQLITE_CONSTRAINT_PRIMARYKEY']
  return rejection !== undefined && (one.kind === 'group' || !foreseen.includes(rejection))
}

function idOf({ table, row }: Place): string {
  return `${table} ${row}`
}

describe.each([
  ['memory', 300, (): Store => memory({ schema })],
  ['sqlite', 15, (): Store => sqlite(databaseFile(schema))],
])('%s', (_, numRuns, store) => {
  test.each(Object.entries(kinds))(
    'law 6 · what get shows is what the commit gives, unless an operation that it shows is rejected: %s',
    async (kind, tables) => {
      let shown = 0
      let foreseen = 0
      await fc.assert(
        fc.asyncProperty(programOn(tables), async (steps) => {
          await using at = await overlayEngine(store())
          const looks: Look[] = []
          for (const [index, [one, turns, words]] of steps.entries()) {
            write(at, one)
            for (const place of places(tables, words)) {
              const known = at.engine.committer.tidemark
              // Called now; whoever awaited it first would be called in another state of things.
              const answer = Promise.resolve(at.get(place.table, keyOf(place)))
              answer.catch(() => undefined)
              looks.push({ place, answer, known, accepted: index + 1 })
            }
            if (turns) await new Promise((resolve) => setImmediate(resolve))
          }
          const operations = steps.map(([one]) => one)
          const { rowsAfter, rejected } = await history(tables, operations)
          for (const { place, answer, known, accepted } of looks) {
            const { row, pending, seen } = await answer
            const upTo = Math.max(seen, accepted)
            const mayVanish = operations.some(
              (one, index) =>
                index + 1 > known &&
                index + 1 <= upTo &&
                names(one, place) &&
                isUnforeseen(one, rejected[index]),
            )
            shown++
            if (pending) foreseen++
            if (pending && mayVanish) continue
            expect({ place, upTo, row }).toStrictEqual({
              place,
              upTo,
              row: rowsAfter[upTo]?.get(idOf(place)),
            })
          }
        }),
        { numRuns, endOnFailure: true },
      )
      // It did show what was not committed: a test of waiting alone would prove nothing.
      if (kind === 'rows of their own') expect(foreseen / shown).toBeGreaterThan(0.03)
    },
  )
})
