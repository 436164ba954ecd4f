/** S0: the race that started it. Metadata is read while a file is in a batch, and the embedder is slow and fails. */
import { expect, test } from 'vitest'
import { withExample } from '../support/examples.ts'

await withExample('vault', async () => {
  const { race } = await import('../../examples/vault/race.ts')
  const seed = Number(process.env['TIDEMARK_RACE_SEED'] ?? Math.floor(Math.random() * 1_000_000))

  // SPEC S0.2
  test('an eventual read may be old and says so; read-after-write and strong are right, every time', async () => {
    console.log(`TIDEMARK_RACE_SEED=${seed}`)
    const report = await race({ rounds: 1_000, seed, readings: ['eventual', 'readAfterWrite', 'strong'] })
    expect(report.wrong).toEqual([])
    expect(report.failures, 'the embedder failed').toBeGreaterThan(0)
    const { eventual, readAfterWrite, strong } = report.of
    expect(eventual?.old, 'there was a race').toBeGreaterThan(0)
    expect(eventual?.saidSo).toBe(eventual?.old)
    expect([readAfterWrite?.old, strong?.old]).toEqual([0, 0])
  })

  test('the same check fails on a plain connection to the same database', async () => {
    const { wrong, of } = await race({ rounds: 200, seed, readings: ['plain'] })
    expect(wrong.length).toBeGreaterThan(0)
    expect(wrong[0]).toContain('does not say so')
    expect(of.plain).toMatchObject({ saidSo: 0 })
  })
})
