/** Rows at full rate for so long, and requests that arrive meanwhile. */

import type { ReadJob, RequestKind, Workload } from '../../job.ts'
import { startMeter, type Usage } from '../../measure.ts'
import { nextTurn } from '../../peers/peer.ts'
import { READ_PEERS } from '../../peers/reads/index.ts'
import type { ReadPeer } from '../../peers/reads/peer.ts'
import { percentilesOf, type Percentiles } from '../../statistics.ts'
import { createRowPool, type RowPool } from '../rows.ts'
import { Arrivals } from './arrivals.ts'
import { nowMs } from './clock.ts'
import { FIRST_WRITTEN, keysUpTo, requireItem } from './items.ts'

const WARM_UP_MS = 300
/** At once, so that every thread that a contender reads on has started. */
const WARM_REQUESTS = 64

export interface RequestTimes {
  readonly fromArrivalMs: Percentiles
  readonly fromCallMs: Percentiles
}

export interface FullRate {
  readonly usage: Usage
  readonly rowsPerSecond: number
  readonly requests: Partial<Record<RequestKind, RequestTimes>>
  readonly writtenRows: number
  readonly writtenItems: number
}

export const fullRate: Workload<FullRate, ReadJob> = async (job) => {
  const rows = createRowPool(job.rowBytes)
  const open = await READ_PEERS[job.peer].load()
  const peer = await open(job.file, rows, job)
  const requests = new Requests(peer, rows, job)
  const arrivals = await Arrivals.open(job.requestsPerSecond, (arrivedMs) => requests.take(arrivedMs))
  let writtenRows = 0
  const run = async (roundMs: number): Promise<void> => {
    arrivals.start()
    for (const start = performance.now(); performance.now() - start < roundMs; await nextTurn()) {
      await peer.writeRows?.(writtenRows, job.rowsPerChunk)
      writtenRows += job.rowsPerChunk
    }
    arrivals.stop()
    await requests.whenDone()
    await peer.flush?.()
  }
  for (let request = 0; request < WARM_REQUESTS && job.requestsPerSecond > 0; request++)
    requests.take(nowMs())
  await requests.whenDone()
  await run(WARM_UP_MS)
  requests.forget()
  const before = writtenRows
  const stop = startMeter()
  await run(job.roundMs)
  const usage = stop()
  await arrivals.close()
  await peer.close()
  return {
    usage,
    rowsPerSecond: (writtenRows - before) / (usage.elapsedMs / 1000),
    requests: requests.times(),
    writtenRows,
    writtenItems: requests.written,
  }
}

class Requests {
  readonly #peer: ReadPeer
  readonly #rows: RowPool
  readonly #mix: readonly RequestKind[]
  readonly #nextKey: () => number
  readonly #underWay = new Set<Promise<void>>()
  readonly #waits = new Map<RequestKind, { fromArrivalMs: number[]; fromCallMs: number[] }>()
  #taken = 0
  written = 0

  constructor(peer: ReadPeer, rows: RowPool, job: ReadJob) {
    this.#peer = peer
    this.#rows = rows
    this.#mix = job.mix
    this.#nextKey = keysUpTo(job.rows)
    this.forget()
  }

  take(arrivedMs: number): void {
    const kind = this.#mix[this.#taken++ % this.#mix.length] as RequestKind
    if (kind === 'nothing') return
    const done: Promise<void> = this.#answer(kind, arrivedMs).finally(() => this.#underWay.delete(done))
    this.#underWay.add(done)
  }

  async whenDone(): Promise<void> {
    await Promise.all(this.#underWay)
  }

  forget(): void {
    for (const kind of this.#mix) this.#waits.set(kind, { fromArrivalMs: [], fromCallMs: [] })
  }

  times(): Partial<Record<RequestKind, RequestTimes>> {
    const times = [...this.#waits].map(([kind, { fromArrivalMs, fromCallMs }]) => [
      kind,
      { fromArrivalMs: percentilesOf(fromArrivalMs), fromCallMs: percentilesOf(fromCallMs) },
    ])
    return Object.fromEntries(times) as Partial<Record<RequestKind, RequestTimes>>
  }

  async #answer(kind: RequestKind, arrivedMs: number): Promise<void> {
    const id = kind === 'write and read' ? FIRST_WRITTEN + this.written++ : this.#nextKey()
    const calledMs = nowMs()
    const answer = this.#ask(kind, id)
    const item = answer instanceof Promise ? await answer : answer
    const doneMs = nowMs()
    requireItem(this.#rows, id, item)
    const waits = this.#waits.get(kind)
    waits?.fromArrivalMs.push(doneMs - arrivedMs)
    waits?.fromCallMs.push(doneMs - calledMs)
  }

  #ask(kind: RequestKind, id: number) {
    if (kind === 'write and read') return this.#peer.writeAndRead?.(id)
    if (kind === 'eventual') return this.#peer.read?.(id)
    const found = this.#peer.get?.(id)
    return found instanceof Promise ? found.then(({ row }) => row) : found?.row
  }
}
