/**
 * What goes together in one statement on PostgreSQL does what it does apart. TIDEMARK_RUNS sets the number of random
 * programs.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Outcome } from '../../src/index.ts'
import { stage, type Stage } from '../../src/testing/stage.ts'
import { onPostgres } from './on-postgres.ts'
import { collation, known, program, tables, write, type Program } from './together-program.ts'

const numRuns = Number(process.env['TIDEMARK_RUNS'] ?? known.length + 10)
const timeout = 600_000

/** One operation a batch, a few, and all at once. */
const sizes = [1, 3, 1_000]

/** With neither triggers nor references. */
const emptied = (names: readonly string[]): string =>
  [
    'SET session_replication_role = replica',
    ...[...names, 'tidemark_dead_letters'].map((name) => `DELETE FROM ${name}`),
    'RESET session_replication_role',
  ].join('; ')

/** Ids are those of the rows; which numbers a sequence gives depends on what was tried. */
const everythingIn = (names: readonly string[]): string =>
  names
    .map((name) =>
      name === 'numbered'
        ? "SELECT 'numbered' AS at, row_number() OVER (ORDER BY k)::text || ' ' || n AS row FROM numbered"
        : `SELECT '${name}' AS at, t::text AS row FROM ${name} AS t`,
    )
    .join(' UNION ALL ')
    .concat(' ORDER BY 1, 2')

await onPostgres((subject) => {
  const on = (maxOperations: number): Promise<Stage> =>
    stage(
      subject,
      {
        postgres: [[collation, ...tables.map(({ schema }) => schema)].join(';')],
        sqlite: [],
        mysql: [],
        surrealql: [],
      },
      { batch: { maxOperations } },
    )

  test(
    'law 4 · runs whose rows meet end the same one at a time, in one batch, and in batches of any size',
    { timeout },
    async () => {
      await using one = await on(1)
      await using few = await on(3)
      await using all = await on(1_000)
      const stages = [one, few, all]
      await fc.assert(
        fc.asyncProperty(program, async ({ tables: names, bursts }) => {
          const ended = await Promise.all(
            stages.map(async (at) => {
              await at.outside(emptied(names))
              const receipts = bursts.flatMap((burst) => write(at.db, burst))
              const first = receipts[0]?.position.seq ?? 0
              const outcomes = await Promise.all(receipts.map((receipt) => receipt.outcome()))
              const rows = await at.rows(everythingIn(names))
              const letters = await at.outside(
                `SELECT seq - ${first} AS seq, code FROM tidemark_dead_letters ORDER BY id`,
              )
              const byId = new Map((await at.outside('SELECT k, n FROM numbered')).map(({ k, n }) => [k, n]))
              return { outcomes: outcomes.map((outcome) => told(outcome, byId)), rows, letters }
            }),
          )
          expect(ended[1], `in batches of ${sizes[1]}`).toEqual(ended[0])
          expect(ended[2], 'in one batch').toEqual(ended[0])
        }),
        { numRuns, examples: known.map((example): [Program] => [example]) },
      )
    },
  )
})

function told(outcome: Outcome, byId: ReadonlyMap<unknown, unknown>): unknown {
  if (outcome.kind === 'rejected') return outcome.error.storeCode
  if (outcome.kind === 'abandoned') return outcome.error.message
  const { id, position: _, ...rest } = outcome
  return { ...rest, ...(id === undefined ? {} : { rowOfId: byId.get(id) }) }
}
