/** kill -9 where a writer is most between states: while it opens (and repairs what a killed one left), and closes. */
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Child } from '../support/child.ts'
import { copyOfDatabase, databaseFile } from '../support/database-file.ts'
import { expectIntact, Model } from './model.ts'
import { schema } from './workload.ts'

const rounds = Math.ceil(Number(process.env['TIDEMARK_CRASH_ROUNDS'] ?? 200) / 25)
/** Far more than it takes: a busy machine shall not fail what is only slow. */
const timeout = 600_000
const seed = Math.floor(Math.random() * 1_000_000)

function start(file: string, model: Model, last?: number): Child {
  const parameters = [file, seed, 'wal', model.versions, ...(last === undefined ? [] : [last])]
  return new Child(new URL('child.ts', import.meta.url), parameters)
}

test(
  'law 3 · a writer killed while it opens and repairs leaves everything as it was',
  { timeout },
  async () => {
    const file = databaseFile(schema)
    const model = new Model(seed)
    let killedInOpen = 0
    for (let round = 0; round < rounds; round++) {
      // The first leaves a log to be repaired. The second is killed while it does that and takes the name.
      const first = start(file, model)
      await first.said('opening')
      const startedMs = performance.now()
      await first.said('ready')
      const openMs = performance.now() - startedMs
      await first.said('acknowledged')
      await first.kill()
      model.endEpoch(copyOfDatabase(file), first.lines)

      const second = start(file, model)
      await second.said('opening')
      await delay(Math.random() * openMs)
      await second.kill()
      model.endEpoch(copyOfDatabase(file), second.lines)
      if (!second.has('ready')) killedInOpen++
    }
    expectIntact(file)
    console.log(`${rounds} kills, ${killedInOpen} before the writer was ready`)
    expect(killedInOpen).toBeGreaterThan(0)
  },
)

test(
  'law 9 · a writer killed while it closes has lost nothing that it acknowledged',
  { timeout },
  async () => {
    const file = databaseFile(schema)
    const model = new Model(seed)
    const whole = start(file, model, 600)
    await whole.said('closing')
    const startedMs = performance.now()
    await whole.said('closed')
    const closeMs = performance.now() - startedMs
    await whole.ended
    model.endEpoch(copyOfDatabase(file), whole.lines)

    let killedInClose = 0
    for (let round = 0; round < rounds; round++) {
      const child = start(file, model, 600)
      await child.said('closing')
      await delay(Math.random() * closeMs)
      await child.kill()
      const tidemark = model.endEpoch(copyOfDatabase(file), child.lines)
      if (!child.has('closed')) killedInClose++
      else expect(tidemark).toBeGreaterThan(500)
    }
    expectIntact(file)
    console.log(`${rounds} kills, ${killedInClose} before the writer had closed`)
    expect(killedInClose).toBeGreaterThan(0)
  },
)
