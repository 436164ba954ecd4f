/**
 * Rows are written at a steady rate, and every tenth is read back as soon as its insert has returned: by the same
 * engine, from the primary or from a replica, or by one in another process, which is handed the bookmark when the row
 * is committed.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import type { ReadOptions } from '../../../src/reads/read-options.ts'
import type { Tidemark } from '../../../src/tidemark.ts'
import type { PostgresJob, Workload } from '../../job.ts'
import { startMeter, type Usage } from '../../measure.ts'
import { openPostgres, type Tables } from '../../peers/postgres/tidemark.ts'
import { percentilesOf, type Percentiles } from '../../statistics.ts'
import { logRows } from './rows.ts'
import { READ_EVERY, WRITE_RATE } from './sizes.ts'

const WARM_UP_MS = 1_000
const TIMEOUT_MS = 10_000

export interface ReadBack {
  readonly usage: Usage
  readonly fromCallMs: Percentiles
  readonly fromCommitMs: Percentiles | undefined
  readonly written: number
}

type Read = (id: number, bookmark: string) => Promise<string | undefined>

export const readBack: Workload<ReadBack, PostgresJob> = async (job, pause) => {
  // Whatever the replica shows too late is not to be read from the primary unseen.
  const options = job.replica ? { replicas: [job.replica], replicaFallback: 'fail' as const } : {}
  const from = job.replica ? 'replica' : 'primary'
  const db = await openPostgres(job.url, undefined, options)
  const other = job.readerPort === 0 ? undefined : await OtherProcess.connect(job.readerPort)
  const read: Read = other
    ? (...asked) => other.read(...asked)
    : (id, after) => readRow(db, { after, from }, id)
  const rowAt = logRows()
  const fromCallMs: number[] = []
  const fromCommitMs: number[] = []
  let written = 0
  const insert = (): { readonly id: number; readonly receipt: ReturnType<typeof db.insert> } => {
    const id = ++written
    return { id, receipt: db.insert('logs', { id, ...rowAt(id) }) }
  }
  const insertAndRead = async (isCounted: boolean): Promise<void> => {
    const start = performance.now()
    const { id, receipt } = insert()
    if (other) await receipt
    const committed = performance.now()
    const message = await read(id, receipt.bookmark)
    const now = performance.now()
    if (message !== rowAt(id).message) throw new Error(`row ${id} was read as ${JSON.stringify(message)}`)
    if (!isCounted) return
    fromCallMs.push(now - start)
    if (other) fromCommitMs.push(now - committed)
  }
  /** So many a second, one at a time; those that the timer is late for come together. */
  const writeFor = async (ms: number, isCounted: boolean): Promise<void> => {
    const [startMs, first] = [performance.now(), written]
    const reads: Promise<void>[] = []
    for (;;) {
      const elapsedMs = Math.min(ms, performance.now() - startMs)
      const due = Math.floor((elapsedMs / 1_000) * WRITE_RATE) - (written - first)
      for (let row = 0; row < due; row++) {
        if (written % READ_EVERY === 0) reads.push(insertAndRead(isCounted))
        else insert()
      }
      if (elapsedMs === ms) break
      await delay(1)
    }
    await Promise.all(reads)
  }
  await writeFor(WARM_UP_MS, false)
  await pause('warm')
  const stop = startMeter()
  await writeFor(job.roundMs, true)
  const usage = stop()
  await pause('written')
  other?.close()
  await db.close()
  return {
    usage,
    fromCallMs: percentilesOf(fromCallMs),
    fromCommitMs: other && percentilesOf(fromCommitMs),
    written,
  }
}

/** @returns the text of the row, from a read that must include what `after` says */
export async function readRow(
  db: Tidemark<Tables>,
  options: Pick<ReadOptions, 'after' | 'from'>,
  id: number,
): Promise<string | undefined> {
  const row = await db
    .read({ consistency: 'readAfterWrite', timeoutMs: TIMEOUT_MS, ...options })
    .selectFrom('logs')
    .select('message')
    .where('id', '=', id)
    .executeTakeFirst()
  return row?.message
}

/** Asks a process in which `reader` runs. */
class OtherProcess {
  readonly #socket: Socket
  readonly #asked = new Map<string, (message: string) => void>()

  private constructor(socket: Socket) {
    this.#socket = socket
    createInterface({ input: socket }).on('line', (line) => {
      const [id = '', ...message] = line.split(' ')
      this.#asked.get(id)?.(message.join(' '))
      this.#asked.delete(id)
    })
  }

  static async connect(port: number): Promise<OtherProcess> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    return new OtherProcess(socket)
  }

  read(id: number, bookmark: string): Promise<string> {
    this.#socket.write(`${id} ${bookmark}\n`)
    return new Promise((resolve) => this.#asked.set(String(id), resolve))
  }

  close(): void {
    this.#socket.end()
  }
}
