/**
 * Subscriptions to what this engine's writes change.
 *
 * Owns: the engine's follower, set only while somebody subscribes, so that otherwise a write pays one comparison.
 * Keeps: law 6 (`committed` tells of every operation that took effect once, in position order, and of no other; its
 * receipt says committed by then), law 7 (each subscription has bounds, and no writer waits for one).
 *
 * How it could break: a batch may settle in parts, or after a lost reply. It is told in the parts that the committer
 * settles, each beginning behind `batch.prev`, where the one before ended; the committer moves `prev` with the steps.
 * Whoever told of steps at any other moment would tell of some twice, or of rejected ones.
 *
 * What it does not see: interactive transactions, whose statements run past the engine, and other engines' writes.
 */
import type { Run, Step } from '../contracts/operation.ts'
import type { Seq } from '../contracts/position.ts'
import type { RunResult } from '../contracts/store.ts'
import { TidemarkError } from '../errors.ts'
import { isInternalTable } from '../sql/bookkeeping.ts'
import type { PendingBatch } from '../writes/batch.ts'
import type { WriteEngine } from '../writes/engine.ts'
import type { Follower, Settling } from '../writes/follower.ts'
import { sizeOf } from '../writes/values.ts'
import { changeAt, tableOf, type Told } from './change.ts'
import { Subscription, type ChangeIterator } from './subscription.ts'

export type { Change } from './change.ts'

export interface ChangesOptions {
  /**
   * `accepted`: told when accepted; some may be rejected later. `committed`: told when committed; rejected ones are
   * left out.
   */
  readonly when: 'accepted' | 'committed'
  /** Only this table's. Then no statements are told: nobody can say what they touch. */
  readonly table?: string
  /**
   * How many changes may wait to be taken. When the buffer is full, those that come are left out until it is empty;
   * then a `gap` says how many. Default 10,000.
   */
  readonly maxBuffered?: number
  /** The same in bytes, counted as the queue's. A larger change is left out unless somebody waits for it. Default 8 MiB. */
  readonly maxBufferedBytes?: number
  /** Ends it. */
  readonly signal?: AbortSignal
}

const optionNames = ['when', 'table', 'maxBuffered', 'maxBufferedBytes', 'signal']

interface Subscriber {
  readonly subscription: Subscription
  readonly table: string | undefined
}

export class Changes implements Follower {
  readonly #engine: WriteEngine
  #accepted: readonly Subscriber[] = []
  #committed: readonly Subscriber[] = []

  constructor(engine: WriteEngine) {
    this.#engine = engine
  }

  /**
   * Begins with what is accepted, or committed, after the call: whoever subscribes first and reads then misses nothing.
   *
   * @throws TidemarkError `INVALID_CALL`, naming every problem, `UNKNOWN_TABLE`; EngineStoppedError
   */
  subscribe(options: ChangesOptions): ChangeIterator {
    const { when, table, signal, ...bounds } = this.#parse(options)
    if (this.#engine.refusal !== undefined) throw this.#engine.refusal
    const subscription = new Subscription(bounds, signal, (ended) => this.#remove(ended))
    if (signal?.aborted) {
      void subscription.return()
      return subscription
    }
    const subscriber = { subscription, table }
    if (when === 'accepted') this.#accepted = [...this.#accepted, subscriber]
    else this.#committed = [...this.#committed, subscriber]
    this.#engine.follower = this
    return subscription
  }

  accepted(_batch: PendingBatch, step: Step, index: number, first: Seq): void {
    if (this.#accepted.length === 0) return
    if (step.kind === 'run') this.#tell(this.#accepted, step, index, first, noneTold)
    else visit([step], first, Infinity, (run, at, seq) => this.#tell(this.#accepted, run, at, seq, noneTold))
  }

  settling({ prev, steps }: PendingBatch, { watermark, outcome }: Settling): void {
    if (outcome === undefined || this.#committed.length === 0) return
    const rejected = new Set<Seq>(outcome.rejections.map(({ seq }) => seq))
    const toldOf = inOrder(outcome.results)
    visit(steps, (prev + 1) as Seq, watermark, (run, index, seq, isGrouped) => {
      if (rejected.has(seq)) return
      this.#tell(this.#committed, run, index, seq, isGrouped ? noneTold : toldOf(seq))
    })
  }

  ended(error: TidemarkError): void {
    for (const { subscription } of [...this.#accepted, ...this.#committed])
      subscription.drain(error.code === 'CLOSED' ? undefined : error)
  }

  #tell(subscribers: readonly Subscriber[], run: Run, index: number, seq: Seq, told: Told): void {
    const table = tableOf(run.shape)
    for (const subscriber of subscribers) {
      if (subscriber.table !== undefined && subscriber.table !== table) continue
      const position = this.#engine.position(seq)
      subscriber.subscription.add(bytesAt(run, index), position, () =>
        // Each gets its own, which it may change.
        changeAt(run, index, position, this.#engine.schema.tables.get(table ?? ''), told),
      )
    }
  }

  #remove(ended: Subscription): void {
    const isOther = ({ subscription }: Subscriber): boolean => subscription !== ended
    this.#accepted = this.#accepted.filter(isOther)
    this.#committed = this.#committed.filter(isOther)
    if (this.#accepted.length === 0 && this.#committed.length === 0) this.#engine.follower = undefined
  }

  #parse(options: ChangesOptions): Required<Omit<ChangesOptions, 'table' | 'signal'>> & ChangesOptions {
    const given: unknown = options
    if (typeof given !== 'object' || given === null)
      throw invalid([`its options must be an object, not ${String(given)}`])
    const { when, table, signal, maxBuffered = 10_000, maxBufferedBytes = 8 * 2 ** 20 } = options
    const problems = Object.keys(options)
      .filter((name) => !optionNames.includes(name))
      .map((name) => `${name} is not an option (options: ${optionNames.join(', ')})`)
    if (when !== 'accepted' && when !== 'committed')
      problems.push(`when must be 'accepted' or 'committed', not ${JSON.stringify(when)}`)
    for (const [name, value] of Object.entries({ maxBuffered, maxBufferedBytes }))
      if (!Number.isSafeInteger(value) || value < 1)
        problems.push(`${name} must be a whole number above 0, not ${String(value)}`)
    if (signal !== undefined && !(signal instanceof AbortSignal))
      problems.push('signal must be an AbortSignal')
    if (problems.length > 0) throw invalid(problems)
    const { tables } = this.#engine.schema
    if (table !== undefined && !tables.has(table)) {
      const known = [...tables.keys()].join(', ') || 'none'
      throw new TidemarkError('UNKNOWN_TABLE', `no table "${table}" (tables: ${known}).`, {
        hint: 'If it was created just now, call `db.reloadSchema()`.',
      })
    }
    return { when, maxBuffered, maxBufferedBytes, ...(table && { table }), ...(signal && { signal }) }
  }
}

const noneTold: Told = {}

/** Calls for each operation up to `last`, in order. Those of a group have one position together. */
function visit(
  steps: readonly Step[],
  first: Seq,
  last: number,
  tell: (run: Run, index: number, seq: Seq, isGrouped: boolean) => void,
): void {
  let seq: number = first
  for (const step of steps) {
    const isGrouped = step.kind === 'group'
    const behind = seq + (step.kind === 'load' ? step.positions : 1)
    for (const run of step.kind === 'run' ? [step] : step.runs.filter(isSomebodys)) {
      for (let index = 0; index < run.count && seq <= last; index++) {
        tell(run, index, seq as Seq, isGrouped)
        if (!isGrouped) seq++
      }
    }
    // A load's letters have positions behind its rows; a group's members have had none of their own.
    if (step.kind !== 'run') seq = behind
  }
}

/** What we keep for ourselves, beside what handlers of effects write, is nobody's change. */
function isSomebodys({ shape }: Run): boolean {
  return shape.kind === 'statement' || !isInternalTable(shape.table)
}

/** Finds the results of rising positions in one pass. */
function inOrder(results: readonly RunResult[]): (seq: Seq) => Told {
  let next = 0
  return (seq) => {
    for (; next < results.length; next++) {
      const result = results[next] as RunResult
      const index = seq - result.first
      if (index < 0) return noneTold
      if ('changes' in result && index < result.changes.length)
        return { changes: result.changes[index] as number }
      if ('firstId' in result && index < result.count) return { id: result.firstId + index }
    }
    return noneTold
  }
}

function bytesAt({ shape, values }: Run, index: number): number {
  const { width } = shape
  let bytes = shape.kind === 'statement' ? sizeOf(shape.sql) : 0
  for (let at = index * width; at < (index + 1) * width; at++) bytes += sizeOf(values[at] ?? null)
  return bytes
}

function invalid(problems: readonly string[]): TidemarkError {
  return new TidemarkError('INVALID_CALL', `this subscription cannot be made: ${problems.join('; ')}.`)
}
