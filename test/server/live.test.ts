/** Live scopes of the engine that is served: what clients are shown, what they may not write, what an operator sees. */
import { expect, test } from 'vitest'
import type { Tidemark } from '../../src/index.ts'
import { running } from './running.ts'

interface DB {
  files: { path: string; size: number | null; body: Uint8Array | null }
}

// SPEC S2.3
test('law 6 · clients are shown the rows of a job as its memory has them, and may not write them beside it', async () => {
  const { call, logs } = await running()
  const db = logs.tidemark as unknown as Tidemark<DB>
  const file = await db.live('files', { path: 'a' })
  file.set({ size: 1 })
  const rows = '/v1/tables/files/rows'
  expect((await call('GET', `${rows}?path=a`)).body).toMatchObject({ row: { path: 'a', size: 1 } })
  const refused = await call('PUT', rows, { path: 'a', size: 2 })
  expect(refused).toMatchObject({ status: 409, body: { code: 'LIVE_HELD' } })
  const { text } = await call('GET', '/metrics')
  expect(text).toContain('tidemark_live_scopes 1\n')
  expect(text).toContain('tidemark_live_changes_total 1\n')
  await file.close()
  expect((await call('PUT', rows, { path: 'a', size: 2 })).status).toBe(200)
})
