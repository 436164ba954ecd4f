/**
 * What bad rows cost: how many statements the server is asked for until each is found, by the design of `careful.ts`.
 * Halving tries at each size the half with the bad row and the one without it; a try is a savepoint, the rows, a
 * release, and two more where it is undone.
 */
import { expect, test } from 'vitest'
import { withServer } from '../support/servers/installed.ts'
import { embeddedPostgres } from '../support/servers/postgres.ts'
import { throughProxy } from './postgres-workload.ts'

const rows = 1_000
/** So many refused units are halved before the rest are taken apart. */
const halvings = 64
const statementsOfTry = 5
/** The batch as it was sent at first, the fence once more, a look at the tables, COMMIT. */
const once = 12

await withServer(embeddedPostgres, (server) => {
  const halvingsToOne = Math.ceil(Math.log2(rows))

  test.for([
    { what: 'one', isBad: (n: number) => n === 617, mostTries: 1 + 2 * halvingsToOne },
    { what: 'the first', isBad: (n: number) => n === 1, mostTries: 1 + 2 * halvingsToOne },
    { what: 'the last', isBad: (n: number) => n === rows, mostTries: 1 + 2 * halvingsToOne },
    // As long as the budget lasts, each costs no more than if it were alone.
    { what: 'four', isBad: (n: number) => n % 300 === 7, mostTries: 1 + 4 * 2 * halvingsToOne },
    { what: 'every other', isBad: (n: number) => n % 2 === 0, mostTries: 1 + 2 * halvings + rows },
    { what: 'every', isBad: () => true, mostTries: 1 + 2 * halvings + rows },
  ])(
    'law 4 · of a thousand rows $what may be bad: its neighbours are committed, and looking for it has a bound',
    async ({ isBad, mostTries }) => {
      await using at = await throughProxy(server, {}, undefined, rows)
      let statements = 0
      let tries = 0
      let fences = 0
      at.proxy.rule = ({ letter, sql = '' }) => {
        if (letter !== 'Q' && letter !== 'E') return 'forward'
        statements++
        if (sql.startsWith('INSERT INTO "events"')) tries++
        if (sql.includes('UPDATE tidemark_writers SET watermark')) fences++
        return 'forward'
      }
      const numbers = Array.from({ length: rows }, (_, index) => index + 1)
      const bad = numbers.filter(isBad)
      const receipts = numbers.map((n) => at.db.insert('events', { n: isBad(n) ? -n : n }))
      const kinds = await Promise.all(receipts.map(async (receipt) => (await receipt.outcome()).kind))

      expect(kinds).toEqual(numbers.map((n) => (isBad(n) ? 'rejected' : 'committed')))
      const found = await server.query('SELECT n FROM events ORDER BY id', at.url)
      expect(found.map(({ n }) => n)).toEqual(numbers.filter((n) => !isBad(n)))
      expect(fences, 'one batch, once as it was and once with care').toBe(2)
      expect(tries).toBeLessThanOrEqual(1 + mostTries)
      // A letter each.
      expect(statements).toBeLessThanOrEqual(statementsOfTry * mostTries + bad.length + once)
    },
  )
})
