/**
 * A process of a history, one job after another: it opens an engine, runs sessions at random beside each other,
 * exchanges bookmarks with the other processes, and writes down everything. Killed at any moment, it has told what
 * it knew.
 */
import { closeSync, openSync } from 'node:fs'
import { open } from '../../src/index.ts'
import { postgres } from '../../src/stores/postgres/index.ts'
import { sqlite } from '../../src/stores/sqlite/index.ts'
import { Recorder, markOf } from './recorder.ts'
import { Sessions } from './sessions.ts'
import { type FromChild, type Job, type Tables, type ToChild } from './workload.ts'

let sessions: Sessions | undefined
const early: ToChild[] = []

process.on('message', (message: ToChild) => {
  if (message.kind === 'run') void run(message)
  else if (sessions) sessions.hear(message)
  // It may be sent before this process has opened its engine.
  else early.push(message)
})
process.on('disconnect', () => process.exit())
say({ kind: 'idle' })

async function run(job: Job): Promise<void> {
  // What was on its way when the last history ended.
  early.length = 0
  try {
    const file = openSync(job.events, 'a')
    const recorder = new Recorder(file, job.process, BigInt(job.originNs))
    const from = recorder.now()
    const { address, options } = job
    const store = address.startsWith('postgres:')
      ? postgres(address)
      : // On a busy machine the opening may hold the lock for a while.
        sqlite(address, { readers: 1, busyTimeoutMs: 30_000 })
    const db = await open<Tables>(store, options)
    recorder.tell({ kind: 'open', writer: db.writer, epoch: db.epoch }, from)
    say({ kind: 'opened', epoch: db.epoch })
    db.on('reject', ({ position }) => recorder.tell({ kind: 'rejected', position: markOf(position) }))
    db.on('commit', ({ tidemark }) => recorder.tell({ kind: 'committed', position: markOf(tidemark) }))
    sessions = new Sessions(db, job, recorder, say)
    for (const message of early.splice(0)) sessions.hear(message)
    await sessions.run()
    sessions = undefined
    await db.close()
    recorder.tell({ kind: 'close' })
    closeSync(file)
    say({ kind: 'done' })
  } catch (error) {
    say({ kind: 'failed', error: error instanceof Error ? String(error.stack) : String(error) })
  }
}

function say(message: FromChild): void {
  process.send?.(message)
}
