/** One item at a time, each when the one before it was handled and some time has passed: in one process, or by another. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import type { EffectsJob, Workload } from '../../job.ts'
import { startMeter, type Usage } from '../../measure.ts'
import { EFFECTS_PEERS } from '../../peers/effects/index.ts'
import { percentilesOf, type Percentiles } from '../../statistics.ts'
import { nowMs } from '../reads/clock.ts'

const WARM_ITEMS = 5
/** Long enough for everybody to come to rest, and never in step with somebody's clock. */
const LEAST_PAUSE_MS = 10
const PAUSE_RANGE_MS = 20

export interface Idle {
  readonly usage: Usage
  /** Until the handler is called. */
  readonly fromCommitMs: Percentiles
  readonly fromCallMs: Percentiles
}

/** The same process does them. */
export const idle: Workload<Idle, EffectsJob> = async (job, pause) => {
  const open = await EFFECTS_PEERS[job.peer].load()
  const peer = await open(job.address)
  const waiting = new Arrivals()
  const stop = await peer.work({
    mayFail: false,
    handle(id) {
      waiting.arrived(id, nowMs())
      return true
    },
  })
  const result = await sendEach(job, pause, peer.enqueueOne, waiting)
  await stop()
  await peer.close()
  return result
}

/** Another process does them: `handler`, which says over a socket when it was called. */
export const sender: Workload<Idle, EffectsJob> = async (job, pause) => {
  const open = await EFFECTS_PEERS[job.peer].load()
  const peer = await open(job.address)
  const socket = connect({ port: job.handlerPort, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  const waiting = new Arrivals()
  createInterface({ input: socket }).on('line', (line) => {
    const [id, atMs] = line.split(' ')
    waiting.arrived(Number(id), Number(atMs))
  })
  const result = await sendEach(job, pause, peer.enqueueOne, waiting)
  socket.end()
  await peer.close()
  return result
}

export const handler: Workload<object, EffectsJob> = async (job, pause) => {
  const open = await EFFECTS_PEERS[job.peer].load()
  const peer = await open(job.address)
  const sockets: Socket[] = []
  const stop = await peer.work({
    mayFail: false,
    handle(id) {
      const atMs = nowMs()
      for (const socket of sockets) socket.write(`${id} ${atMs}\n`)
      return true
    },
  })
  const server = createServer({ noDelay: true }, (socket) => void sockets.push(socket)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  await pause(String((server.address() as AddressInfo).port))
  server.close()
  await stop()
  await peer.close()
  return {}
}

async function sendEach(
  job: EffectsJob,
  pause: (moment: string) => Promise<void>,
  enqueueOne: (id: number) => PromiseLike<unknown>,
  arrivals: Arrivals,
): Promise<Idle> {
  const fromCommitMs: number[] = []
  const fromCallMs: number[] = []
  const sendOne = async (id: number): Promise<void> => {
    await delay(LEAST_PAUSE_MS + Math.random() * PAUSE_RANGE_MS)
    const arrival = arrivals.of(id)
    const calledMs = nowMs()
    await enqueueOne(id)
    const committedMs = nowMs()
    const arrivedMs = await arrival
    if (id < WARM_ITEMS) return
    // The handler may be called before its caller hears of the commit.
    fromCommitMs.push(Math.max(0, arrivedMs - committedMs))
    fromCallMs.push(arrivedMs - calledMs)
  }
  for (let id = 0; id < WARM_ITEMS; id++) await sendOne(id)
  await pause('warm')
  const stop = startMeter()
  const end = nowMs() + job.roundMs
  for (let id = WARM_ITEMS; nowMs() < end; id++) await sendOne(id)
  const usage = stop()
  await pause('written')
  return { usage, fromCommitMs: percentilesOf(fromCommitMs), fromCallMs: percentilesOf(fromCallMs) }
}

/** Who waits for which item to be handled. */
class Arrivals {
  readonly #waiting = new Map<number, (atMs: number) => void>()

  of(id: number): Promise<number> {
    return new Promise((resolve) => this.#waiting.set(id, resolve))
  }

  arrived(id: number, atMs: number): void {
    this.#waiting.get(id)?.(atMs)
    this.#waiting.delete(id)
  }
}
