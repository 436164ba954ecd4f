/** A server that is sent what nobody should send stays what it was. `npm run fuzz` sends more of it. */
import { expect, test } from 'vitest'
import { Child } from '../support/child.ts'
import { temporaryFolder } from '../support/database-file.ts'
import { fuzz } from './fuzzed-server.ts'

const seed = Number(process.env['TIDEMARK_FUZZ_SEED'] ?? Math.floor(Math.random() * 1_000_000))

test(`2,000 malformed requests break nothing (TIDEMARK_FUZZ_SEED=${seed})`, async () => {
  const folder = temporaryFolder()
  const { violations, statuses } = await fuzz(folder, (...program) => new Child(...program), {
    seed,
    count: 2_000,
  })
  expect(violations, `seed ${seed}`).toEqual([])
  // They reach the routes, and not only the parser of node:http.
  for (const status of [200, 201, 202, 400, 404, 405, 415, 422])
    expect(statuses[status] ?? 0, `of ${status}`).toBeGreaterThan(0)
})
