/** `tidemark bench`: measures the user's own database, and says which settings suit it. */
import { measure, type Measured } from '../bench/measure.ts'
import type { Place } from '../bench/place.ts'
import { benchText } from '../bench/report.ts'
import { sqlitePlace } from '../bench/sqlite-place.ts'
import { suggest } from '../bench/suggest.ts'
import { databaseError } from '../database-error.ts'
import { needingPg, type Database } from '../database.ts'
import { StoreError } from '../../errors.ts'
import { EXIT, reportFailure } from '../failure.ts'
import { stopOnSignals } from './stop-on-signals.ts'

export interface BenchSettings {
  readonly database: Database
  readonly seconds: number
  readonly asJson: boolean
}

/** @returns the exit code */
export async function bench({ database, seconds, asJson }: BenchSettings): Promise<number> {
  using stop = stopOnSignals('stopping; what was made for it is removed')
  const takenAt = new Date().toISOString()
  let measured: Measured
  let kind: Place['kind']
  try {
    // Whatever happens, what it made is gone when it ends.
    await using place = await placeOf(database)
    kind = place.kind
    const say = (text: string): void => {
      if (process.stderr.isTTY) process.stderr.write(`tidemark: measuring ${text}\n`)
    }
    measured = await measure({ place, seconds, signal: stop.signal, say })
  } catch (error) {
    // What it made could not be removed either, and that is told last.
    if (error instanceof SuppressedError) reportFailure(told(database, error.suppressed))
    else if (stop.signal.aborted && error === stop.signal.reason) return stop.exitCode
    throw told(database, error instanceof SuppressedError ? error.error : error)
  }
  const suggested = suggest(kind, measured)
  const result = { database: database.name, takenAt, seconds, ...measured, suggested }
  process.stdout.write(asJson ? `${JSON.stringify(result, null, 2)}\n` : benchText(result, kind))
  return EXIT.ok
}

function told(database: Database, error: unknown): unknown {
  return error instanceof StoreError ? databaseError(database, error) : error
}

async function placeOf(database: Database): Promise<Place> {
  if (database.kind === 'sqlite') return sqlitePlace(database)
  const { postgresPlace } = await needingPg(() => import('../postgres/bench-place.ts'))
  return await postgresPlace(database)
}
