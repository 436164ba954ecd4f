/**
 * Which engine holds which scope: a row for each in the database.
 *
 * Keeps: law 3 (a scope has one holder: whoever wants one that another engine holds waits until it is let go, or until
 * that engine's epoch has ended, after which it can commit nothing more. So no group of a scope needs a fence of its own).
 *
 *   free, or its holder's epoch has ended ──take──▶ held ──let go, or the epoch ends──▶ free
 *
 * An engine that holds scopes commits at least once a second, also when nothing changes, and says up to when all that
 * its scopes held then is in the database: others see that it lives, and how far what they read may be behind.
 */
import type { Epoch } from '../contracts/position.ts'
import type { Runtime, Timer } from '../contracts/runtime.ts'
import type { OpenedStore } from '../contracts/store.ts'
import type { Value } from '../contracts/values.ts'
import { TidemarkError } from '../errors.ts'
import { ownDelete, ownInsert, ownUpdate, OwnRuns } from '../own-runs.ts'
import type { Deadline } from '../reads/deadline.ts'
import type { OtherWriters } from '../reads/other-writers.ts'
import { nothing, type Own } from '../sql/text.ts'
import type { WriteEngine } from '../writes/engine.ts'
import { commitOwn } from '../writes/own-group.ts'

const key = ['table_name', 'row_key']

const own = {
  take: ownInsert('tidemark_scopes', [...key, 'epoch']),
  /** From an engine whose epoch has ended. */
  inherit: ownUpdate('tidemark_scopes', ['epoch'], [...key, 'epoch'], 1),
  letGo: ownDelete('tidemark_scopes', [...key, 'epoch']),
  firstBeat: ownInsert('tidemark_saved', ['epoch', 'up_to']),
  beat: ownUpdate('tidemark_saved', ['up_to'], ['epoch'], 1),
  forget: ownDelete('tidemark_saved', ['epoch']),
}

const holderSql = {
  sql: `SELECT s.epoch AS epoch, w.writer AS writer, w.closed AS closed, b.up_to AS up_to
    FROM tidemark_scopes s LEFT JOIN tidemark_writers w ON w.epoch = s.epoch
    LEFT JOIN tidemark_saved b ON b.epoch = s.epoch WHERE s.table_name = ? AND s.row_key = ?`,
  surrealql: `SELECT epoch, type::record('tidemark_writers', epoch).writer AS writer,
      type::record('tidemark_writers', epoch).closed AS closed, type::record('tidemark_saved', epoch).up_to AS up_to
    FROM type::record('tidemark_scopes', [?, ?])`,
}

/** Engines that keep a beat, and can commit nothing more. */
const endedSql = {
  sql: `SELECT b.epoch AS epoch FROM tidemark_saved b LEFT JOIN tidemark_writers w ON w.epoch = b.epoch
    WHERE w.epoch IS NULL OR w.closed = 1 LIMIT 1000`,
  surrealql: `SELECT epoch FROM tidemark_saved
    WHERE type::record('tidemark_writers', epoch).closed IN [NONE, 1] LIMIT 1000`,
}

const beatMs = 1_000
/** How long to wait before looking again whether a scope is free. */
const pauseMs = 20

/** Who holds a scope, as the database says. */
export interface Holder {
  readonly epoch: Epoch
  readonly writer: string
  /** Its epoch has ended. */
  readonly isGone: boolean
  /** All that it held in memory at this time is in the database, in ms since 1970 by its own clock. */
  readonly savedUpToMs: number | undefined
}

export interface ClaimedName {
  readonly table: string
  readonly key: string
}

export interface ClaimsParts {
  readonly engine: WriteEngine
  readonly store: OpenedStore
  readonly runtime: Runtime
  readonly others: OtherWriters
  /** Turns SQL with `?` into the store's own. */
  ask(sql: Own, parameters: readonly Value[]): Promise<readonly Record<string, unknown>[]>
  /** Since when something is not saved, by the wall clock; undefined: all is. */
  unsavedSinceMs(): number | undefined
}

export class Claims {
  readonly #parts: ClaimsParts
  /** Some scope was asked for. */
  wereMade = false
  #held = 0
  #timer: Timer | undefined
  /** The first sign of life: from then on every holder has one. */
  #begun: Promise<void> | undefined
  #hasBeaten = false
  #isOver = false
  #beating: Promise<unknown> | undefined

  constructor(parts: ClaimsParts) {
    this.#parts = parts
  }

  /**
   * Waits until the scope is free, and takes it.
   *
   * @throws TidemarkError `LIVE_HELD` when another engine still holds it at the deadline; EngineStoppedError
   */
  async take(name: ClaimedName, deadline: Deadline): Promise<void> {
    const { engine, store } = this.#parts
    this.wereMade = true
    await (this.#begun ??= this.#beat())
    for (;;) {
      const taking = new OwnRuns()
      const holder = await this.holder(name)
      if (holder?.epoch === store.epoch) break
      if (holder === undefined) taking.add(own.take, name.table, name.key, store.epoch)
      else if (holder.isGone) taking.add(own.inherit, store.epoch, name.table, name.key, holder.epoch)
      else {
        await this.#waitFor(name, holder, deadline)
        continue
      }
      // Rejected when somebody was quicker; after a lost reply nobody says so: the database is asked again.
      await commitOwn(engine, taking.runs, () => undefined)
    }
    this.#held++
    this.#keepBeating()
  }

  async letGo(names: readonly ClaimedName[]): Promise<void> {
    const runs = new OwnRuns()
    for (const { table, key: rowKey } of names) runs.add(own.letGo, table, rowKey, this.#parts.store.epoch)
    this.#held -= names.length
    if (names.length > 0) await commitOwn(this.#parts.engine, runs.runs, () => undefined)
  }

  async holder({ table, key: rowKey }: ClaimedName): Promise<Holder | undefined> {
    const [row] = await this.#parts.ask(holderSql, [table, rowKey])
    if (row === undefined) return undefined
    const { up_to: upTo, writer } = row
    return {
      epoch: Number(row['epoch']) as Epoch,
      writer: typeof writer === 'string' ? writer : 'unknown',
      isGone: row['closed'] === null || Number(row['closed']) === 1,
      savedUpToMs: upTo === null || upTo === undefined ? undefined : Number(upTo),
    }
  }

  /** Nobody is told of its scopes any more. */
  async stop(): Promise<void> {
    this.#isOver = true
    this.#timer?.cancel()
    await this.#beating
    if (!this.#hasBeaten) return
    const forgetting = new OwnRuns()
    forgetting.add(own.forget, this.#parts.store.epoch)
    await commitOwn(this.#parts.engine, forgetting.runs, () => undefined)
  }

  /** @throws TidemarkError `LIVE_HELD` */
  async #waitFor({ table, key: rowKey }: ClaimedName, holder: Holder, deadline: Deadline): Promise<void> {
    const { store, others } = this.#parts
    const { tidemarks } = await store.snapshot(nothing, [])
    const silent = tidemarks.find(({ epoch }) => epoch === holder.epoch)
    if (silent !== undefined && (await others.endIfSilent(silent))) return
    const waiting = deadline.pause(pauseMs, () => `the live scope of ${table} ${rowKey} was not let go`)
    await waiting.catch((error: unknown) => {
      // Given up before.
      if (deadline.leftMs > pauseMs) throw error
      throw new TidemarkError(
        'LIVE_HELD',
        `the live scope of ${table} ${rowKey} is held by writer "${holder.writer}" (epoch ${holder.epoch}), and was not let go within ${Math.round(deadline.elapsedMs)} ms.`,
        {
          retryable: true,
          hint: 'Close it there, or wait longer: one whose process has died is free when it has been silent for its lease, 30 s or more, and 5 s, or as soon as its writer name is opened again.',
        },
      )
    })
  }

  #keepBeating(): void {
    if (this.#timer !== undefined || this.#held === 0 || this.#isOver) return
    this.#timer = this.#parts.runtime.after(
      beatMs,
      () => {
        this.#timer = undefined
        this.#beating = this.#beat()
          // An engine that has stopped says so to everybody who writes.
          .catch(() => undefined)
          .finally(() => this.#keepBeating())
      },
      'background',
    )
  }

  async #beat(): Promise<void> {
    const { engine, store, runtime } = this.#parts
    if (engine.refusal !== undefined) return
    const upTo = Math.floor(this.#parts.unsavedSinceMs() ?? runtime.wallMs())
    const runs = new OwnRuns()
    if (this.#hasBeaten) runs.add(own.beat, upTo, store.epoch)
    else {
      for (const row of await this.#ended()) runs.add(own.forget, Number(row['epoch']))
      runs.add(own.firstBeat, store.epoch, upTo)
    }
    if ((await commitOwn(engine, runs.runs, () => undefined)) === undefined) this.#hasBeaten = true
  }

  /** Engines that said so and have ended otherwise than by `close`. */
  #ended(): Promise<readonly Record<string, unknown>[]> {
    return this.#parts.ask(endedSql, [])
  }
}
