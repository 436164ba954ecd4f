/**
 * The tables of the world of effects, and what is looked up in them past the engine and the store.
 *
 * Hot: it is done after every commit, so it is one statement.
 */
import type { StatementSync } from 'node:sqlite'
import type { FaultyDatabase } from '../faulty-database.ts'
import type { Looks, Schema } from '../machine.ts'
import type { AckKind, EffectsContents } from './history.ts'

export const effectsSchema: Schema<EffectsContents> = {
  sql: `
    CREATE TABLE rows (id INTEGER PRIMARY KEY, n INTEGER NOT NULL CHECK (n > 0));
    CREATE TABLE cells (key TEXT PRIMARY KEY, n INTEGER NOT NULL);
    CREATE TABLE acks (id INTEGER PRIMARY KEY, effect INTEGER NOT NULL CHECK (effect > 0), kind TEXT NOT NULL);`,
  tables: ['rows', 'cells', 'acks'],
  lookInto: (database) => new EffectsLook(database),
}

/** Every part has its values as one JSON text, so that their number and their types are its own. */
const everything = [
  "SELECT 'tidemarks', json_array(epoch, watermark, closed) FROM tidemark_writers",
  "SELECT * FROM (SELECT 'acks', json_array(id, effect, kind) FROM acks WHERE id > ?1 ORDER BY id)",
  "SELECT 'ackCount', json_array(count(*)) FROM acks",
  "SELECT 'segments', json_array(count(*)) FROM tidemark_segments",
  `SELECT 'kept', json_array(epoch, seq, n, state, attempts, payload, effect_key, version, error IS NOT NULL)
   FROM tidemark_effects`,
  "SELECT 'lanes', json_array(lane, owner, token, beat, lease_ms) FROM tidemark_lanes",
  "SELECT 'results', json_array(epoch, seq, n) FROM tidemark_results",
].join(' UNION ALL ')

type Row = readonly [part: string, values: string]

class EffectsLook implements Looks<EffectsContents> {
  readonly #statement: StatementSync
  #lastAck = 0

  constructor(database: FaultyDatabase) {
    this.#statement = database.prepareUnfailing(everything)
    this.#statement.setReturnArrays(true)
  }

  atEverything(): EffectsContents {
    this.#lastAck = 0
    return this.atWhatIsNew()
  }

  atWhatIsNew(): EffectsContents {
    const parts = new Map<string, (number | string)[][]>()
    for (const [part, values] of this.#statement.all(this.#lastAck) as unknown as Row[])
      parts.set(part, [...(parts.get(part) ?? []), JSON.parse(values) as (number | string)[]])
    const rowsOf = (part: string): (number | string | null)[][] => parts.get(part) ?? []
    const numberOf = (part: string): number => Number(rowsOf(part)[0]?.[0] ?? 0)
    const acks = rowsOf('acks').map(
      ([id, effect, kind]) => [Number(id), Number(effect), kind as AckKind] as const,
    )
    this.#lastAck = acks.at(-1)?.[0] ?? this.#lastAck
    return {
      tidemarks: rowsOf('tidemarks').map(([epoch, watermark, closed]) => [
        Number(epoch),
        Number(watermark),
        closed === 1,
      ]),
      acks,
      ackCount: numberOf('ackCount'),
      segments: numberOf('segments'),
      kept: rowsOf('kept').map(([epoch, seq, n, state, attempts, payload, key, version, hasError]) => ({
        id: `${epoch}-${seq}-${n}`,
        state: String(state),
        attempts: Number(attempts),
        number: Number(payload),
        key: key === null ? undefined : String(key),
        version: Number(version),
        hasError: hasError === 1,
      })),
      lanes: rowsOf('lanes').map(([lane, owner, token, beat, leaseMs]) => ({
        lane: Number(lane),
        owner: Number(owner),
        token: Number(token),
        beat: Number(beat),
        leaseMs: Number(leaseMs),
      })),
      results: rowsOf('results').map(([epoch, seq, n]) => `${epoch}-${seq}-${n}`),
    }
  }
}
