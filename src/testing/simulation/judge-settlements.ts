/** Judges what writers were told: positions, outcomes, rejections and changes. Laws 1, 2, 5 and 7. */
import type { Ending, EventOf } from './history.ts'
import type { Accepted, EngineRecord, Ledger } from './ledger.ts'
import type { WriteId } from './program.ts'
import type { Report } from './violation.ts'

/** Why a call may be refused before anything is queued. */
const refusals = new Set([
  'QUEUE_FULL',
  'SESSION_BEHIND',
  'CLOSED',
  'DEADLINE_PASSED',
  'FENCED',
  'GAVE_UP',
  'HISTORY_LOST',
  'STORE_FAILED',
  'NOT_REDRIVABLE',
  'TOO_LARGE',
])

export class SettlementJudge {
  readonly #ledger: Ledger
  readonly #report: Report
  readonly #settled = new Set<string>()
  /** By engine: positions of which a rejection, and of which changes were told. */
  readonly #rejected = new Map<number, Set<number>>()
  readonly #changes = new Map<number, Map<number, number>>()
  /** Said to be not committed, or to have had no effect: so it must never be. */
  readonly #never: { readonly engine: EngineRecord; readonly accepted: Accepted; readonly since: number }[] =
    []

  constructor(ledger: Ledger, report: Report) {
    this.#ledger = ledger
    this.#report = report
  }

  judge(
    event: EventOf<
      'accepted' | 'refused' | 'settled' | 'redrive' | 'redriven' | 'told-rejected' | 'told-change'
    >,
  ): void {
    const engine = this.#ledger.engine(event.engine)
    switch (event.kind) {
      case 'accepted':
        return this.#accepted(engine, event)
      case 'refused':
        return this.#refused(event.ending)
      case 'settled':
        return this.#settle(engine, event.write, event.ending)
      case 'redrive':
        return void engine.redrives.push({ write: event.write, letter: event.letter })
      case 'redriven':
        return this.#redriven(engine, event)
      case 'told-rejected':
        return this.#toldRejected(engine, event)
      case 'told-change':
        return this.#toldChange(engine, event)
    }
  }

  #accepted(engine: EngineRecord, { write, what, first, last, queued }: EventOf<'accepted'>): void {
    const { limit } = engine.opened
    const missing = first - engine.last - 1
    if (missing < 0 || missing > engine.redrives.length || last < first)
      this.#report(2, `write ${write} has positions ${first} to ${last} after ${engine.last}`)
    if (queued > limit) this.#report(7, `the queue holds ${queued} operations of at most ${limit}`)
    if (engine.hasClosed) this.#report(9, `write ${write} was accepted after close() had returned`)
    // A redrive that was accepted in between has the position that is missing.
    for (let seq = engine.last + 1; seq < first; seq++) engine.at(seq, this.#ledger.letters)
    engine.accept({ write, what, first, last, verdict: undefined })
  }

  #refused({ code, storeCode }: Ending): void {
    if (code === undefined || !refusals.has(code))
      this.#report(1, `a write was refused with ${code ?? storeCode}`)
  }

  #settle(engine: EngineRecord, write: WriteId, ending: Ending): void {
    const name = `${engine.opened.engine}/${write}`
    if (this.#settled.has(name)) this.#report(1, `write ${write} was settled twice`)
    this.#settled.add(name)
    const accepted = engine.byWrite.get(write)
    if (!accepted) return this.#report(1, `write ${write} was settled, and never accepted`)
    this.#judgeEnding(engine, accepted, ending)
  }

  #judgeEnding(engine: EngineRecord, accepted: Accepted, ending: Ending): void {
    const { write, what, last } = accepted
    if (ending.kind === 'committed' || ending.kind === 'rejected') {
      this.#requireCommitted(engine, accepted)
      engine.known = Math.max(engine.known, last)
    }
    if (what.kind === 'transaction') return this.#judgeTransaction(engine, accepted, ending)
    switch (ending.kind) {
      case 'committed':
      case 'rejected':
        return this.#compare(accepted, ending)
      case 'abandoned':
        if (!engine.isOver) this.#report(1, `write ${write} was abandoned by an engine that goes on`)
        if (ending.outcome === 'not-committed') this.#neverFromNow(engine, accepted)
        return
      case 'failed':
        return this.#report(1, `the outcome of write ${write} failed with ${ending.code ?? ending.storeCode}`)
    }
  }

  #neverFromNow(engine: EngineRecord, accepted: Accepted): void {
    this.#never.push({ engine, accepted, since: this.#ledger.now })
  }

  #requireCommitted(engine: EngineRecord, { write, last }: Accepted): void {
    if (engine.committed < last)
      this.#report(
        1,
        `write ${write} was told to be settled at ${last}, and ${engine.committed} is committed`,
      )
  }

  #judgeTransaction(engine: EngineRecord, accepted: Accepted, ending: Ending): void {
    const { write } = accepted
    if (ending.kind === 'committed') {
      if (accepted.hadEffect === false || accepted.hadEffect === undefined)
        this.#report(4, `transaction ${write} was told committed, without an effect`)
    } else if (ending.outcome !== 'unknown') this.#neverFromNow(engine, accepted)
  }

  #compare({ write, verdict }: Accepted, ending: Ending): void {
    const told = `write ${write} was told ${JSON.stringify(ending)}`
    if (!verdict) return this.#report(1, `${told}, and no commit held it`)
    const rejected =
      verdict.kind === 'load' ? verdict.codes.filter((code) => code !== undefined).length : undefined
    const isRight =
      verdict.kind === 'rejected'
        ? ending.kind === 'rejected' && ending.storeCode === verdict.code
        : ending.kind === 'committed' && ending.rejected === rejected
    if (!isRight) return this.#report(1, `${told}, and must be ${JSON.stringify(verdict)}`)
    // After a lost reply nobody knows what it left behind.
    if (verdict.kind !== 'committed') return
    for (const name of ['id', 'changes'] as const)
      if (ending[name] !== undefined && verdict[name] !== undefined && ending[name] !== verdict[name])
        this.#report(1, `${told}, and its ${name} must be ${verdict[name]}`)
  }

  #redriven(engine: EngineRecord, { write, ending }: EventOf<'redriven'>): void {
    if (ending.kind === 'failed') {
      engine.redrives.splice(
        0,
        engine.redrives.length,
        ...engine.redrives.filter((one) => one.write !== write),
      )
      return this.#refused(ending)
    }
    const accepted = engine.byWrite.get(write)
    if (accepted) return this.#judgeEnding(engine, accepted, ending)
    if (ending.kind !== 'abandoned')
      return this.#report(1, `redrive ${write} was told ${ending.kind}, and no commit held it`)
    // Abandoned before it was committed, so that nobody knows its position but itself.
    const seq = ending.seq ?? engine.last + 1
    const given = engine.at(seq, this.#ledger.letters)
    if (given) this.#judgeEnding(engine, given, ending)
  }

  #toldRejected(engine: EngineRecord, { seq, code }: EventOf<'told-rejected'>): void {
    const told = this.#rejected.get(engine.opened.engine) ?? new Set()
    this.#rejected.set(engine.opened.engine, told)
    if (told.has(seq)) this.#report(1, `the rejection of ${seq} was told twice`)
    told.add(seq)
    const expected = rejectionAt(engine, seq)
    if (expected !== code)
      this.#report(1, `${seq} was told rejected with ${code}, and is ${expected ?? 'not'}`)
  }

  #toldChange(engine: EngineRecord, { seq }: EventOf<'told-change'>): void {
    const told = this.#changes.get(engine.opened.engine) ?? new Map<number, number>()
    this.#changes.set(engine.opened.engine, told)
    if ([...told.keys()].some((other) => other > seq)) this.#report(2, `the change of ${seq} was told late`)
    told.set(seq, (told.get(seq) ?? 0) + 1)
  }

  /** What can be said when everything is over. */
  end(): void {
    for (const { engine, accepted, since } of this.#never) {
      // What was committed, and lost by a database that went back, is not committed.
      const isThere = this.#ledger.states
        .slice(since)
        .some((state) => this.#ledger.tidemarkOf(engine, state) >= accepted.first)
      if (isThere && (accepted.what.kind !== 'transaction' || accepted.hadEffect === true))
        this.#report(
          1,
          `write ${accepted.write} of engine ${engine.opened.engine} was told not committed, and is`,
        )
    }
    for (const engine of this.#ledger.engines.values())
      if (engine.hasClosed && !engine.isBroken) this.#complete(engine)
  }

  /** Of an engine that closed in peace, everybody was told of everything. */
  #complete(engine: EngineRecord): void {
    const id = engine.opened.engine
    for (const accepted of engine.accepted) {
      const { first, last, what } = accepted
      for (let seq = first; seq <= last; seq++) {
        const isRejected = rejectionAt(engine, seq) !== undefined
        if (isRejected && !this.#rejected.get(id)?.has(seq))
          this.#report(5, `nobody was told that ${seq} of engine ${id} was rejected`)
        if (!engine.opened.subscribes || what.kind === 'transaction') continue
        const changes = isRejected ? 0 : changesOf(accepted, seq - first)
        const told = this.#changes.get(id)?.get(seq) ?? 0
        if (told !== changes)
          this.#report(6, `${told} changes of ${seq} of engine ${id} were told, and must be ${changes}`)
      }
    }
  }
}

function rejectionAt(engine: EngineRecord, seq: number): string | undefined {
  const accepted = engine.accepted.find(({ first, last }) => first <= seq && seq <= last)
  const verdict = accepted?.verdict
  if (verdict?.kind === 'rejected') return verdict.code
  return verdict?.kind === 'load' ? verdict.codes[seq - (accepted?.first ?? 0)] : undefined
}

/** How many changes one position of a write makes. A load without rows has only its checkpoint. */
function changesOf({ what }: Accepted, index: number): number {
  if (what.kind === 'group') return what.parts.length
  if (what.kind === 'load') return index < what.bad.length ? 1 : 0
  return 1
}
