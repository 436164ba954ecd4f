/**
 * kill -9 of a real process at random moments, over and over on the same files. After each kill the file must
 * hold what was acknowledged, a prefix of what was accepted, each operation whole and once.
 *
 * TIDEMARK_CRASH_ROUNDS sets the number of kills (default 200), TIDEMARK_CRASH_SEED repeats the operations and
 * the delays of a run; the moment within a delay is the machine's.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Child } from '../support/child.ts'
import { copyOfDatabase, databaseFile } from '../support/database-file.ts'
import { diedInsideTransaction } from '../support/journal.ts'
import { expectIntact, Model } from './model.ts'
import { randomFrom, schema } from './workload.ts'

const rounds = Number(process.env['TIDEMARK_CRASH_ROUNDS'] ?? 200)
const seed = Number(process.env['TIDEMARK_CRASH_SEED'] ?? Math.floor(Math.random() * 1_000_000))
/** Kills of one file before a new one is begun: every reopening closes an epoch and goes on behind it. */
const roundsPerFile = 10
const lanes = 2
const longestRunMs = 60
/** Far more than it takes: a busy machine shall not fail what is only slow. */
const timeout = 600_000

interface Count {
  kills: number
  insideTransaction: number
  /** Kills after at least one acknowledgement. */
  afterAcknowledgement: number
  operations: number
}

// SPEC S2.5, S4.5
test(
  `laws 1 to 5 · what was acknowledged survives kill -9 at a random moment, and the rest is a prefix`,
  { timeout },
  async () => {
    const count: Count = { kills: 0, insideTransaction: 0, afterAcknowledgement: 0, operations: 0 }
    await Promise.all(Array.from({ length: lanes }, (_, lane) => runLane(lane, count)))
    const share = count.insideTransaction / count.kills
    console.log(
      `${count.kills} kills, ${count.insideTransaction} of them inside a transaction (${Math.round(share * 100)}%), ` +
        `${count.afterAcknowledgement} after an acknowledgement; ${count.operations} operations survived; ` +
        `TIDEMARK_CRASH_SEED=${seed}`,
    )
    expect(count.kills).toBe(rounds)
    expect(share).toBeGreaterThanOrEqual(0.3)
    expect(count.afterAcknowledgement / count.kills).toBeGreaterThanOrEqual(0.3)
  },
)

async function runLane(lane: number, count: Count): Promise<void> {
  const random = randomFrom(seed + lane)
  const files = Math.ceil(rounds / lanes / roundsPerFile)
  let left = Math.floor((rounds + lane) / lanes)
  for (let number = 0; number < files; number++) {
    const fileSeed = seed + lane * 1_000 + number
    // One file in five uses the rollback journal: another way to be interrupted, and to recover.
    const journalMode = number % 5 === 4 ? 'delete' : 'wal'
    const file = databaseFile(schema)
    const model = new Model(fileSeed)
    for (let round = 0; round < Math.min(left, roundsPerFile); round++) {
      await killOnce(file, fileSeed, journalMode, random() * longestRunMs, round % 2 === 1, model, count)
    }
    left -= roundsPerFile
    await finish(file, fileSeed, journalMode, model)
  }
}

async function killOnce(
  file: string,
  fileSeed: number,
  journalMode: string,
  afterMs: number,
  waitsForAcknowledgement: boolean,
  model: Model,
  count: Count,
): Promise<void> {
  const child = new Child(new URL('child.ts', import.meta.url), [file, fileSeed, journalMode, model.versions])
  expect(Number(await child.said('ready'))).toBe(model.epoch + 1)
  if (waitsForAcknowledgement) await child.said('acknowledged')
  await delay(afterMs)
  expect(await child.kill()).toEqual({ code: null, signal: 'SIGKILL' })
  count.kills++
  if (diedInsideTransaction(file)) count.insideTransaction++
  if (child.has('acknowledged')) count.afterAcknowledgement++
  count.operations += model.endEpoch(copyOfDatabase(file), child.lines)
}

/** After all the kills: one more process writes a little, closes in peace, and everything is still there. */
async function finish(file: string, fileSeed: number, journalMode: string, model: Model): Promise<void> {
  const child = new Child(new URL('child.ts', import.meta.url), [
    file,
    fileSeed,
    journalMode,
    model.versions,
    500,
  ])
  expect(await child.ended, child.stderr).toEqual({ code: 0, signal: null })
  expect(child.has('closed')).toBe(true)
  expect(model.endEpoch(file, child.lines)).toBeGreaterThan(400)
  expectIntact(file)
}
