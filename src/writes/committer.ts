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
import type { Wait } from '../contracts/wait.ts'
import type { Certainty, StoreError, TidemarkError } from '../errors.ts'
import { EndOfTick } from '../end-of-tick.ts'
import { PendingBatch } from './batch.ts'
import type { Settling } from './follower.ts'
import type { Pacing } from './pacing.ts'
import type { Entry, Queue } from './queue.ts'
import { Recovery } from './recovery.ts'
import type { TransactionTurn } from './transaction-turn.ts'
import { asStoreError, fenced, historyLost } from './verdicts.ts'
import { noWait, Waiters } from './waiters.ts'
import { Watchdog } from './watchdog.ts'

export interface CommitterOptions {
  readonly lingerMs: number
  readonly minIntervalMs: number
  readonly giveUpAfterMs: number
  readonly alertAfterMs: number
}

export interface CommitterEvents {
  /** Called before a batch, or its first part, is settled. */
  onSettling(batch: PendingBatch, settling: Settling): void
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
  readonly #recovery: Recovery
  readonly #waiters = new Waiters()
  #state: 'running' | 'draining' | 'waiting' | 'exclusive' | 'stopped' = 'running'
  #stoppedBy: TidemarkError | undefined
  #inFlight: Sent[] = []
  #turn: TransactionTurn | undefined
  /** Batches whose commit did not succeed, until the others in flight have come back. */
  #refused: PendingBatch[] = []
  /** Why the first of them failed: those behind it are refused by the chain, which tells nothing. */
  #failure: StoreError | undefined
  #tidemark = 0 as Seq
  /** The highest position that the store was ever asked to commit. */
  #lastSent = 0 as Seq
  #lastSentAtMs = Number.NEGATIVE_INFINITY
  readonly #sending: EndOfTick
  #linger: Timer | undefined
  #pause: Timer | undefined

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
    this.#sending = new EndOfTick(runtime, () => this.#dispatch())
    this.#watchdog = new Watchdog(runtime, options.alertAfterMs, (sinceMs) => events.onStalled(sinceMs))
    this.#recovery = new Recovery(store, runtime, options.giveUpAfterMs, (attempt, delayMs, error) =>
      events.onRetry(attempt, delayMs, error),
    )
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
      this.#refused[0] ??
      this.#inFlight[0]?.batch ??
      this.#turn ??
      this.#queue.sealed[0] ??
      this.#queue.filling
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

  /** Resolves when what is due is sent; at once when nothing is. */
  sent(): Promise<void> {
    return this.#sending.done()
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

  /** Done when everything up to `seq` is committed or rejected; fails when the engine stops before. */
  reached(seq: Seq): Wait {
    if (this.#tidemark >= seq) return noWait
    if (this.#stoppedBy) return { ...noWait, done: Promise.reject(this.#stoppedBy) }
    this.hurry(seq)
    return this.#waiters.wait(seq)
  }

  /** Somebody waits for this position: what lingers before it goes now. */
  hurry(seq: Seq): void {
    const { filling } = this.#queue
    if (filling && filling.prev < seq) this.want(filling)
    this.#schedule()
  }

  /** A request that is no batch found the chain broken: looks into it. Batches in flight will tell by themselves. */
  suspect(failure: StoreError): void {
    if (this.#state === 'running' && this.#inFlight.length === 0) void this.#restart(failure)
  }

  /** Sends nothing more and abandons what is not settled. What is in flight may or may not be committed. */
  stop(error: TidemarkError): void {
    if (this.#state === 'stopped') return
    this.#state = 'stopped'
    this.#stoppedBy = error
    this.#linger?.cancel()
    this.#pause?.cancel()
    this.#recovery.cancel()
    this.#watchdog.rest()
    for (const batch of this.#refused) this.#abandon(batch, error)
    for (const { batch } of this.#inFlight) this.#abandon(batch, error, 'unknown')
    this.#turn?.abandon(error)
    this.#refused = []
    this.#inFlight = []
    for (const entry of this.#queue.clear()) {
      if (entry instanceof PendingBatch) this.#abandon(entry, error)
      else entry.abandon(error)
    }
    this.#waiters.abandon(error)
    this.#events.onStopped(error)
  }

  #abandon(
    batch: PendingBatch,
    error: TidemarkError,
    certainty: Certainty = batch.isUncertain ? 'unknown' : 'not-committed',
  ): void {
    this.#events.onSettling(batch, { watermark: batch.prev, outcome: undefined })
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
    if (this.#state === 'running') this.#sending.ask()
  }

  #dispatch(): void {
    while (this.#state === 'running') {
      const { sealed, filling } = this.#queue
      const isNextFilling = sealed.length === 0 && this.#inFlight.length === 0 && filling?.isDue === true
      if ((sealed.length === 0 && !isNextFilling) || this.#isTooSoon()) return
      // Sealed only now that it goes: until then it takes company.
      if (isNextFilling) this.#queue.seal()
      const next = this.#queue.sealed[0]
      if (next === undefined) return
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
    this.#lastSent = batch.last
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
    // Behind a batch that failed nothing can be committed, unless that one's reply was lost: the tidemark tells.
    if (this.#state === 'draining') {
      batch.isUncertain = true
      return this.#refuse(batch)
    }
    const commitMs = this.#runtime.monotonicMs() - sentAtMs
    const ownMs = commitMs / (this.#inFlight.length + 1)
    this.#pacing.observe(batch.operations, outcome.longestTransactionMs, ownMs)
    this.#settle(batch, batch.last, outcome, commitMs)
    this.#afterAnswer()
  }

  #settle(batch: PendingBatch, watermark: Seq, outcome: BatchOutcome, commitMs: number): void {
    this.#events.onSettling(batch, { watermark, outcome })
    batch.advance(watermark, outcome.results, outcome.rejections)
    this.#advance(watermark)
    if (batch.state === 'pending') return
    this.#queue.release(batch.operations, batch.bytes)
    this.#events.onCommitted(batch, outcome, commitMs)
  }

  #advance(watermark: Seq): void {
    this.#tidemark = watermark
    this.#recovery.isOver()
    this.#watchdog.progress()
    this.#waiters.advance(watermark)
  }

  #failed(error: unknown): void {
    if (this.#state === 'stopped') return
    const failure = asStoreError(error)
    const { batch } = this.#inFlight.shift() as Sent
    batch.isUncertain = failure.outcome === 'unknown'
    this.#failure ??= failure
    this.#state = 'draining'
    this.#refuse(batch)
  }

  #refuse(batch: PendingBatch): void {
    this.#refused.push(batch)
    if (this.#inFlight.length > 0) return
    const failure = this.#failure as StoreError
    this.#failure = undefined
    this.#queue.putBack(this.#refused)
    this.#refused = []
    void this.#restart(failure)
  }

  #afterAnswer(): void {
    if (this.#queue.sealed.length > 0 || this.#queue.filling?.isDue) this.#schedule()
    else if (this.#inFlight.length === 0) this.#watchdog.rest()
  }

  /** Finds out what is committed, and goes on behind it. */
  async #restart(failure: StoreError): Promise<void> {
    this.#state = 'waiting'
    const findings = await this.#recovery.find(failure, this.#tidemark)
    if (this.#isStopped() || findings.kind === 'cancelled') return
    if (findings.kind === 'stop') this.stop(findings.error)
    else this.#resumeAt(findings.tidemark)
  }

  /** Asked after an `await`, where the compiler still believes what it knew before. */
  #isStopped(): boolean {
    return this.#state === 'stopped'
  }

  #resumeAt(found: Tidemark): void {
    const { watermark, isClosed, exists, rejections } = found
    if (!exists || watermark < this.#tidemark || watermark > this.#lastSent) {
      return this.stop(historyLost(found, this.#tidemark))
    }
    for (const entry of this.#queue.sealed) if (entry instanceof PendingBatch) entry.isUncertain = false
    while (this.#tidemark < watermark) {
      const next = this.#queue.sealed[0]
      if (!(next instanceof PendingBatch)) break
      if (next.last <= watermark) this.#queue.takeNext()
      this.#settle(next, Math.min(next.last, watermark) as Seq, { ...noOutcome, rejections }, 0)
    }
    if (this.#turn && watermark >= this.#turn.seq) this.#turnCommitted(this.#turn)
    else if (this.#turn) this.#turnVoid(this.#turn)
    if (isClosed) return this.stop(fenced())
    this.#state = 'running'
    this.#afterAnswer()
  }

  async #takeTurn(turn: TransactionTurn): Promise<void> {
    this.#state = 'exclusive'
    this.#turn = turn
    this.#lastSent = turn.seq
    this.#watchdog.watch()
    const ended = await turn.run(this.#store, this.#tidemark)
    if (this.#isStopped()) return
    if (ended.kind === 'not-started') {
      this.#turn = undefined
      this.#queue.putBack([turn])
    }
    if (ended.kind === 'not-started' || ended.kind === 'unknown') return void this.#restart(ended.error)
    if (ended.kind === 'committed') this.#turnCommitted(turn)
    else this.#turnVoid(turn)
    this.#state = 'running'
    this.#afterAnswer()
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
