/** One row is changed and read, again and again: the job itself, then its parts in turn. */
import type { LiveJob, Workload } from '../../job.ts'
import { startMeter, type Usage } from '../../measure.ts'
import { CHANGE_PEERS, type ChangePeerName } from '../../peers/live/index.ts'
import { nextTurn } from '../../peers/peer.ts'
import { percentilesOf, type Percentiles } from '../../statistics.ts'
import { stateAt } from './rows.ts'
import { CHANGES_PER_TURN } from './sizes.ts'

const WARM_UP_MS = 300

export interface Stretch {
  readonly changes: number
  /** Operations that they became; undefined where each is one. */
  readonly written: number | undefined
  /** From the call to the answer, in µs: of each turn, the mean of its changes. */
  readonly callUs: Percentiles
  readonly usage: Usage
}

export interface Changed {
  readonly job: Stretch
  readonly part: Stretch
  /** Since the contender was opened: from them follows what its file must hold. */
  readonly jobChanges: number
  readonly partChanges: number
}

export const change: Workload<Changed, LiveJob> = async (job) => {
  const open = await CHANGE_PEERS[job.peer as ChangePeerName].load()
  const peer = await open(job.file)
  const next = { job: 0, part: 0 }

  const measure = async (kind: 'job' | 'part', roundMs: number): Promise<Stretch> => {
    const [first, writtenBefore] = [next[kind], peer.written?.()]
    const turnsUs: number[] = []
    const stop = startMeter()
    for (const end = performance.now() + roundMs; performance.now() < end; await nextTurn()) {
      const startMs = performance.now()
      for (let one = 0; one < CHANGES_PER_TURN; one++) {
        const number = next[kind]++
        const answer = kind === 'job' ? peer.changeJob(number) : peer.changePart(number)
        const row = answer instanceof Promise ? await answer : answer
        const state = row && 'stage' in row ? row.stage : row?.state
        if (row?.progress !== number || state !== stateAt(number))
          throw new Error(`change ${number} was not read`)
      }
      turnsUs.push(((performance.now() - startMs) * 1_000) / CHANGES_PER_TURN)
    }
    await peer.flush?.()
    const usage = stop()
    const written = writtenBefore === undefined ? undefined : (peer.written?.() ?? NaN) - writtenBefore
    return { changes: next[kind] - first, written, callUs: percentilesOf(turnsUs), usage }
  }

  await measure('job', WARM_UP_MS)
  const changedJob = await measure('job', job.roundMs)
  await measure('part', WARM_UP_MS)
  const changedPart = await measure('part', job.roundMs)
  await peer.close()
  return { job: changedJob, part: changedPart, jobChanges: next.job, partChanges: next.part }
}
