/**
 * What the database held after each commit, and what must have been in it: goes through the commits of a history, and
 * applies to the model what the tidemarks say was committed.
 */
import type { Contents, EngineId, EventOf } from './history.ts'
import { Model, type Verdict, type Written } from './model.ts'
import type { WriteId } from './program.ts'
import type { Report } from './violation.ts'

/** One accepted write. */
export interface Accepted {
  readonly write: WriteId
  readonly what: Written
  readonly first: number
  readonly last: number
  /** A redrive of this letter. */
  readonly letter?: number
  verdict: Verdict | undefined
  /** Of an interactive transaction: whether it had an effect; unknown where it changes nothing. */
  hadEffect?: boolean | 'unknown'
}

export interface Redrive {
  readonly write: WriteId
  readonly letter: number
}

/** One engine, as its calls and the database show it. */
export class EngineRecord {
  readonly opened: EventOf<'opened'>
  readonly accepted: Accepted[] = []
  readonly byWrite: Map<WriteId, Accepted> = new Map()
  readonly #byFirst = new Map<number, Accepted>()
  /** Redrives whose position is told by nobody: it is where one is missing. */
  readonly redrives: Redrive[] = []
  /** The last position that was given. */
  last = 0
  /** Up to here everything was committed, at some time. */
  committed = 0
  /** Up to here everything was told to be. */
  known = 0
  /** The database went back behind what it knew. */
  hasLostHistory = false
  isOver = false
  /** It stopped, or could not commit everything before it closed. */
  isBroken = false
  hasClosed = false
  closeTimeoutMs = 0
  mayStillCommit = false

  constructor(opened: EventOf<'opened'>) {
    this.opened = opened
  }

  accept(accepted: Accepted): void {
    this.accepted.push(accepted)
    this.byWrite.set(accepted.write, accepted)
    this.#byFirst.set(accepted.first, accepted)
    this.last = Math.max(this.last, accepted.last)
  }

  /** What begins at this position. */
  at(seq: number, letters: ReadonlyMap<number, Letter>): Accepted | undefined {
    const known = this.#byFirst.get(seq)
    if (known) return known
    const redrive = this.redrives.shift()
    if (!redrive) return undefined
    const { write, letter } = redrive
    // Nothing can be said of a letter that is not there, but that it is gone.
    const what = letters.get(letter)?.what ?? { kind: 'group', parts: [] }
    const accepted: Accepted = { write, what, first: seq, last: seq, letter, verdict: undefined }
    this.accept(accepted)
    return accepted
  }
}

/** A dead letter, with what was to be written, by whichever write. */
export interface Letter {
  readonly what: Written | undefined
  readonly of: WriteId
}

export interface Tidemark {
  readonly seq: number
  readonly isClosed: boolean
  readonly engine: EngineId | undefined
}

/** The database after a commit. */
export interface State {
  readonly model: Model
  readonly tidemarks: ReadonlyMap<number, Tidemark>
}

/** A commit as it is taken apart. */
interface Step {
  readonly next: Model
  readonly letters: Map<number, Letter>
  /** Letters that must be new. */
  readonly fresh: (readonly [epoch: number, seq: number, code: string])[]
  readonly contents: Contents
}

export class Ledger {
  readonly states: State[] = []
  readonly engines: Map<EngineId, EngineRecord> = new Map()
  /** The state at which the database last went back in time. */
  wentBackAt = 0
  readonly #byEpoch = new Map<number, EngineId>()
  #letters = new Map<number, Letter>()
  readonly #lettersAt: ReadonlyMap<number, Letter>[] = []
  readonly #report: Report

  constructor(report: Report) {
    this.#report = report
    this.states.push({ model: new Model(), tidemarks: new Map() })
    this.#lettersAt.push(new Map())
  }

  get now(): number {
    return this.states.length - 1
  }

  /** Dead letters that are there, by their ids. */
  get letters(): ReadonlyMap<number, Letter> {
    return this.#letters
  }

  get current(): State {
    return this.states[this.now] as State
  }

  open(event: EventOf<'opened'>): void {
    this.engines.set(event.engine, new EngineRecord(event))
    this.#byEpoch.set(event.epoch, event.engine)
  }

  engine(id: EngineId): EngineRecord {
    return this.engines.get(id) as EngineRecord
  }

  /** How far the engine's own tidemark is in a state. */
  tidemarkOf(engine: EngineRecord, state: State): number {
    const tidemark = state.tidemarks.get(engine.opened.epoch)
    const isOther = tidemark?.engine !== undefined && tidemark.engine !== engine.opened.engine
    return tidemark === undefined || isOther ? 0 : tidemark.seq
  }

  commit(contents: Contents): void {
    const { model, tidemarks } = this.current
    const next = model.copy()
    const letters = new Map(this.#letters)
    const fresh: (readonly [epoch: number, seq: number, code: string])[] = []
    const found = new Map<number, Tidemark>()
    let moved = 0
    for (const [epoch, seq, isClosed] of contents.tidemarks) {
      const before = tidemarks.get(epoch)
      const from = before?.seq ?? 0
      let engine = before?.engine
      if (seq < from) this.#report(2, `the tidemark of epoch ${epoch} fell from ${from} to ${seq}`)
      if (seq > from) {
        moved++
        engine = this.#byEpoch.get(epoch)
        if (before?.isClosed) this.#report(3, `epoch ${epoch} committed ${seq} after it had ended`)
        this.#apply(engine, epoch, from, seq, { next, letters, fresh, contents })
      }
      found.set(epoch, { seq, isClosed, engine })
    }
    if (moved > 1) this.#report(2, `one commit moved the tidemarks of ${moved} epochs`)
    this.#compare(next, contents)
    this.#compareLetters(letters, fresh, contents)
    this.#add({ model: next, tidemarks: found }, letters)
  }

  /** The database is what it was at some earlier moment, or at the beginning. */
  goBack(contents: Contents): void {
    const isIt = ({ tidemarks, model }: State): boolean =>
      contents.tidemarks.every(([epoch, seq]) => tidemarks.get(epoch)?.seq === seq) &&
      [...tidemarks.keys()].every((epoch) => contents.tidemarks.some(([other]) => other === epoch)) &&
      sameAs(model, contents)
    const at = this.states.findLastIndex(isIt)
    if (at < 0) return this.#report(2, 'what survived is not the result of a prefix')
    const { model } = this.states[at] as State
    const tidemarks = new Map(
      contents.tidemarks.map(([epoch, seq, isClosed]): [number, Tidemark] => [
        epoch,
        { seq, isClosed, engine: this.states[at]?.tidemarks.get(epoch)?.engine },
      ]),
    )
    this.#add({ model, tidemarks }, new Map(this.#lettersAt[at]))
    this.wentBackAt = this.now
    for (const engine of this.engines.values())
      if (this.tidemarkOf(engine, this.current) < engine.known || !tidemarks.has(engine.opened.epoch))
        engine.hasLostHistory = true
  }

  #add(state: State, letters: Map<number, Letter>): void {
    this.states.push(state)
    this.#lettersAt.push(letters)
    this.#letters = letters
  }

  #apply(id: EngineId | undefined, epoch: number, from: number, to: number, step: Step): void {
    const engine = id === undefined ? undefined : this.engines.get(id)
    const newer = engine && this.#newerOf(engine)
    if (newer) this.#report(3, `epoch ${epoch} committed ${to}, and ${newer.opened.epoch} had taken its name`)
    if (!engine) return this.#report(2, `epoch ${epoch} committed ${to}, and nobody has opened it`)
    if (engine.hasLostHistory)
      this.#report(10, `epoch ${epoch} committed ${to} on a database that had lost what it knew`)
    engine.committed = Math.max(engine.committed, to)
    if (engine.hasClosed && !engine.mayStillCommit)
      this.#report(9, `epoch ${epoch} committed ${to} after close() had returned`)
    for (let seq = from + 1; seq <= to;) {
      const accepted = engine.at(seq, step.letters)
      if (!accepted) return this.#report(2, `epoch ${epoch} committed ${seq}, which was never accepted`)
      if (accepted.last > to)
        return this.#report(4, `the tidemark of epoch ${epoch} is ${to}, inside write ${accepted.write}`)
      this.#applyOne(epoch, accepted, step)
      seq = accepted.last + 1
    }
  }

  /** An engine that had opened the same name later: then this one must be fenced. */
  #newerOf({ opened }: EngineRecord): EngineRecord | undefined {
    return [...this.engines.values()].find(
      (other) =>
        other.opened.writer === opened.writer &&
        other.opened.epoch > opened.epoch &&
        this.current.tidemarks.has(other.opened.epoch),
    )
  }

  #applyOne(epoch: number, accepted: Accepted, step: Step): void {
    const { next, letters, fresh, contents } = step
    const { what, write, first } = accepted
    if (accepted.letter !== undefined) return this.#applyRedrive(accepted, step)
    if (what.kind === 'transaction') {
      const tried = next.copy()
      // Whether it was committed is its callback's and the store's matter; what it did is there or it is not.
      const hadEffect = tried.transact(what, write) && sameAs(tried, contents)
      accepted.hadEffect = hadEffect && sameAs(next, contents) ? 'unknown' : hadEffect
      if (hadEffect) next.transact(what, write)
      accepted.verdict = { kind: 'committed' }
      return
    }
    const verdict = next.apply(what, write)
    accepted.verdict = verdict
    const reject = (seq: number, code: string): void => {
      fresh.push([epoch, seq, code])
      const id = contents.letters.find(([, letterEpoch, at]) => letterEpoch === epoch && at === seq)?.[0]
      const isText = code === 'UNREADABLE_INPUT'
      const content: Written | undefined = what.kind === 'load' ? { kind: 'append', isBad: true } : what
      if (id !== undefined) letters.set(id, { what: isText ? undefined : content, of: write })
    }
    if (verdict.kind === 'rejected') reject(first, verdict.code)
    if (verdict.kind === 'load')
      verdict.codes.forEach((code, index) => code !== undefined && reject(first + index, code))
  }

  #applyRedrive(accepted: Accepted, { next, letters }: Step): void {
    const letter = letters.get(accepted.letter as number)
    if (!letter?.what || letter.what.kind === 'transaction') {
      accepted.verdict = { kind: 'rejected', code: 'LETTER_GONE' }
      return
    }
    const { what } = letter
    const parts = what.kind === 'group' ? what.parts : [what as Extract<Written, { kind: 'append' }>]
    const verdict =
      what.kind === 'result' ? next.apply(what, letter.of) : next.apply({ kind: 'group', parts }, letter.of)
    accepted.verdict = verdict
    if (verdict.kind === 'committed') letters.delete(accepted.letter as number)
  }

  #compare(model: Model, contents: Contents): void {
    const { cells, results, links, log, logCount, checkpoint } = contents
    const differs = (what: string, found: unknown, expected: unknown): void =>
      this.#report(3, `${what} ${JSON.stringify(found)}, and must hold ${JSON.stringify(expected)}`)
    if (!sameMap(model.cells, cells)) differs('the cells hold', cells, [...model.cells])
    if (!sameMap(model.results, results)) differs('the results hold', results, [...model.results])
    if (links.length !== model.links.length) differs('the links hold', links, model.links)
    if (logCount !== model.log.length) differs('the log has rows:', logCount, model.log.length)
    const wrong = log.find(([id, write]) => model.log[id - 1] !== write)
    if (wrong) differs('the log holds', wrong, model.log[wrong[0] - 1])
    if (checkpoint !== model.checkpoint) differs('the checkpoint is', checkpoint, model.checkpoint)
  }

  #compareLetters(
    letters: ReadonlyMap<number, Letter>,
    fresh: readonly (readonly [epoch: number, seq: number, code: string])[],
    contents: Contents,
  ): void {
    const found = contents.letters.map(([, epoch, seq, code]) => `${epoch}/${seq} ${code}`)
    const expected = fresh.map(([epoch, seq, code]) => `${epoch}/${seq} ${code}`)
    if (found.join() !== expected.join())
      this.#report(5, `new dead letters are ${found.join(', ')}, and must be ${expected.join(', ')}`)
    else if (contents.letterIds.length !== letters.size || !contents.letterIds.every((id) => letters.has(id)))
      this.#report(
        5,
        `dead letters are ${contents.letterIds.join(', ')}, and must be ${[...letters.keys()].join(', ')}`,
      )
  }
}

function sameMap<T>(map: ReadonlyMap<string, T>, found: readonly (readonly [string, T])[]): boolean {
  return map.size === found.length && found.every(([key, value]) => map.get(key) === value)
}

/** As far as it can be told from a look: the log's rows were compared when they came. */
function sameAs(model: Model, { cells, results, links, logCount, checkpoint }: Contents): boolean {
  return (
    sameMap(model.cells, cells) &&
    sameMap(model.results, results) &&
    links.length === model.links.length &&
    logCount === model.log.length &&
    checkpoint === model.checkpoint
  )
}
