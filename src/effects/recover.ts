/**
 * Finds rows that should have an effect and have none, as other programs or an earlier version left them, and gives them
 * one; and dead effects whose rows are gone.
 *
 * Keeps: law 8 beside live traffic. A row that was just written with its effect is not missing anything, wherever that
 * effect is: so a row counts as missing only if it was missing before it was looked for among the unfinished effects, and
 * still is afterwards. One that was under way in between is found there; one that was delivered in between is no longer
 * missing, since what a handler writes is committed with its ack. But it may have been delivered before it was looked for, and
 * written again behind that, with an effect of its own: so those that seem to be missing are looked for once more. One that
 * another recovery has enqueued meanwhile would be neither: so of two only one can enqueue what both have found, and the other
 * looks again.
 *
 * How it could break: a row that is written anew, and its effect delivered, twice within these looks.
 */
import type { Json } from '../contracts/values.ts'
import { InvalidOperationError, type TidemarkError } from '../errors.ts'
import { discardEffects } from './dead-effects.ts'
import type { EffectsHost } from './host.ts'
import { commitRound, readRounds } from './recovery-rounds.ts'
import { unfinishedKeys, type UnfinishedKeys } from './unfinished.ts'

/** A query, as `db.query` takes it. */
export type RecoverQuery =
  { readonly sql: string; readonly parameters: readonly unknown[] } | { compile(): unknown }

export interface RecoverOptions {
  /**
   * Finds the rows that should have an effect and have none: one row each, with `key`, and `payload` as JSON text or
   * object where the effect needs one. It must tell by what the handler writes with its ack, such as a column that is
   * NULL until then.
   */
  readonly missing?: RecoverQuery
  /** Finds which of these keys have a row: one row each, with `key`. Dead effects of other keys are orphans. */
  readonly existing?: (keys: readonly string[]) => RecoverQuery
  /** Only tells what it would do. Default true. */
  readonly dryRun?: boolean
  /** Rows enqueued, and orphans discarded, in one call, at most. Default 1,000. */
  readonly limit?: number
}

export interface Recovery {
  /** Keys of rows without an effect. They were enqueued, unless it was a dry run. */
  readonly missing: readonly string[]
  /** How many rows only seemed so: their effects are on their way, or waiting. */
  readonly underWay: number
  /** Keys of rows whose effect is dead: redrive it. */
  readonly dead: readonly string[]
  /** Ids of dead effects whose row is gone. They were discarded, unless it was a dry run. */
  readonly orphans: readonly string[]
  /** There may be more: call it again. */
  readonly isMore: boolean
}

type Rows = readonly Record<string, unknown>[]
/** Runs a query on all that is committed. */
export type Ask = (query: RecoverQuery) => Promise<Rows>

const defaultLimit = 1_000
export const MOST_RECOVERED = 100_000

/** @throws TidemarkError `INVALID_CALL` */
export async function recoverEffects(
  host: EffectsHost,
  ask: Ask,
  kind: string,
  options: RecoverOptions,
): Promise<Recovery> {
  const { missing, existing, dryRun = true, limit = defaultLimit } = options
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > MOST_RECOVERED)
    throw invalid(`\`limit\` must be a whole number from 1 to ${MOST_RECOVERED}, not ${String(limit)}`)
  const find = async (): Promise<MissingRows> =>
    missing === undefined ? noRows : await findMissing(host, ask, kind, missing)
  const orphans = existing === undefined ? [] : await findOrphans(host, ask, kind, existing, limit)
  const rows = dryRun ? await find() : await findAndEnqueue(host, kind, find, limit)
  if (!dryRun && orphans.length > 0) await discardEffects(host, orphans)
  return {
    missing: [...rows.missing.keys()].slice(0, limit),
    underWay: rows.underWay,
    dead: rows.dead,
    orphans,
    isMore: rows.missing.size > limit || orphans.length === limit,
  }
}

interface MissingRows {
  readonly missing: ReadonlyMap<string, Json>
  readonly underWay: number
  readonly dead: readonly string[]
}

const noRows: MissingRows = { missing: new Map(), underWay: 0, dead: [] }

/** Looks until what was found is enqueued, or there is nothing. @param limit of what is enqueued */
async function findAndEnqueue(
  host: EffectsHost,
  kind: string,
  find: () => Promise<MissingRows>,
  limit: number,
): Promise<MissingRows> {
  for (;;) {
    const last = await readRounds(host, kind)
    const rows = await find()
    const effects = [...rows.missing].slice(0, limit).map(([key, payload]) => ({ kind, key, payload }))
    const enqueue = (to: { enqueue(...all: typeof effects): void }): void => to.enqueue(...effects)
    if (effects.length === 0 || (await commitRound(host, kind, last, enqueue))) return rows
  }
}

async function findMissing(
  host: EffectsHost,
  ask: Ask,
  kind: string,
  query: RecoverQuery,
): Promise<MissingRows> {
  const before = keyed(await ask(query))
  const found = await unfinishedKeys(host, kind)
  const after = keyed(await ask(query))
  const rows = sortedOut(
    [...after].filter(([key]) => before.has(key)),
    found,
  )
  if (rows.missing.size === 0) return rows
  const again = await unfinishedKeys(host, kind)
  const last = keyed(await ask(query))
  const { missing, underWay, dead } = sortedOut(
    [...last].filter(([key]) => rows.missing.has(key)),
    again,
  )
  return { missing, underWay: rows.underWay + underWay, dead: [...rows.dead, ...dead] }
}

function sortedOut(
  rows: readonly (readonly [string, Json])[],
  { pending, dead }: UnfinishedKeys,
): MissingRows {
  return {
    missing: new Map(rows.filter(([key]) => !pending.has(key) && !dead.has(key))),
    underWay: rows.filter(([key]) => pending.has(key)).length,
    dead: rows.map(([key]) => key).filter((key) => dead.has(key) && !pending.has(key)),
  }
}

async function findOrphans(
  host: EffectsHost,
  ask: Ask,
  kind: string,
  existing: (keys: readonly string[]) => RecoverQuery,
  limit: number,
): Promise<string[]> {
  const { dead } = await unfinishedKeys(host, kind)
  const keys = [...dead.keys()].slice(0, limit)
  if (keys.length === 0) return []
  const there = keyed(await ask(existing(keys)))
  return keys
    .filter((key) => !there.has(key))
    .flatMap((key) => dead.get(key) ?? [])
    .slice(0, limit)
}

function keyed(rows: Rows): Map<string, Json> {
  return new Map(
    rows.map((row) => {
      const { key, payload = null } = row
      if (typeof key !== 'string' && typeof key !== 'number' && typeof key !== 'bigint')
        throw invalid('each row of its query must have a `key` that is a text or a number')
      return [String(key), asJson(payload)]
    }),
  )
}

function asJson(payload: unknown): Json {
  if (typeof payload !== 'string') return payload as Json
  try {
    return JSON.parse(payload) as Json
  } catch {
    return payload
  }
}

function invalid(problem: string): TidemarkError {
  return new InvalidOperationError('INVALID_CALL', `recover: ${problem}.`)
}
