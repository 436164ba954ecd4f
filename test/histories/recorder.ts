/** Makes calls on an engine or a session, and writes down what they were and what came of them. */
import { writeSync } from 'node:fs'
import { CompiledQuery } from 'kysely'
import { TidemarkError, type Consistency, type ErrorCode, type Receipt } from '../../src/index.ts'
import type { Session } from '../../src/session.ts'
import type { Tidemark } from '../../src/tidemark.ts'
import type { HistoryEvent, Mark, WriteId } from './history.ts'
import { everything, type Tables } from './workload.ts'

type Distributed<E> = E extends HistoryEvent ? Omit<E, 'process' | 'from' | 'to'> : never
type Told = Distributed<HistoryEvent>

/** An engine or a session of it, with the name that it has in the history. */
export interface Caller {
  readonly client: Tidemark<Tables> | Session<Tables>
  readonly session: string | undefined
}

export class Recorder {
  readonly #file: number
  readonly #process: number
  readonly #originNs: bigint
  #last = 0
  #writes = 0
  #bookmarks = 0

  /** @param file an open file */
  constructor(file: number, process: number, originNs: bigint) {
    this.#file = file
    this.#process = process
    this.#originNs = originNs
  }

  /** Now. Never the same twice, so that calls of one process are in order. */
  now(): number {
    this.#last = Math.max(this.#last + 1, Number(process.hrtime.bigint() - this.#originNs))
    return this.#last
  }

  /** One write to the file: a process that is killed has told all of it, or nothing. */
  tell(told: Told, from: number = this.now()): void {
    const to = Math.max(from, this.now())
    writeSync(this.#file, `${JSON.stringify({ ...told, process: this.#process, from, to })}\n`)
  }

  /** @returns the receipt, unless the call was refused */
  write(
    { client, session }: Caller,
    epoch: number,
    key: string | undefined,
    isPoison: boolean,
  ): { write: WriteId; receipt: Receipt } | undefined {
    const write = this.#process * 100_000 + ++this.#writes
    const is_poison = Number(isPoison)
    const row = { write_id: write, epoch, is_poison } as Tables['log']
    const from = this.now()
    const told = { kind: 'write', session, write, key, isPoison } as const
    try {
      const receipt =
        key === undefined
          ? client.insert('log', row)
          : client.atomic((group) => {
              group.insert('log', row)
              group.upsert('registers', { key, write_id: write, is_poison })
            })
      this.tell({ ...told, position: markOf(receipt.position) }, from)
      return { write, receipt }
    } catch (error) {
      this.tell({ ...told, error: codeOf(error) }, from)
      return undefined
    }
  }

  async awaitOutcome({ session }: Caller, write: WriteId, receipt: Receipt): Promise<void> {
    const from = this.now()
    const { kind } = await receipt.outcome()
    this.tell({ kind: 'awaited', session, write, outcome: kind }, from)
  }

  /** @param byKysely as most programs read: then nothing is known of the read but its rows */
  async read(
    { client, session }: Caller,
    level: Consistency,
    timeoutMs: number,
    after: readonly { readonly name: string; readonly bookmark: string }[] = [],
    byKysely = false,
  ): Promise<ErrorCode | undefined> {
    const from = this.now()
    const told = { kind: 'read', session, level, timeoutMs, after: after.map(({ name }) => name) } as const
    const options = { consistency: level, timeoutMs, after: after.map(({ bookmark }) => bookmark) }
    try {
      if (byKysely) {
        const { rows } = await client.read(options).executeQuery(everythingCompiled)
        this.tell({ ...told, ...inParts(rows) }, from)
      } else {
        const { rows, seen, waitedMs } = await client.query<Shown>(everything, options)
        this.tell({ ...told, ...inParts(rows), seen: seen.map(markOf), waitedMs }, from)
      }
      return undefined
    } catch (error) {
      this.tell({ ...told, error: codeOf(error) }, from)
      return codeOf(error)
    }
  }

  /** @returns whether it shows what is not committed yet */
  async get({ client, session }: Caller, key: string): Promise<boolean> {
    const from = this.now()
    const told = { kind: 'get', session, key } as const
    try {
      const { row, pending } = await client.get('registers', { key })
      this.tell({ ...told, write: row?.write_id, pending }, from)
      return pending
    } catch (error) {
      this.tell({ ...told, error: codeOf(error) }, from)
      return false
    }
  }

  async catchUp(session: Session<Tables>, name: string, timeoutMs: number): Promise<ErrorCode | undefined> {
    const from = this.now()
    let error: ErrorCode | undefined
    try {
      await session.caughtUp({ timeoutMs })
    } catch (thrown) {
      error = codeOf(thrown)
    }
    this.tell({ kind: 'caught-up', session: name, ...(error === undefined ? {} : { error }) }, from)
    return error
  }

  /** @returns the bookmark, and its name in the history */
  take(session: Session<Tables>, name: string): { name: string; bookmark: string } {
    return this.#took(session.bookmark, { session: name })
  }

  takeOf(session: string | undefined, write: WriteId, receipt: Receipt): { name: string; bookmark: string } {
    return this.#took(receipt.bookmark, { session, write })
  }

  #took(bookmark: string, of: { session?: string | undefined; write?: WriteId }) {
    const name = `${this.#process}-${++this.#bookmarks}`
    this.tell({ kind: 'took', bookmark: name, ...of })
    return { name, bookmark }
  }

  list(session: Session<Tables>, name: string): void {
    const from = this.now()
    const listed = session.rejections().map(({ position }) => markOf(position))
    this.tell({ kind: 'rejections', session: name, listed }, from)
  }
}

const everythingCompiled: CompiledQuery<Shown> = CompiledQuery.raw(everything.sql)

/** A row of the log, or with a key one of the registers. */
interface Shown {
  readonly write_id: number
  readonly key: string | null
}

function inParts(rows: readonly Shown[]) {
  return {
    log: rows.flatMap(({ key, write_id }) => (key === null ? [write_id] : [])),
    registers: Object.fromEntries(
      rows.flatMap(({ key, write_id }) => (key === null ? [] : [[key, write_id]])),
    ),
  }
}

export function markOf({ epoch, seq }: { readonly epoch: number; readonly seq: number }): Mark {
  return { epoch, seq }
}

function codeOf(error: unknown): ErrorCode {
  if (error instanceof TidemarkError) return error.code
  throw error
}
