/** Judges `flush` and `close`, what the queue says of itself, and what became of durable writes. Laws 1, 3, 7, 9 and 10. */
import type { EventOf } from './history.ts'
import type { EngineRecord, Ledger } from './ledger.ts'
import type { Report } from './violation.ts'

/** All that was accepted when it was called. */
interface Flush {
  readonly engine: EngineRecord
  readonly seq: number
  readonly durable: boolean
}

/** No trouble of a program lasts so long. */
const longestTroubleMs = 1_000

export class CallJudge {
  readonly #ledger: Ledger
  readonly #report: Report
  readonly #openings: EventOf<'opening'>[] = []
  /** By process: those that were open already when it began to open. */
  readonly #openedBefore = new Map<number, Set<number>>()
  readonly #flushes = new Map<number, Flush>()
  /** What must survive a power loss. */
  #durable: Flush[] = []

  constructor(ledger: Ledger, report: Report) {
    this.#ledger = ledger
    this.#report = report
  }

  judge(
    event: EventOf<
      'flush' | 'flushed' | 'close' | 'closed' | 'room' | 'told-stopped' | 'open-failed' | 'opening'
    >,
  ): void {
    switch (event.kind) {
      case 'flush': {
        const engine = this.#ledger.engine(event.engine)
        return void this.#flushes.set(event.call, { engine, seq: engine.last, durable: event.durable })
      }
      case 'flushed':
        return this.#flushed(event)
      case 'close':
        // From here on it may abandon what it has not committed by its deadline.
        this.#ledger.engine(event.engine).isOver = true
        this.#ledger.engine(event.engine).closeTimeoutMs = event.timeoutMs
        return
      case 'closed':
        return this.#closed(event)
      case 'room':
        return this.#room(event)
      case 'told-stopped':
        return this.#stopped(event)
      case 'opening':
        this.#openings.push(event)
        return void this.#openedBefore.set(event.process, this.#processesOpened())
      case 'open-failed':
        if (event.ending.code !== 'STORE_FAILED')
          this.#report(1, `open() failed with ${event.ending.code ?? event.ending.storeCode}`)
        return
    }
  }

  /** A restored backup may be older than any promise; a power loss must keep those that were made for it. */
  wentBack(byPowerLoss: boolean): void {
    if (byPowerLoss) {
      for (const { engine, seq } of this.#durable) {
        const found = this.#ledger.tidemarkOf(engine, this.#ledger.current)
        if (found < seq)
          this.#report(1, `flush({ durable }) had promised ${seq}, and ${found} survived the power loss`)
      }
    }
    this.#durable = []
  }

  #flushed({ call, ending }: EventOf<'flushed'>): void {
    const flush = this.#flushes.get(call)
    if (!flush || ending.kind !== 'committed') return
    const { engine, seq, durable } = flush
    if (engine.committed < seq)
      this.#report(1, `flush() returned for ${seq}, and ${engine.committed} is committed`)
    engine.known = Math.max(engine.known, seq)
    if (durable && this.#ledger.tidemarkOf(engine, this.#ledger.current) >= seq) this.#durable.push(flush)
  }

  #processesOpened(): Set<number> {
    return new Set([...this.#ledger.engines.values()].map(({ opened }) => opened.process))
  }

  #closed({ engine: id, ending }: EventOf<'closed'>): void {
    const engine = this.#ledger.engine(id)
    engine.hasClosed = true
    if (ending.kind !== 'committed') {
      engine.isBroken = true
      if (ending.code === 'DEADLINE_PASSED' && engine.closeTimeoutMs >= longestTroubleMs)
        this.#report(9, `close() could not commit everything in ${engine.closeTimeoutMs} ms`)
      engine.mayStillCommit = ending.outcome === 'unknown'
      return
    }
    if (engine.committed < engine.last)
      this.#report(9, `close() returned, and of ${engine.last} positions ${engine.committed} are committed`)
  }

  #room({ engine: id, queued, isFull }: EventOf<'room'>): void {
    const { maxOperations } = this.#ledger.engine(id).opened
    if (!isFull && queued > maxOperations / 2)
      this.#report(7, `there is room again with ${queued} of ${maxOperations} operations in the queue`)
  }

  #stopped({ engine: id, code }: EventOf<'told-stopped'>): void {
    const engine = this.#ledger.engine(id)
    engine.isOver = true
    engine.isBroken = true
    if (code === 'FENCED' && !this.#wasOvertaken(engine))
      this.#report(3, `engine ${id} was fenced, and nobody had taken its name`)
    if (code === 'HISTORY_LOST' && this.#ledger.wentBackAt === 0)
      this.#report(10, `engine ${id} stopped with HISTORY_LOST on a database that never went back`)
  }

  /**
   * Somebody else was opening its name when it did, or began to later. No writer is silent for so long here that it is
   * taken for dead.
   */
  #wasOvertaken({ opened }: EngineRecord): boolean {
    const own = this.#openings.findIndex(({ process }) => process === opened.process)
    const before = this.#openings
      .slice(0, own)
      .filter(({ process }) => !this.#openedBefore.get(opened.process)?.has(process))
    return [...before, ...this.#openings.slice(own + 1)].some(({ writer }) => writer === opened.writer)
  }
}
