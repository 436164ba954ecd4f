/**
 * kill -9 of workers and of their target, in a random order, on SQLite. `npm run crash -- --effects` runs hundreds, also
 * on PostgreSQL, whose server is killed too.
 */
import path from 'node:path'
import { expect, test } from 'vitest'
import { look } from '../support/database.ts'
import { databaseFile } from '../support/database-file.ts'
import { runEffects } from './effects-campaign.ts'
import { judge } from './effects-verdict.ts'
import { effectsSchema } from './workload.ts'

const seed = Number(process.env['TIDEMARK_CRASH_SEED'] ?? Math.floor(Math.random() * 1_000_000))

test(
  'laws 3 and 8 · whoever is killed, worker or target, every effect is delivered in order and acked once',
  { timeout: 600_000 },
  async () => {
    console.log(`TIDEMARK_CRASH_SEED=${seed}`)
    const file = databaseFile(effectsSchema)
    const site = {
      address: file,
      folder: path.dirname(file),
      rows: async (sql: string) => look(file, sql),
      outage: undefined,
    }
    const tally = await runEffects(site, 5, seed)
    expect(tally.kills.worker + tally.kills.target).toBe(5)
    expect(tally.effects).toBeGreaterThan(50)
    expect(tally.deliveries).toBeGreaterThanOrEqual(tally.effects)
  },
)

test('what the target got is judged: order, loss, and what was never committed', () => {
  const one = {
    effect: '1-1-0',
    key: 'k',
    version: 1,
    row: 'r1',
    by: 'a-1',
    attempt: 1,
    target: 1,
    isSlow: false,
  }
  const two = { ...one, effect: '1-2-0', version: 2, row: 'r2' }
  const rows = new Map([
    ['r1', 1],
    ['r2', 1],
  ])
  const killed = { workers: new Set<string>(), targets: new Set<number>(), databases: 0 }
  expect(judge([one, two], rows, killed)).toMatchObject({ effects: 2, deliveries: 2 })
  expect(() => judge([two, one], rows, killed)).toThrow('comes first behind')
  expect(() => judge([one], rows, killed)).toThrow('was not delivered')
  expect(() => judge([one, two], new Map([['r1', 1]]), killed)).toThrow('not committed')
  expect(() =>
    judge(
      [one, two],
      new Map([
        ['r1', 2],
        ['r2', 1],
      ]),
      killed,
    ),
  ).toThrow('committed 2 times')
  expect(() => judge([one, one, two], rows, killed)).toThrow('nothing explains')
})
