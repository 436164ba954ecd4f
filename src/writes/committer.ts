/**
 * The committer sends batches to the store, one behind the other, and settles them.
 *
 * Owns: the chain of batches between "sealed" and "settled". Nobody else calls `store.commit`.
 * Keeps: law 1 (a batch settles only by what the store answered or the tidemark proves), law 2 (a batch is sent
 * only behind its predecessor; after a failure the chain restarts at the first batch that is not committed),
 * law 3 (an unknown outcome is resolved from the tidemark before anything is sent again), law 5 (a transient
 * error never drops), law 10 (a tidemark behind what is known to be committed stops the engine).
 *
 *   running ──commit fails──▶ draining ──all answers in──▶ waiting ──tidemark read again──▶ running
 *      │  ▲                                                   │ ▲ └─transient─┘ (backoff)
 *      ▼  │                                                   ▼
 *    exclusive (an interactive transaction)                stopped: fatal, fenced, history lost, gave up;
 *                                                          every receipt is abandoned
 *
 * A batch is sent at the end of a tick, so that all who write and await in one tick share a commit. With
 * nothing in flight the next batch goes when it is due (somebody waits, or it lingered); a second one is put
 * behind it only when full: until then it has more to gain from company than from haste.
 */
import type { Seq } from '../contracts/position.ts'
import type { Runtime, Timer } from '../contracts/runtime.ts'
import type { BatchOutcome, OpenedStore, Tidemark } from '../contracts/store.ts'
import { EngineStoppedError, StoreError, type Certainty, type TidemarkError } from '../errors.ts'
import { backoffMs } from './backoff.ts'
import { PendingBatch } from './batch.ts'
import type { Pacing } from './pacing.ts'
import type { Entry, Queue } from './queue.ts'
import type { TransactionTurn } from './transaction-turn.ts'
import { Watchdog } from './watchdog.ts'

export interface CommitterOptions {
  readonly lingerMs: number
  readonly minIntervalMs: number
  readonly giveUpAfterMs: number
  readonly alertAfterMs: number
}

export interface CommitterEvents {
  onCommitted(batch: PendingBatch, outcome: BatchOutcome, commitMs: number): void
  onRetry(attempt: number, delayMs: number, error: TidemarkError): void
  onStalled(sinceMs: number): void
  onStopped(error: TidemarkError): void
}

interface Sent {
  readonly batch: PendingBatch
  readonly sentAtMs: number
}

const noOutcome: BatchOutcome = { results: [], rejections: [], transactions: 0, longestTransactionMs: 0 }

export class Committer {
  readonly #store: OpenedStore
  readonly #queue: Queue
  readonly #pacing: Pacing
  readonly #runtime: Runtime
  readonly #options: CommitterOptions
  readonly #events: CommitterEvents
  readonly #watchdog: Watchdog
  #state: 'running' | 'draining' | 'waiting' | 'exclusive' | 'stopped' = 'running'
  #stoppedBy: TidemarkError | undefined
  #inFlight: Sent[] = []
  #turn: TransactionTurn | undefined
  #failure: StoreError | undefined
  #tidemark = 0 as Seq
  #attempt = 0
  #troubleSinceMs = 0
  #lastSentAtMs = Number.NEGATIVE_INFINITY
  #isScheduled = false
  #linger: Timer | undefined
  #pause: Timer | undefined
  #waiters: { seq: Seq; settled: PromiseWithResolvers<void> }[] = []

  constructor(
    store: OpenedStore,
    queue: Queue,
    pacing: Pacing,
    runtime: Runtime,
    options: CommitterOptions,
    events: CommitterEvents,
  ) {
    this.#store = store
    this.#queue = queue
    this.#pacing = pacing
    this.#runtime = runtime
    this.#options = options
    this.#events = events
    this.#watchdog = new Watchdog(runtime, options.alertAfterMs, (sinceMs) => events.onStalled(sinceMs))
  }

  /** The highest position known to be committed. */
  get tidemark(): Seq {
    return this.#tidemark
  }

  get inFlight(): number {
    return this.#inFlight.length
  }

  /** Since when the oldest operation waits, if one does. */
  get oldestAcceptedAtMs(): number | undefined {
    const oldest: Entry | undefined =
      this.#inFlight[0]?.batch ?? this.#turn ?? this.#queue.sealed[0] ?? this.#queue.filling
    return oldest?.acceptedAtMs
  }

  /** Operations were added: see to it that they are sent, now if their batch is full, else when they lingered. */
  accepted(batch: PendingBatch): void {
    if (this.#store.isSynchronous) {
      this.#queue.seal()
      this.#dispatch()
    } else if (batch !== this.#queue.filling) {
      this.#schedule()
    } else if (this.#linger === undefined) {
      this.#startLinger(this.#options.lingerMs)
    }
  }

  /** Somebody waits for this batch. */
  want(batch: PendingBatch): void {
    if (batch.isDue || batch.state !== 'pending') return
    batch.isDue = true
    this.#schedule()
  }

  /** A turn was added to the queue. */
  turnAdded(): void {
    this.#schedule()
  }

  /** Resolves when everything up to `seq` is committed or rejected; rejects when the engine stops before. */
  reached(seq: Seq): Promise<void> {
    if (this.#tidemark >= seq) return Promise.resolve()
    if (this.#stoppedBy) return Promise.reject(this.#stoppedBy)
    if (this.#queue.filling) this.want(this.#queue.filling)
    this.#schedule()
    const settled = Promise.withResolvers<void>()
    const before = this.#waiters.findLastIndex((waiter) => waiter.seq <= seq)
    this.#waiters.splice(before + 1, 0, { seq, settled })
    return settled.promise
  }

  /** Sends nothing more and abandons what is not settled. */
  stop(error: TidemarkError, certaintyInFlight: Certainty): void {
    if (this.#state === 'stopped') return
    this.#state = 'stopped'
    this.#stoppedBy = error
    this.#linger?.cancel()
    this.#pause?.cancel()
    this.#watchdog.rest()
    for (const { batch } of this.#inFlight) this.#abandon(batch, error, certaintyInFlight)
    this.#turn?.abandon(error)
    this.#inFlight = []
    for (const entry of this.#queue.clear()) {
      if (entry instanceof PendingBatch) this.#abandon(entry, error, 'not-committed')
      else entry.abandon(error)
    }
    for (const waiter of this.#waiters) waiter.settled.reject(error)
    this.#waiters = []
    this.#events.onStopped(error)
  }

  #abandon(batch: PendingBatch, error: TidemarkError, certainty: Certainty): void {
    batch.abandon({ error, certainty })
    this.#queue.release(batch.operations, batch.bytes)
  }

  #startLinger(ms: number): void {
    this.#linger = this.#runtime.after(ms, () => {
      this.#linger = undefined
      const { filling } = this.#queue
      if (!filling) return
      // One timer serves all batches: it may have been started for one that was full long ago.
      const leftMs = filling.acceptedAtMs + this.#options.lingerMs - this.#runtime.monotonicMs()
      if (leftMs > 0.5) return this.#startLinger(leftMs)
      filling.isDue = true
      this.#schedule()
    })
  }

  #schedule(): void {
    if (this.#isScheduled || this.#state !== 'running') return
    this.#isScheduled = true
    this.#runtime.atEndOfTick(() => {
      this.#isScheduled = false
      this.#dispatch()
    })
  }

  #dispatch(): void {
    while (this.#state === 'running') {
      if (this.#inFlight.length === 0 && this.#queue.filling?.isDue) this.#queue.seal()
      const next = this.#queue.sealed[0]
      if (next === undefined || this.#isTooSoon()) return
      if (next instanceof PendingBatch) {
        if (this.#inFlight.length >= this.#store.maxInFlight) return
        this.#queue.takeNext()
        this.#send(next)
      } else {
        if (this.#inFlight.length > 0) return
        this.#queue.takeNext()
        void this.#takeTurn(next)
      }
    }
  }

  #isTooSoon(): boolean {
    const { minIntervalMs } = this.#options
    if (minIntervalMs === 0) return false
    const leftMs = this.#lastSentAtMs + minIntervalMs - this.#runtime.monotonicMs()
    if (leftMs <= 0) return false
    this.#pause ??= this.#runtime.after(leftMs, () => {
      this.#pause = undefined
      this.#schedule()
    })
    return true
  }

  #send(batch: PendingBatch): void {
    const sentAtMs = this.#runtime.monotonicMs()
    this.#lastSentAtMs = sentAtMs
    this.#inFlight.push({ batch, sentAtMs })
    this.#watchdog.watch()
    let answer: BatchOutcome | Promise<BatchOutcome>
    try {
      answer = this.#store.commit(batch)
    } catch (error) {
      return this.#failed(error)
    }
    if (!(answer instanceof Promise)) return this.#landed(answer)
    answer.then(
      (outcome) => this.#landed(outcome),
      (error: unknown) => this.#failed(error),
    )
  }

  /** The oldest batch in flight is committed: a store answers in order. */
  #landed(outcome: BatchOutcome): void {
    if (this.#state === 'stopped') return
    const { batch, sentAtMs } = this.#inFlight.shift() as Sent
    const commitMs = this.#runtime.monotonicMs() - sentAtMs
    this.#pacing.observe(
      batch.operations,
      outcome.longestTransactionMs,
      commitMs / (this.#inFlight.length + 1),
    )
    this.#settle(batch, batch.last, outcome, commitMs)
    this.#attempt = 0
    this.#afterAnswer()
  }

  #settle(batch: PendingBatch, watermark: Seq, outcome: BatchOutcome, commitMs: number): void {
    batch.advance(watermark, outcome.results, outcome.rejections)
    this.#advance(watermark)
    if (batch.state === 'pending') return
    this.#queue.release(batch.operations, batch.bytes)
    this.#events.onCommitted(batch, outcome, commitMs)
  }

  #advance(watermark: Seq): void {
    this.#tidemark = watermark
    this.#watchdog.progress()
    const after = this.#waiters.findIndex((waiter) => waiter.seq > watermark)
    const satisfied = this.#waiters.splice(0, after < 0 ? this.#waiters.length : after)
    for (const waiter of satisfied) waiter.settled.resolve()
  }

  #failed(error: unknown): void {
    if (this.#state === 'stopped') return
    // The batches behind the first that failed are refused by the chain: only the first tells why.
    this.#failure ??= asStoreError(error)
    this.#state = 'draining'
    const { batch } = this.#inFlight.shift() as Sent
    this.#refused.push(batch)
    this.#afterAnswer()
  }

  /** Batches whose commit failed, waiting for the others in flight to come back. */
  #refused: PendingBatch[] = []

  #afterAnswer(): void {
    const { sealed, filling } = this.#queue
    if (this.#state === 'draining') {
      if (this.#inFlight.length > 0) return
      const failure = this.#failure as StoreError
      this.#failure = undefined
      this.#queue.putBack(this.#refused)
      this.#refused = []
      void this.#restart(failure)
    } else if (sealed.length > 0 || filling?.isDue) {
      this.#schedule()
    } else if (this.#inFlight.length === 0) {
      this.#watchdog.rest()
    }
  }

  /** Finds out what is committed, and goes on behind it. */
  async #restart(failure: StoreError): Promise<void> {
    this.#state = 'waiting'
    let latest = failure
    for (;;) {
      if (latest.failure === 'fatal') return this.stop(stoppedBy('STORE_FAILED', latest), latest.outcome)
      if (latest.failure !== 'chain' && !(await this.#backOff(latest))) return
      try {
        const tidemark = await this.#store.recover(this.#tidemark)
        if (this.#isStopped()) return
        return this.#resumeAt(tidemark)
      } catch (error) {
        if (this.#isStopped()) return
        latest = asStoreError(error)
        if (latest.failure === 'chain') throw error
      }
    }
  }

  #isStopped(): boolean {
    return this.#state === 'stopped'
  }

  /** @returns false when the engine stopped meanwhile. */
  async #backOff(error: StoreError): Promise<boolean> {
    this.#attempt++
    const nowMs = this.#runtime.monotonicMs()
    if (this.#attempt === 1) this.#troubleSinceMs = nowMs
    if (nowMs - this.#troubleSinceMs >= this.#options.giveUpAfterMs) {
      this.stop(stoppedBy('GAVE_UP', error), error.outcome)
      return false
    }
    const delayMs = backoffMs(this.#attempt, this.#runtime)
    this.#events.onRetry(this.#attempt, delayMs, error)
    await new Promise<void>((resume) => this.#runtime.after(delayMs, resume))
    return !this.#isStopped()
  }

  #resumeAt(found: Tidemark): void {
    const { watermark, isClosed, exists, rejections } = found
    if (!exists || watermark < this.#tidemark || watermark > this.#queue.last) {
      return this.stop(historyLost(found, this.#tidemark), 'unknown')
    }
    while (this.#tidemark < watermark) {
      const next = this.#queue.sealed[0]
      if (!(next instanceof PendingBatch)) break
      if (next.last <= watermark) this.#queue.takeNext()
      this.#settle(next, Math.min(next.last, watermark) as Seq, { ...noOutcome, rejections }, 0)
    }
    if (this.#turn && watermark >= this.#turn.seq) this.#turnCommitted(this.#turn)
    else if (this.#turn) this.#turnVoid(this.#turn)
    if (isClosed) return this.stop(fenced(), 'not-committed')
    this.#state = 'running'
    this.#schedule()
  }

  async #takeTurn(turn: TransactionTurn): Promise<void> {
    this.#state = 'exclusive'
    this.#turn = turn
    this.#watchdog.watch()
    const ended = await turn.run(this.#store, this.#tidemark)
    this.#watchdog.rest()
    if (this.#isStopped()) return
    if (ended.kind === 'not-started') {
      this.#turn = undefined
      this.#queue.putBack([turn])
    }
    if (ended.kind === 'not-started' || ended.kind === 'unknown') return void this.#restart(ended.error)
    if (ended.kind === 'committed') this.#turnCommitted(turn)
    else this.#turnVoid(turn)
    this.#state = 'running'
    this.#schedule()
  }

  #turnCommitted(turn: TransactionTurn): void {
    this.#turn = undefined
    this.#advance(turn.seq)
    turn.resolve()
  }

  /** Its position has no effect. An empty batch moves the tidemark past it, so that nobody waits for it in vain. */
  #turnVoid(turn: TransactionTurn): void {
    this.#turn = undefined
    const empty = new PendingBatch(this.#tidemark, this.#runtime.monotonicMs())
    empty.last = turn.seq
    empty.isDue = true
    this.#queue.putBack([empty])
    turn.reject()
  }
}

function asStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error
  return new StoreError('fatal', `the store failed in a way it did not declare: ${String(error)}`, {
    cause: error,
    outcome: 'unknown',
  })
}

function stoppedBy(code: 'STORE_FAILED' | 'GAVE_UP', error: StoreError): EngineStoppedError {
  const message = error.message.replace(/^tidemark: /, '')
  return new EngineStoppedError(
    code,
    code === 'GAVE_UP' ? `gave up after retrying for \`retry.giveUpAfterMs\`: ${message}` : message,
    {
      cause: error,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    },
  )
}

function fenced(): EngineStoppedError {
  return new EngineStoppedError(
    'FENCED',
    'a newer engine has opened this writer name; this one has stopped.',
    {
      hint: 'Give each engine a writer name of its own, or leave `writer` out.',
    },
  )
}

function historyLost(found: Tidemark, known: Seq): EngineStoppedError {
  const state = found.exists ? `its tidemark is ${found.watermark}` : 'it does not know this writer'
  return new EngineStoppedError(
    'HISTORY_LOST',
    `the database went back in time: ${state}, but ${known} was committed.`,
    {
      hint: 'It was restored, replaced or failed over. Compare it with what your application knows, then open it anew.',
    },
  )
}
