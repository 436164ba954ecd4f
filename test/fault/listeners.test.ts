import { expect, test } from 'vitest'
import { Child } from '../support/child.ts'
import { databaseFile, look } from '../support/database-file.ts'
import { ledgerSchema } from '../support/ledger.ts'

test('law 1 · an event listener that throws does not stop the engine, nor the other listeners', async () => {
  const file = databaseFile(ledgerSchema)
  const child = new Child(new URL('listener-process.ts', import.meta.url), [file])
  expect(await child.ended, child.stderr).toEqual({ code: 0, signal: null })

  const commits = Number(await child.said('commits'))
  expect(commits).toBeGreaterThan(1)
  // Each commit, the rejection, and the queue becoming full and having room again.
  expect(Number(await child.said('caught')), 'the error is thrown where the program can see it').toBe(
    commits + 3,
  )
  expect(look(file, 'SELECT count(*) AS n FROM rows')).toEqual([{ n: 100 }])
  expect(look(file, 'SELECT watermark, closed FROM tidemark_writers')).toEqual([
    { watermark: 101, closed: 1 },
  ])
})
