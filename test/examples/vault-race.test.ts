/** S0: the race that started it. Metadata is read while a file is in a batch, and the embedder is slow and fails. */
import { expect, test } from 'vitest'
import type { StoreKind } from '../../examples/vault/metadata/metadata.ts'
import { withExample } from '../support/examples.ts'
import { withServer } from '../support/servers/installed.ts'
import { embeddedPostgres } from '../support/servers/postgres.ts'

await withExample('vault', async () => {
  const { race } = await import('../../examples/vault/race.ts')
  const seed = Number(process.env['TIDEMARK_RACE_SEED'] ?? Math.floor(Math.random() * 1_000_000))

  async function requireRight(store: StoreKind, rounds: number, url?: string): Promise<void> {
    console.log(`TIDEMARK_RACE_SEED=${seed}`)
    const report = await race({
      store,
      url,
      rounds,
      seed,
      readings: ['eventual', 'readAfterWrite', 'strong'],
    })
    expect(report.wrong).toEqual([])
    expect(report.failures, 'the embedder failed').toBeGreaterThan(0)
    const { eventual, readAfterWrite, strong } = report.of
    expect(eventual?.old, 'there was a race').toBeGreaterThan(0)
    expect(eventual?.saidSo).toBe(eventual?.old)
    expect([readAfterWrite?.old, strong?.old]).toEqual([0, 0])
  }

  // SPEC S0.2
  test.each([
    { store: 'surrealdb', rounds: 200 },
    { store: 'sqlite', rounds: 500 },
  ] as const)(
    'on $store an eventual read may be old and says so; read-after-write and strong are right, every time',
    async ({ store, rounds }) => await requireRight(store, rounds),
  )

  test.each(['surrealdb', 'sqlite'] as const)(
    'the same check fails on the plain client of the same %s',
    async (store) => {
      const { wrong, of } = await race({ store, rounds: 100, seed, readings: ['plain'] })
      expect(wrong.length).toBeGreaterThan(0)
      expect(wrong[0]).toContain('does not say so')
      expect(of.plain).toMatchObject({ saidSo: 0 })
    },
  )

  await withServer(embeddedPostgres, (server) => {
    test('on PostgreSQL too', async () => {
      await requireRight('postgres', 200, await server.createDatabase())
      const url = await server.createDatabase()
      const { wrong } = await race({ store: 'postgres', url, rounds: 100, seed, readings: ['plain'] })
      expect(wrong[0]).toContain('does not say so')
    })
  })
})
