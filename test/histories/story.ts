/** Tells a small history by hand, one event after another. Nothing in it is checked: it may be as wrong as it likes. */
import type { Consistency, ErrorCode } from '../../src/index.ts'
import type { History, HistoryEvent, Mark, WriteId } from './history.ts'

type Distributed<E> = E extends HistoryEvent ? Omit<E, 'from' | 'to'> : never

interface Options {
  readonly key?: string
  readonly isPoison?: boolean
}

/** Processes are 1, 2, …, and so are their epochs. Sessions are told apart by their names. */
export class Story {
  readonly #events: HistoryEvent[] = []
  readonly #log: WriteId[] = []
  readonly #deadLetters: Mark[] = []
  readonly #positions = new Map<WriteId, Mark>()
  readonly #keys = new Map<WriteId, string>()
  readonly #lastSeq = new Map<number, number>()
  #bookmarks = 0
  #ms = 0

  /** Each event begins when the one before has ended, unless it says how long it has taken. */
  tell(event: Distributed<HistoryEvent>, tookMs = 1): this {
    this.#ms += 2
    this.#events.push({ ...event, from: (this.#ms - tookMs) * 1e6, to: this.#ms * 1e6 })
    return this
  }

  write(process: number, session: string | undefined, { key, isPoison = false }: Options = {}): WriteId {
    const write = this.#positions.size + 1
    const seq = (this.#lastSeq.get(process) ?? 0) + 1
    this.#lastSeq.set(process, seq)
    const position = { epoch: process, seq }
    this.#positions.set(write, position)
    if (key !== undefined) this.#keys.set(write, key)
    this.tell({ kind: 'write', process, session, write, key, isPoison, position })
    return write
  }

  /** The writes are in the database from now on. Who wrote them is not told yet. */
  land(...writes: WriteId[]): void {
    this.#log.push(...writes)
  }

  /** As `land`, and their processes are told. */
  commit(...writes: WriteId[]): void {
    this.land(...writes)
    for (const write of writes) {
      const position = this.positionOf(write)
      this.tell({ kind: 'committed', process: position.epoch, position })
    }
  }

  reject(write: WriteId): void {
    const position = this.positionOf(write)
    this.#deadLetters.push(position)
    this.tell({ kind: 'rejected', process: position.epoch, position })
  }

  read(
    process: number,
    session: string | undefined,
    level: Consistency,
    log: readonly WriteId[],
    after: readonly string[] = [],
  ): void {
    this.tell({
      kind: 'read',
      process,
      session,
      level,
      after,
      timeoutMs: 5_000,
      log,
      registers: this.#registersOf(log),
    })
  }

  fail(process: number, session: string, error: ErrorCode, tookMs = 1): void {
    const read = {
      kind: 'read',
      process,
      session,
      level: 'readAfterWrite',
      after: [],
      timeoutMs: 5_000,
    } as const
    this.#ms += tookMs
    this.tell({ ...read, error }, tookMs)
  }

  get(process: number, session: string | undefined, write: WriteId | undefined, pending = false): void {
    this.tell({ kind: 'get', process, session, key: 'a', write, pending })
  }

  take(process: number, session: string, write?: WriteId): string {
    const bookmark = `bookmark ${++this.#bookmarks}`
    this.tell({ kind: 'took', process, session, bookmark, ...(write === undefined ? {} : { write }) })
    return bookmark
  }

  give(process: number, session: string, bookmark: string): void {
    this.tell({ kind: 'included', process, session, bookmark })
  }

  list(process: number, session: string, ...writes: WriteId[]): void {
    this.tell({ kind: 'rejections', process, session, listed: writes.map((write) => this.positionOf(write)) })
  }

  positionOf(write: WriteId): Mark {
    return this.#positions.get(write) ?? { epoch: 0, seq: 0 }
  }

  history(): History {
    return {
      events: this.#events,
      final: {
        log: this.#log.map((write) => ({ write, epoch: this.positionOf(write).epoch })),
        registers: this.#registersOf(this.#log),
        deadLetters: this.#deadLetters,
      },
    }
  }

  #registersOf(log: readonly WriteId[]): Record<string, WriteId> {
    const registers: Record<string, WriteId> = {}
    for (const write of log) {
      const key = this.#keys.get(write)
      if (key !== undefined) registers[key] = write
    }
    return registers
  }
}
